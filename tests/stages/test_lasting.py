"""Migrations that the real tools find, and then find nothing left to do."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from mendbook import ledger
from mendbook.errors import Refused, Usage
from mendbook.incident import Incident
from mendbook.schema import audit, ddl, drift
from mendbook.schema.step import Step, Transaction
from mendbook.stages import lasting
from mendbook.stages.lasting import Lasting
from mendbook.target import Target, identify

from tests.helpers import BOOK, broken, mendbook, read, run
from tests.schema.test_audit import deploy, verdicts
from tests.tools import ALEMBIC, BIN, DJANGO, KNEX, NODE_PG_MIGRATE, SEQUELIZE, TOOLS, TYPEORM, App, Tool

Make = Callable[[str], str]
WRITTEN = {name: tool for name, tool in TOOLS.items() if name != "drizzle"}
EVERY = pytest.mark.parametrize("tool", WRITTEN.values(), ids=WRITTEN.keys())
AT = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)

LIVE = """
CREATE TABLE orders (id bigint PRIMARY KEY, total numeric);
CREATE TYPE size AS ENUM ('S');
"""
DESIRED = """
CREATE TABLE orders (id bigint PRIMARY KEY, total numeric, note text DEFAULT 'a :b ::c ? ${c} `d` \\ %s "e" ''f''');
CREATE TYPE size AS ENUM ('S', 'M');
CREATE TYPE state AS ENUM ('open');
CREATE TABLE items (id bigint PRIMARY KEY, "order" bigint REFERENCES orders, "a ""b" text);
COMMENT ON TABLE items IS 'What was ordered; one row each';
CREATE INDEX orders_note ON orders (note);
COMMENT ON INDEX orders_note IS 'for the search';
ALTER TABLE orders ADD CONSTRAINT orders_note_key UNIQUE (note), ADD CONSTRAINT "To""tal" CHECK (total > 0);
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.note := 'x';

    RETURN NEW;
