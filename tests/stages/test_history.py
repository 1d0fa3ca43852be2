from __future__ import annotations

import json
from pathlib import Path

import psycopg
import pytest
from mendbook import authoring, runbook
from mendbook.errors import NotThisIncident, Refused
from mendbook.incident import Incident

from tests.helpers import run

STEP = "- sql: ALTER TABLE orders ADD COLUMN shipped_at timestamptz"


class Shop:
    """A runbook whose fix is a step of choice, with two migrations in its folder."""

    def __init__(self, folder: Path) -> None:
        self.runbook = authoring.start("orders-total", folder)
        self.migrations = self.runbook / "migrations"
        self.migrations.mkdir()
        (self.migrations / "001_orders.sql").write_text("CREATE TABLE orders ();\n")
        (self.migrations / "002_ship.sql").write_text(
            "BEGIN;\nALTER TABLE orders ADD shipped_at timestamptz;\nCOMMIT;\n"
        )

    def begin(self, step: str) -> Incident:
        path = self.runbook / "runbook.yaml"
        path.write_text(path.read_text().replace(STEP, step))
        return Incident.begin(runbook=str(self.runbook), target="env:SHOP", incidents=str(self.runbook.parent / "made"))


@pytest.fixture
def shop(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    made = Shop(tmp_path)
    run(database, runbook.load(made.runbook).broken)
    monkeypatch.setenv("SHOP", database)
    return made


def done(database: str, table: str) -> list[str]:
    with psycopg.connect(database) as conn:
        return [row[0] for row in conn.execute(f"SELECT name FROM {table} ORDER BY name".encode()).fetchall()]


def apply(incident: Incident) -> None:
    incident.diagnosed()
    incident.approve(incident.plan.digest)
    incident.apply()
    incident.verify()


def test_only_what_is_pending_runs_and_is_recorded(shop: Shop, database: str) -> None:
    run(database, "CREATE TABLE schema_migrations (name text PRIMARY KEY, applied_at timestamptz NOT NULL)")
    run(database, "INSERT INTO schema_migrations VALUES ('001_orders.sql', now())")
    incident = shop.begin("- {migrations: migrations, framework: numbered}")
    apply(incident)
    assert done(database, "schema_migrations") == ["001_orders.sql", "002_ship.sql"]
    incident.rollback()
    assert done(database, "schema_migrations") == ["001_orders.sql"]


def test_a_ledger_is_looked_for_in_its_schema_alone(shop: Shop, database: str) -> None:
    run(database, "CREATE SCHEMA mine; CREATE TABLE schema_migrations (version bigint)")
    run(database, "CREATE TABLE mine.schema_migrations (name text PRIMARY KEY, applied_at timestamptz)")
    run(database, "INSERT INTO mine.schema_migrations VALUES ('001_orders.sql', now())")
    apply(shop.begin("- {migrations: migrations, framework: numbered, schema: mine}"))
    assert done(database, "mine.schema_migrations") == ["001_orders.sql", "002_ship.sql"]


def test_a_missing_ledger_is_made_once_and_taken_back(shop: Shop, database: str) -> None:
    (shop.migrations / "001_orders.sql").unlink()
    record = "\n      - {ledger: other.sql, framework: numbered}"
    incident = shop.begin("- {migrations: migrations, framework: numbered}" + record)
    apply(incident)
    assert done(database, "schema_migrations") == ["002_ship.sql", "other.sql"]
    incident.rollback()
    assert incident.verify_rollback().verified


def test_a_record_that_is_there_is_not_made_again(shop: Shop, database: str) -> None:
    run(database, 'CREATE TABLE "SequelizeMeta" (name varchar(255) PRIMARY KEY)')
    run(database, """INSERT INTO "SequelizeMeta" VALUES ('ship.cjs')""")
    apply(shop.begin(f"{STEP}\n      - {{ledger: ship.cjs, framework: sequelize}}"))
    assert done(database, '"SequelizeMeta"') == ["ship.cjs"]


def test_the_table_of_another_tool_is_no_ledger(shop: Shop, database: str) -> None:
    run(database, "CREATE TABLE schema_migrations (version bigint)")
    with pytest.raises(Refused, match=r'"public"."schema_migrations" cannot be read as its own tool does it'):
        shop.begin("- {migrations: migrations, framework: numbered}").diagnosed()


def test_a_migration_that_is_a_program_is_left_to_its_tool(shop: Shop, database: str) -> None:
    (shop.migrations / "003.cjs").write_text("module.exports = {};\n")
    with pytest.raises(Refused, match=r"003.cjs is a program, .* Run it with sequelize"):
        shop.begin("- {migrations: migrations, framework: sequelize}").diagnosed()


def test_where_nothing_is_left_to_do_there_is_no_incident(shop: Shop, database: str) -> None:
    run(database, "CREATE TABLE schema_migrations (name text PRIMARY KEY, applied_at timestamptz)")
    run(database, "INSERT INTO schema_migrations VALUES ('001_orders.sql', now()), ('002_ship.sql', now())")
    with pytest.raises(NotThisIncident, match="is there already"):
        shop.begin("- {migrations: migrations, framework: numbered}").diagnosed()


@pytest.mark.parametrize(("framework", "command"), [("alembic", "alembic stamp"), ("golang-migrate", "migrate force")])
def test_a_ledger_that_names_only_the_newest_needs_the_folder(
    shop: Shop, database: str, framework: str, command: str
) -> None:
    with pytest.raises(Refused, match=f"knowing what goes before it.*{command}"):
        shop.begin(f"{STEP}\n      - {{ledger: '7', framework: {framework}}}").diagnosed()


def test_the_migrations_of_a_tool_that_stands_at_one_version_run_from_there(shop: Shop, database: str) -> None:
    for path in shop.migrations.iterdir():
        path.rename(path.with_suffix(".up.sql"))
    run(database, "CREATE TABLE schema_migrations (version bigint PRIMARY KEY, dirty boolean NOT NULL)")
    run(database, "INSERT INTO schema_migrations VALUES (1, false)")
    apply(shop.begin("- {migrations: migrations, framework: golang-migrate}"))
    with psycopg.connect(database) as conn:
        assert conn.execute("SELECT version, dirty FROM schema_migrations").fetchall() == [(2, False)]


def test_a_version_that_no_file_has_is_refused(shop: Shop, database: str) -> None:
    for path in shop.migrations.iterdir():
        path.rename(path.with_suffix(".up.sql"))
    run(database, "CREATE TABLE schema_migrations (version bigint PRIMARY KEY, dirty boolean NOT NULL)")
    run(database, "INSERT INTO schema_migrations VALUES (9, false)")
    with pytest.raises(Refused, match="stands at 9, which is no migration of"):
        shop.begin("- {migrations: migrations, framework: golang-migrate}").diagnosed()


def test_the_schema_of_a_ledger_is_made_with_it(shop: Shop, database: str) -> None:
    (shop.migrations / "meta").mkdir()
    entries = [{"when": 7, "tag": "002_ship"}]
    (shop.migrations / "meta" / "_journal.json").write_text(json.dumps({"entries": entries}))
    apply(shop.begin("- {migrations: migrations, framework: drizzle}"))
    with psycopg.connect(database) as conn:
        assert conn.execute("SELECT created_at FROM drizzle.__drizzle_migrations").fetchall() == [(7,)]
