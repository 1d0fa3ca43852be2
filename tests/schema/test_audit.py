"""Ledgers that the real tools wrote, held against folders and schemas."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from mendbook import ledger
from mendbook.errors import Refused
from mendbook.schema import audit
from mendbook.schema.audit import Audit
from mendbook.schema.snapshot import Snapshot
from mendbook.target import Target, identify

from tests.helpers import read, run
from tests.tools import DJANGO, ORDERS, PRISMA, SHIPPED, TOOLS, App, Tool

EVERY = pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS.keys())
EXPECTED = f"{ORDERS} {SHIPPED}"


def look(app: App, expected: Snapshot | None = None) -> Audit:
    with Target(reference="test", _conninfo=app.conninfo).reading() as conn:
        return audit.make(
            conn,
            live=read(app.conninfo),
            identity=identify(conn),
            framework=app.tool.framework,
            folder=app.migrations,
            expected=expected,
        )


def verdicts(app: App, expected: Snapshot | None = None) -> list[str]:
    return [row[0] for row in look(app, expected).rows()]


def deploy(app: App) -> None:
    """Run what is pending with the tool; for Prisma, whose engine is not in its package, as its engine does it."""
    if app.tool.apply:
        app.apply()
        return
    kept = ledger.of(app.tool.framework)
    if not any(key.name == kept.table for key in read(app.conninfo).objects):
        run(app.conninfo, kept.creation("public"))
    for migration in kept.migrations(app.migrations):
        insert, _ = kept.record("public", migration)
        run(app.conninfo, migration.text + ";".join(insert))


@pytest.fixture
def make_app(tmp_path: Path, make_database: Callable[[str], str]) -> Callable[[Tool], App]:
    return lambda tool: App(tool, tmp_path, make_database(""))


class Numbered(App):
    """Files and a ledger, without a tool."""

    def __init__(self, folder: Path, conninfo: str, framework: str = "numbered") -> None:
        self.tool = Tool(framework=framework, files={}, folder=".", migrations=(), apply=(), status=(), fine="")
        self.folder = folder
        self.conninfo = conninfo


@EVERY
def test_what_the_tool_ran_is_applied(tool: Tool, make_app: Callable[[Tool], App]) -> None:
    app = make_app(tool)
    app.add(0)
    app.add(1)
    deploy(app)
    assert verdicts(app, read(app.conninfo)) == ["applied", "applied"]
    assert look(app)
    assert app.says_all_is_fine()


@EVERY
def test_a_phantom_is_seen_where_its_own_tool_says_that_all_is_fine(
    tool: Tool, make_app: Callable[[Tool], App], make_database: Callable[[str], str]
) -> None:
    """With the column dropped by hand, each tool was asked, and none of them saw it.

    `prisma migrate status`: "Database schema is up to date!". `sequelize-cli db:migrate:status`: "up …" for both.
    `knex migrate:status`: "No Pending Migration files Found.". `typeorm migration:show`: "[X]" for both.
    `node-pg-migrate up --dry-run`: "No migrations to run!". `dbmate status`: "Pending: 0". `alembic current
    --check-heads`: "b2 (head)". Django's `migrate --check`: nothing. Drizzle's migrator, run again: nothing to do.
    All of them end with exit code 0.
    """
    app = make_app(tool)
    app.add(0)
    app.add(1)
    deploy(app)
    run(app.conninfo, "ALTER TABLE orders DROP COLUMN shipped_at")
    assert app.says_all_is_fine()
    found = look(app, read(make_database(EXPECTED)) if tool.program else None)
    assert [line.verdicts for line in found.lines] == [("applied",), ("phantom",)]
    assert not found
    line = found.lines[1]
    assert "column public.orders.shipped_at is missing" in (line.models if tool.program else line.live)


@EVERY
def test_what_is_on_disk_alone_is_pending(tool: Tool, make_app: Callable[[Tool], App]) -> None:
    app = make_app(tool)
    app.add(0)
    deploy(app)
    app.add(1)
    assert verdicts(app) == ["applied", "pending"]


@EVERY
def test_what_is_in_the_ledger_alone_is_an_orphan(tool: Tool, make_app: Callable[[Tool], App]) -> None:
    """Knex, Prisma and Alembic stop at it; all others say that all is fine.

    What Alembic's orphan stands for, only its file would tell.
    """
    app = make_app(tool)
    app.add(0)
    app.add(1)
    deploy(app)
    for name in tool.migrations[1]:
        (app.migrations / name).unlink()
    app.add(0)
    found = look(app)
    first = "not known" if tool.framework == "alembic" else "applied"
    assert [line.verdicts for line in found.lines] == [(first,), ("orphan",)]
    assert found.lines[1].ledger.startswith("done")
    assert app.status().endswith("exit code 0") == (tool.framework not in {"knex", "prisma", "alembic"})


@pytest.mark.parametrize(
    "framework", ["sequelize", "knex", "typeorm", "node-pg-migrate", "drizzle", "dbmate", "prisma"]
)
def test_what_was_overtaken_is_out_of_order(framework: str, make_app: Callable[[Tool], App]) -> None:
    """The worst answer is Drizzle's: its migrator ends with exit code 0 and never runs what was overtaken."""
    app = make_app(TOOLS[framework])
    run(app.conninfo, "CREATE TABLE orders ()")
    app.add(1)
    if framework == "drizzle":
        journal = app.migrations / "meta" / "_journal.json"
        both = json.loads(journal.read_text())
        journal.write_text(json.dumps({**both, "entries": both["entries"][1:]}))
    deploy(app)
    app.add(0)
    app.add(1)
    assert verdicts(app) == ["out of order, pending", "applied"]
    if framework == "drizzle":
        app.apply()
        assert verdicts(app) == ["out of order, pending", "applied"]