END $$;
CREATE TRIGGER orders_stamp BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION stamp();
"""


@pytest.fixture
def make_app(tmp_path: Path, make_database: Make) -> Callable[[Tool], App]:
    return lambda tool: App(tool, tmp_path, make_database(""))


@pytest.fixture
def steps(make_database: Make) -> tuple[Step, ...]:
    live, desired = read(make_database(LIVE)), read(make_database(DESIRED))
    return ddl.repair(drift.compare(live, desired), live, desired, drops=True).steps


def prepared(app: App) -> None:
    """The application with its first migration, beside which a size was made by hand."""
    app.add(0)
    deploy(app)
    run(app.conninfo, "CREATE TYPE size AS ENUM ('S')")


def record(app: App, made: Lasting) -> None:
    with Target(reference="test", _conninfo=app.conninfo).reading() as conn:
        recorded = list(lasting.recorded(conn, made, read(app.conninfo), identify(conn)))
    for step in recorded:
        run(app.conninfo, ";".join(step.forward))


def applied(app: App, steps: tuple[Step, ...]) -> None:
    with psycopg.connect(app.conninfo, autocommit=True) as conn:
        for step in steps:
            for statement in step.forward:
                conn.execute(statement.encode())


@EVERY
def test_after_the_row_the_tool_finds_nothing_to_do(
    tool: Tool, make_app: Callable[[Tool], App], steps: tuple[Step, ...]
) -> None:
    app = make_app(tool)
    prepared(app)
    applied(app, steps)
    made = lasting.make(steps, framework=tool.framework, folder=app.migrations)
    record(app, made)
    lasting.save(made, app.migrations)
    before = read(app.conninfo).fingerprint()
    assert app.status().endswith("exit code 0")
    assert set(verdicts(app)) == {"applied"}
    if tool.apply:
        app.apply()
    assert read(app.conninfo).fingerprint() == before
    assert set(verdicts(app)) == {"applied"}


@pytest.mark.parametrize("tool", [each for each in WRITTEN.values() if each.apply], ids=lambda tool: tool.framework)
@pytest.mark.parametrize("fixed", [False, True])
def test_without_the_row_the_tool_runs_it_whether_the_fix_is_there_or_not(
    tool: Tool, fixed: bool, make_app: Callable[[Tool], App], steps: tuple[Step, ...], make_database: Make
) -> None:
    app = make_app(tool)
    prepared(app)
    if fixed:
        applied(app, steps)
    made = lasting.make(steps, framework=tool.framework, folder=app.migrations)
    lasting.save(made, app.migrations)
    app.apply()
    assert set(verdicts(app)) == {"applied"}
    left = drift.compare(read(app.conninfo), read(make_database(DESIRED))).differences
    own = {"total", "id"} if tool.framework == "django" else set()  # it has types of its own for these
    assert [each.key for each in left if each.verdict != "extra" and each.key.part not in own] == []


@pytest.mark.parametrize(
    ("tool", "command"),
    [
        (SEQUELIZE, (f"{BIN}sequelize-cli", "db:migrate:undo", "--config", "config.js")),
        (KNEX, (f"{BIN}knex", "migrate:rollback")),
        (TYPEORM, (f"{BIN}typeorm", "migration:revert", "-d", "source.js", "--transaction", "none")),
        (NODE_PG_MIGRATE, (f"{BIN}node-pg-migrate", "down")),
        (ALEMBIC, (sys.executable, "-m", "alembic", "downgrade", "-1")),
        (DJANGO, (*DJANGO.apply[:4], "shop", "0001", *DJANGO.apply[4:])),
    ],
    ids=lambda each: each.framework if isinstance(each, Tool) else "",
)
def test_the_tool_takes_it_back(
    tool: Tool, command: tuple[str, ...], make_app: Callable[[Tool], App], steps: tuple[Step, ...]
) -> None:
    app = make_app(tool)
    prepared(app)
    run(app.conninfo, "ALTER TYPE size ADD VALUE 'M'")  # which nothing takes back
    before = read(app.conninfo).fingerprint()
    lasting.save(lasting.make(steps, framework=tool.framework, folder=app.migrations), app.migrations)
    app.apply()
    assert read(app.conninfo).fingerprint() != before
    app.run(command)
    assert read(app.conninfo).fingerprint() == before


ADD = Step(
    title="Add column public.orders.paid",
    forward=('ALTER TABLE "public"."orders" ADD COLUMN "paid" boolean',),
    undo=('ALTER TABLE "public"."orders" DROP COLUMN "paid"',),
)
INDEX = Step(
    title="Create index public.orders.orders_paid",
    forward=(
        "CREATE INDEX CONCURRENTLY orders_paid ON public.orders USING btree (paid)",
        """COMMENT ON INDEX "public"."orders_paid" IS 'paid'""",
    ),
    undo=('DROP INDEX CONCURRENTLY IF EXISTS "public"."orders_paid"',),
    transaction=Transaction.NONE,
)
TITLE = "add_column_orders_paid"
UP = 'ALTER TABLE "public"."orders" ADD COLUMN IF NOT EXISTS "paid" boolean'
DOWN = 'ALTER TABLE "public"."orders" DROP COLUMN IF EXISTS "paid"'


def files(framework: str, folder: Path, *steps: Step) -> dict[str, str]:
    return dict(lasting.make(steps, framework=framework, folder=folder, at=AT).files)


def test_the_next_number_follows_the_last(tmp_path: Path) -> None:
    (tmp_path / "000009_orders.up.sql").write_text("CREATE TABLE orders ();")
    assert files("golang-migrate", tmp_path, ADD) == {
        f"000010_{TITLE}.up.sql": f"{UP};\n",
        f"000010_{TITLE}.down.sql": f"{DOWN};\n",
    }


def test_what_cannot_run_in_a_transaction_gets_a_file_of_its_own(tmp_path: Path) -> None:
    """Prisma, golang-migrate and dbmate send a file as one message, which PostgreSQL runs in one transaction."""
    made = files("prisma", tmp_path, ADD, INDEX, ADD)
    assert [name for name in made if name.endswith("/migration.sql")] == [
        f"20260301093000_{TITLE}/migration.sql",
        "20260301093001_create_index_orders_orders_paid/migration.sql",
        "20260301093002_create_index_orders_orders_paid/migration.sql",
    ]
    alone = made["20260301093001_create_index_orders_orders_paid/migration.sql"]
    assert alone == "CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_paid ON public.orders USING btree (paid);\n"


def test_each_of_several_files_is_recorded_after_the_one_before(tmp_path: Path, database: str) -> None:
    (tmp_path / "9_orders.up.sql").write_text("CREATE TABLE orders ();")
    run(database, "CREATE TABLE schema_migrations (version bigint PRIMARY KEY, dirty boolean NOT NULL)")
    run(database, "INSERT INTO schema_migrations VALUES (9, false)")
    made = lasting.make((ADD, INDEX), framework="golang-migrate", folder=tmp_path)
    with Target(reference="test", _conninfo=database).reading() as conn:
        steps = tuple(lasting.recorded(conn, made, read(database), identify(conn)))
    assert [each.name for each in made.migrations] == ["10", "11", "12"]
    run(database, ";".join(each for step in steps for each in step.forward))
    with psycopg.connect(database) as conn:
        assert conn.execute("SELECT * FROM schema_migrations").fetchall() == [(12, False)]
    run(database, ";".join(each for step in reversed(steps) for each in step.undo))
    with psycopg.connect(database) as conn:
        assert conn.execute("SELECT * FROM schema_migrations").fetchall() == [(9, False)]


@pytest.mark.parametrize(
    ("framework", "there", "name", "said"),
    [
        ("rails", "20250101000000_a.rb", f"20260301093000_{TITLE}.rb", "  disable_ddl_transaction!\n"),
        ("flyway", "V7__a.sql", f"V8__{TITLE}.sql.conf", "executeInTransaction=false\n"),
        ("goose", "00007_a.sql", f"00008_{TITLE}.sql", "-- +goose NO TRANSACTION\n-- +goose Up\n"),
        ("knex", "20250101000000_a.js", f"20260301093000_{TITLE}.cjs", "exports.config = { transaction: false };\n"),
        ("typeorm", "1700000000000-A.ts", "1772357400000-AddColumnOrdersPaid.ts", "  transaction = false;"),
        ("node-pg-migrate", "1_a.js", f"1772357400000_{TITLE.replace('_', '-')}.cjs", "  pgm.noTransaction();\n"),
        ("alembic", "a.py", "", "    with op.get_context().autocommit_block():\n        op.execute("),
    ],
)
def test_each_tool_has_its_own_switch(framework: str, there: str, name: str, said: str, tmp_path: Path) -> None:
    (tmp_path / there).write_text("")
    assert said not in "".join(files(framework, tmp_path, ADD).values())
    made = files(framework, tmp_path, ADD, INDEX)
    assert said in (made[name] if name else "".join(made.values()))


def test_rails_gets_its_version_and_a_text_that_it_takes_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "20250101000000_a.rb").write_text("class A < ActiveRecord::Migration[7.1]\nend\n")
    assert files("rails", tmp_path, ADD)[f"20260301093000_{TITLE}.rb"] == (
        "class AddColumnOrdersPaid < ActiveRecord::Migration[7.1]\n"
        f"  def up\n    execute <<~'SQL'\n      {UP}\n    SQL\n  end\n\n"
        f"  def down\n    execute <<~'SQL'\n      {DOWN}\n    SQL\n  end\nend\n"
    )


def test_goose_is_told_where_a_statement_ends(tmp_path: Path) -> None:
    assert files("goose", tmp_path, ADD)[f"20260301093000_{TITLE}.sql"] == (
        f"-- +goose Up\n-- +goose StatementBegin\n{UP};\n-- +goose StatementEnd\n\n"
        f"-- +goose Down\n-- +goose StatementBegin\n{DOWN};\n-- +goose StatementEnd\n"
    )


def test_several_heads_are_refused(tmp_path: Path) -> None:
    for name, before in (("a1", None), ("b2", "a1"), ("c3", "a1")):
        (tmp_path / f"{name}.py").write_text(f"revision = {name!r}\ndown_revision = {before!r}\n")
    with pytest.raises(Refused, match=r"several heads \(b2, c3\).*alembic merge heads"):
        files("alembic", tmp_path, ADD)


def test_one_application_is_named_by_its_folder(tmp_path: Path) -> None:
    for app in ("shop", "stock"):
        (tmp_path / app / "migrations").mkdir(parents=True)
        (tmp_path / app / "migrations" / "0001_initial.py").write_text("dependencies = []")
    with pytest.raises(Usage, match="here are shop, stock"):
        files("django", tmp_path, ADD)
    [(name, text)] = files("django", tmp_path / "stock" / "migrations", ADD).items()
    assert name == f"0002_{TITLE}.py"
    assert "dependencies = [('stock', '0001_initial')]" in text


def test_a_tool_without_a_format_is_named(tmp_path: Path) -> None:
    with pytest.raises(Usage, match="writes no migrations of drizzle"):
        files("drizzle", tmp_path, ADD)


# ---- in an incident


@pytest.fixture
def shop(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of migrations of an application that has the incident."""
    run(database, broken())
    kept = ledger.of("numbered")
    run(database, f"{kept.creation('public')}; INSERT INTO schema_migrations VALUES ('001_all.sql')")
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "001_all.sql").write_text(broken())
    monkeypatch.setenv("SHOP", database)
    monkeypatch.chdir(tmp_path)
    return folder


def begin(folder: Path, **more: Any) -> Incident:
    return Incident.begin(runbook=BOOK, target="env:SHOP", migrations=str(folder), framework="numbered", **more)


def test_the_incident_keeps_the_migration_and_the_plan_records_it(shop: Path, database: str) -> None:
    incident = begin(shop, record=True)
    incident.diagnosed()
    written = sorted((incident.folder / "migration").iterdir())
    assert [path.suffixes for path in written] == [[".down", ".sql"], [".sql"]]
    assert "ADD COLUMN IF NOT EXISTS" in written[1].read_text()
    assert incident.plan.steps[-1].title == f"Record {written[1].name} in schema_migrations, as numbered does"
    incident.approve(incident.plan.digest)
    incident.apply()
    incident.verify()
    shutil.copy(written[1], shop)
    with Target(reference="test", _conninfo=database).reading() as conn:
        live = read(database)
        found = audit.make(conn, live=live, identity=identify(conn), framework="numbered", folder=shop)
    assert [line.verdicts for line in found.lines] == [("applied",), ("applied",)]
    incident.rollback()
    assert incident.verify_rollback().verified
    assert written[1].name in (incident.folder / "fix.md").read_text().replace("\\", "")


def test_without_being_asked_nothing_is_recorded(shop: Path) -> None:
    plan = begin(shop).plan
    assert not any("schema_migrations" in step.title for step in plan.steps)