@pytest.mark.parametrize("framework", ["prisma", "drizzle"])
def test_a_file_that_was_changed_after_it_ran(framework: str, make_app: Callable[[Tool], App]) -> None:
    """`prisma migrate status` says "Database schema is up to date!", and Drizzle's migrator ends with exit code 0."""
    app = make_app(TOOLS[framework])
    app.add(0)
    app.add(1)
    deploy(app)
    [changed] = [name for name in app.tool.migrations[1] if name.endswith(".sql")]
    (app.migrations / changed).write_text(f"{SHIPPED} -- and a remark\n")
    assert app.says_all_is_fine()
    found = look(app)
    assert [line.verdicts for line in found.lines] == [("applied",), ("changed",)]
    assert "the ledger has" in found.lines[1].files


def test_what_failed_half_way(make_app: Callable[[Tool], App]) -> None:
    """The row is that of an engine that stopped between start and end; `prisma migrate status` says so, too."""
    app = make_app(PRISMA)
    app.add(0)
    deploy(app)
    app.add(1)
    half = "(id, checksum, migration_name, logs) VALUES ('1', '', '20250102000000_shipped', 'ERROR: …')"
    run(app.conninfo, f"INSERT INTO _prisma_migrations {half}")
    assert verdicts(app) == ["applied", "failed"]
    assert "20250102000000_shipped" in app.status()
    assert not app.says_all_is_fine()
    run(app.conninfo, "UPDATE _prisma_migrations SET rolled_back_at = now() WHERE id = '1'")
    assert verdicts(app) == ["applied", "pending"]


def test_applications_from_elsewhere_are_no_orphans(make_app: Callable[[Tool], App]) -> None:
    app = make_app(DJANGO)
    app.write(
        {"settings.py": DJANGO.files["settings.py"].replace("['shop']", "['shop', 'django.contrib.contenttypes']")}
    )
    app.add(0)
    app.apply()
    assert verdicts(app) == ["applied"]


FAILED = {
    "flyway": (
        "V{}__orders.sql",
        "(1, '1', 'orders', 'SQL', 'V1__orders.sql', NULL, 'kim', now(), 9, true), "
        "(2, '2', 'orders', 'SQL', 'V2__orders.sql', NULL, 'kim', now(), 9, false)",
    ),
    "sqlx": ("{}_orders.sql", "(1, 'orders', now(), true, '{sum}', 9), (2, 'orders', now(), false, '{sum}', 9)"),
    "golang-migrate": ("{}_orders.up.sql", "(2, true)"),
}


@pytest.mark.parametrize("framework", FAILED)
def test_what_other_tools_write_of_a_failure(framework: str, tmp_path: Path, database: str) -> None:
    """The rows are those that are documented; these tools do not run here."""
    name, recorded = FAILED[framework]
    app, kept = Numbered(tmp_path, database, framework), ledger.of(framework)
    app.write({name.format(1): ORDERS, name.format(2): SHIPPED, name.format(3): "CREATE TABLE items ();"})
    run(database, f"{kept.creation('public')}; {ORDERS}")
    checksum = hashlib.sha384(ORDERS.encode()).hexdigest()
    run(database, f"INSERT INTO {kept.table} VALUES " + recorded.replace("{sum}", f"\\x{checksum}"))
    assert [line.verdicts for line in look(app).lines] == [("applied",), ("failed",), ("pending",)]


# ---- numbered files, whose runner writes the file's name


@pytest.fixture
def numbered(tmp_path: Path, database: str) -> Numbered:
    app = Numbered(tmp_path, database)
    app.write({"1_orders.sql": ORDERS, "2_shipped.sql": SHIPPED})
    return app


def test_a_pending_migration_whose_effect_is_there_is_told(numbered: Numbered) -> None:
    run(numbered.conninfo, EXPECTED)
    found = look(numbered)
    assert [(line.verdicts, line.live) for line in found.lines] == [
        (("pending",), "4 objects, all there"),
        (("pending",), "1 object, all there"),
    ]
    assert "There is no ledger" in str(found)


@pytest.mark.parametrize("live", ["TYPE integer", "SET NOT NULL"])
def test_what_somebody_changed_since_is_no_phantom(numbered: Numbered, live: str) -> None:
    deploy(numbered)
    run(numbered.conninfo, f"ALTER TABLE orders ALTER total {live}")
    assert verdicts(numbered) == ["applied", "applied"]


def test_a_change_that_is_not_there_is_a_phantom(numbered: Numbered) -> None:
    numbered.write({"3_total.sql": "ALTER TABLE orders ALTER total SET NOT NULL;", "4_drop.sql": "DROP TABLE orders;"})
    numbered.write({"5_again.sql": "CREATE TABLE items ();"})
    deploy(numbered)
    run(numbered.conninfo, EXPECTED + "DROP TABLE items")
    assert [(row[0], row[2]) for row in look(numbered).rows()] == [
        ("applied", "4 objects, all there"),
        ("applied", "1 object, all there"),
        ("phantom", "column public.orders.total was not changed"),
        ("phantom", "table public.orders is still there"),
        ("phantom", "table public.items is missing"),
    ]


def test_a_migration_that_fails_on_the_scratch_database_is_named_and_the_rest_not_guessed(numbered: Numbered) -> None:
    numbered.write({"3_bad.sql": "BEGIN;\nGRANT SELECT ON orders TO nobody_here;\n\nDROP TABLE nonesuch;\nCOMMIT;"})
    numbered.write({"4_more.sql": "CREATE TABLE items ();"})
    found = look(numbered)
    assert [line.live for line in found.lines[2:]] == ["not known", "not known"]
    assert '3_bad.sql:4 fails on the scratch database (42P01): table "nonesuch" does not exist.' in found.notes[1]


def test_what_no_migration_names_is_missing_all_the_same(
    numbered: Numbered, make_database: Callable[[str], str]
) -> None:
    deploy(numbered)
    expected = read(make_database(EXPECTED + "CREATE TABLE items (id int); ALTER TABLE orders ADD paid boolean"))
    found = look(numbered, expected)
    assert [(line.migration, line.verdicts, line.models) for line in found.lines[2:]] == [
        ("", ("missing",), "table public.items"),
        ("", ("missing",), "column public.orders.paid"),
    ]


def test_it_shows_itself(numbered: Numbered) -> None:
    numbered.write({"9_<b>.sql": "CREATE TABLE x ();"})
    found = look(numbered)
    assert "9_&lt;b&gt;.sql" in found._repr_html_()
    assert "9_<b>.sql" in str(found)
    assert audit.to_json(found)["lines"][0]["verdicts"] == ("pending",)


def test_the_table_of_another_tool_is_refused(numbered: Numbered) -> None:
    run(numbered.conninfo, "CREATE TABLE schema_migrations (version bigint)")
    with pytest.raises(Refused, match="cannot be read as its own tool does it"):
        look(numbered)