def test_nothing_is_recorded_over_what_is_pending(shop: Path) -> None:
    (shop / "002_more.sql").write_text("CREATE TABLE more ();")
    with pytest.raises(Refused, match=r"pending on this database \(002_more\.sql\)"):
        _ = begin(shop, record=True).plan


def test_nothing_is_recorded_without_a_ledger(shop: Path, database: str) -> None:
    run(database, "DROP TABLE schema_migrations")
    with pytest.raises(Refused, match=r'no ledger "public"\."schema_migrations"'):
        _ = begin(shop, record=True).plan


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"migrations": "migrations"}, "Name both"),
        ({"framework": "prisma"}, "Name both"),
        ({"record": True}, "Name both"),
        ({"migrations": "nowhere", "framework": "prisma"}, "nowhere is no directory"),
        ({"migrations": "migrations", "framework": "nonesuch"}, "no framework whose migrations"),
        ({"migrations": "migrations", "framework": "drizzle"}, "writes no migrations of drizzle"),
    ],
)
def test_what_cannot_be_written_is_said_before_anything_is_opened(shop: Path, more: dict[str, Any], said: str) -> None:
    with pytest.raises(Usage, match=said):
        Incident.begin(runbook=BOOK, target="env:NONESUCH", **more)


def test_an_option_that_runs_the_applications_own_migrations_needs_no_new_one(shop: Path) -> None:
    asked = {"migrations": str(shop), "framework": "numbered"}
    with pytest.raises(Usage, match="needs no new one"):
        Incident.begin(runbook="sequelize-paranoid-deleted-at", target="env:SHOP", **asked)


def test_the_command_line_says_where_it_is(shop: Path, database: str) -> None:
    asked = ("--target", "env:SHOP", "--migrations", "migrations", "--framework", "numbered", "--record")
    answer = mendbook("diagnose", BOOK, *asked, cwd=shop.parent)
    assert answer.code == 3, answer.err
    [said] = re.findall(r"^migration: (.*)$", answer.out, re.MULTILINE)
    assert len(list((shop.parent / said).glob("*.sql"))) == 2
