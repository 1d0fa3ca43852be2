from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from mendbook import ledger
from mendbook.errors import Refused, Usage
from mendbook.frameworks import refinery
from mendbook.ledger import Entry, Ledger
from mendbook.migrations import Migration
from psycopg import sql
from psycopg.rows import class_row, dict_row

from tests.helpers import read, run
from tests.tools import TOOLS, App, Tool

LEDGERS = ledger.known()
WRITTEN = [name for name, kept in LEDGERS.items() if kept.row]
HOSTILE = '2025\'; DROP TABLE users; --\n"ä".sql'

# What else a migration can be called, where a column holds no text.
NUMBERS = {"dbmate", "ecto", "golang_migrate", "goose", "refinery", "sqlx", "drizzle"}
NAMES = {
    **dict.fromkeys(NUMBERS, "7"),
    "typeorm": f"{HOSTILE}1700000000000",
    "alembic": HOSTILE[:32],
    "django": f"a.{HOSTILE}",
}


def migration(name: str, text: str = "SELECT 1", file: str = "") -> Migration:
    return Migration(name=name, title=name, path=Path(file or name), text=text)


def entries(database: str, kept: Ledger, schema: str = "public") -> list[Entry]:
    with psycopg.connect(database, row_factory=class_row(Entry)) as conn:
        return conn.execute(kept.select(schema)).fetchall()


@pytest.mark.parametrize("name", WRITTEN)
def test_a_migration_is_recorded_and_the_record_taken_back(name: str, database: str) -> None:
    kept, named = ledger.of(name), NAMES.get(name, HOSTILE)
    run(database, 'CREATE SCHEMA "a ""b"')
    run(database, kept.creation('a "b'))
    before = entries(database, kept, 'a "b')
    insert, delete = kept.record('a "b', migration(named))
    run(database, ";".join(insert))
    found = [entry for entry in entries(database, kept, 'a "b') if entry not in before]
    assert [(entry.name, entry.state) for entry in found] == [(named, "done")]
    assert found[0].checksum == (kept.computes(migration(named)) if kept.computes else None)
    run(database, ";".join(delete))
    assert entries(database, kept, 'a "b') == before


@pytest.mark.parametrize("name", LEDGERS)
def test_a_ledger_is_told_by_its_columns(name: str, database: str) -> None:
    kept = ledger.of(name)
    run(database, kept.creation("public"))
    assert set(kept.columns) <= {column.name for column in read(database).columns("public", kept.table)}
    rivals = [each for each in LEDGERS.values() if each.table == kept.table and set(each.columns) > set(kept.columns)]
    assert all(not set(each.columns) <= set(kept.columns) for each in rivals)


@pytest.mark.parametrize(("name", "command"), [("sqitch", "sqitch deploy --log-only"), ("liquibase", "changelog-sync")])
def test_what_a_row_alone_does_not_record_is_left_to_its_tool(name: str, command: str) -> None:
    with pytest.raises(Refused, match=command):
        ledger.of(name).record("public", migration("1"))


def test_the_version_of_golang_migrate_stands_for_all_before_it(tmp_path: Path, database: str) -> None:
    for each in ("1_a", "2_b", "3_c"):
        (tmp_path / f"{each}.up.sql").write_text("SELECT 1;")
    kept = ledger.of("golang-migrate")
    found = kept.migrations(tmp_path)
    run(database, kept.creation("public") + "; INSERT INTO schema_migrations VALUES (2, true)")
    assert kept.done(entries(database, kept), found) == {"1"}
    run(database, "UPDATE schema_migrations SET dirty = false")
    assert kept.done(entries(database, kept), found) == {"1", "2"}
    insert, delete = kept.record("public", found[2])
    run(database, ";".join(insert))
    assert [entry.name for entry in entries(database, kept)] == ["3"]
    run(database, ";".join(delete))
    assert [entry.name for entry in entries(database, kept)] == ["2"]


def test_checksums_are_those_of_the_tools() -> None:
    """Refinery's as Rust's own SipHash-1-3 gives it, Drizzle's as its migrator wrote it, Flyway's line by line."""
    assert refinery.LEDGER.computes
    created = migration("1", "CREATE TABLE a (id int);\n", "V1__init.sql")
    assert refinery.LEDGER.computes(created) == "8162285565519835454"
    drizzle = ledger.of("drizzle").computes
    assert drizzle
    assert drizzle(created) == "c2de7559380e5ebf65caa7d59e166558e80243cf7e70006cc98d1593d94203c1"
    flyway = ledger.of("flyway").computes
    assert flyway
    crc = zlib.crc32(b"CREATE TABLE a (")
    crc = zlib.crc32(b"  id int);", crc)
    expected = struct.unpack("<i", struct.pack("<I", crc))[0]
    assert flyway(migration("V1__a.sql", "\ufeffCREATE TABLE a (\r\n  id int);\n")) == str(expected)


def test_of_several_attempts_the_newest_counts(database: str) -> None:
    kept = ledger.of("goose")
    run(database, kept.creation("public"))
    run(
        database,
        "INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, true), (1, true), (1, false), (2, true)",
    )
    assert [(entry.name, entry.state) for entry in entries(database, kept)] == [("1", "rolled back"), ("2", "done")]


def test_flyway_counts_from_its_baseline(tmp_path: Path, database: str) -> None:
    for version in ("1", "1.1", "2", "10"):
        (tmp_path / f"V{version}__step.sql").write_text("SELECT 1;")
    kept = ledger.of("flyway")
    run(database, kept.creation("public"))
    baseline = "(1, '1.1', 'from here', 'BASELINE', '<< Flyway Baseline >>', NULL, 'kim', now(), 0, true)"
    made = "(2, NULL, 'orders', 'SCHEMA', 'orders', NULL, 'kim', now(), 0, true)"
    failed = "(3, '2', 'step', 'SQL', 'V2__step.sql', 7, 'kim', now(), 3, false)"
    run(database, f"INSERT INTO flyway_schema_history VALUES {baseline}, {made}, {failed}")
    found = entries(database, kept)
    assert {(entry.state, entry.checksum) for entry in found} == {("baseline", None), ("failed", "7")}
    assert kept.done(found, kept.migrations(tmp_path)) == {"V1__step.sql", "V1.1__step.sql"}


def test_flyway_names_a_class_without_its_package(database: str) -> None:
    kept = ledger.of("flyway")
    run(database, kept.creation("public"))
    made = "(1, '2.1', 'Total', 'JDBC', 'db.migration.V2_1__Total', NULL, 'kim', now(), 3, true)"
    run(database, f"INSERT INTO flyway_schema_history VALUES {made}")
    assert [(entry.name, entry.state) for entry in entries(database, kept)] == [("V2_1__Total", "done")]


def test_liquibase_names_a_changeset_with_its_file(database: str) -> None:
    kept = ledger.of("liquibase")
    run(database, kept.creation("public"))
    row = "('1', 'kim', '{}', now(), 1, '{}', '9:a')"
    rows = ", ".join((row.format("classpath:db/a.sql", "EXECUTED"), row.format("b.sql", "FAILED")))
    columns = "id, author, filename, dateexecuted, orderexecuted, exectype, md5sum"
    run(database, f"INSERT INTO databasechangelog ({columns}) VALUES {rows}")
    assert [(each.name, each.state) for each in entries(database, kept)] == [
        ("a.sql::1::kim", "done"),
        ("b.sql::1::kim", "failed"),
    ]


def test_sqitch_tells_the_forms_of_a_change_that_was_reworked(database: str) -> None:
    kept = ledger.of("sqitch")
    run(database, kept.creation("sqitch"))
    row = "('{0}', '{0}', '{1}', 'shop', '', now(), 'kim', '', '2025-01-0{0}', 'kim', '')"
    forms = [row.format(3, "users"), row.format(1, "users"), row.format(2, "orders")]
    run(database, f"INSERT INTO sqitch.changes VALUES {', '.join(forms)}")
    assert [(each.name, each.checksum) for each in entries(database, kept, "sqitch")] == [
        ("orders", "2"),
        ("users", "1"),
        ("users (2)", "3"),
    ]


def test_prisma_finds_its_own_row(database: str, tmp_path: Path) -> None:
    """The row is the one that `prisma migrate deploy` leaves, its checksum over the bytes of the file."""
    (tmp_path / "1_init").mkdir()
    content = b"-- CreateTable\r\nCREATE TABLE t ();\r\n"
    (tmp_path / "1_init" / "migration.sql").write_bytes(content)
    kept = ledger.of("prisma")
    [found] = kept.migrations(tmp_path)
    run(database, kept.creation("public"))
    [insert], _ = kept.record("public", found)
    run(database, insert)
    with psycopg.connect(database) as conn:
        row = conn.execute(
            """SELECT id ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$', checksum, finished_at >= started_at,
                      migration_name, logs, rolled_back_at, applied_steps_count
               FROM _prisma_migrations"""
        ).fetchone()
    assert row == (True, hashlib.sha256(content).hexdigest(), True, "1_init", None, None, 1)


def test_an_attempt_of_prisma_that_failed_does_not_count_and_stays(database: str) -> None:
    kept = ledger.of("prisma")
    run(database, kept.creation("public"))
    run(database, "INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ('1', 'c', 'init')")
    assert [entry.state for entry in entries(database, kept)] == ["failed"]
    run(database, "UPDATE _prisma_migrations SET rolled_back_at = now()")
    assert [entry.state for entry in entries(database, kept)] == ["rolled back"]
    insert, delete = kept.record("public", migration("init"))
    run(database, ";".join((*insert, *delete)))
    assert [entry.state for entry in entries(database, kept)] == ["rolled back"]


def test_sequelize_keeps_one_index(database: str) -> None:
    run(database, ledger.of("sequelize").creation("public"))
    assert [key.part for key in read(database).objects if key.kind in ("constraint", "index")] == ["SequelizeMeta_pkey"]


def test_a_migration_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "001_a.sql").write_bytes(b"\xff")
    with pytest.raises(Usage, match=r"001_a\.sql cannot be read as text"):
        ledger.of("numbered").migrations(tmp_path)


@pytest.mark.parametrize("name", ["", "nonesuch", "node_postgres", "../prisma", "prisma.LEDGER"])
def test_a_framework_without_a_ledger_is_refused(name: str) -> None:
    with pytest.raises(Usage, match="no framework whose migrations can be recorded"):
        ledger.of(name)


def test_the_ledgers_that_were_promised_are_here() -> None:
    promised = (
        "prisma sequelize knex typeorm drizzle node_pg_migrate alembic django rails ecto flyway liquibase ef_core"
    )
    promised += " golang_migrate goose dbmate sqitch sqlx diesel refinery numbered"
    assert set(LEDGERS) == set(promised.split())


# What differs from run to run.
VOLATILE = {"id", "applied", "run_on", "migration_time"}


@pytest.mark.parametrize("tool", [tool for tool in TOOLS.values() if tool.apply], ids=lambda tool: tool.framework)
def test_the_table_and_the_row_are_those_of_the_real_tool(
    tool: Tool, tmp_path: Path, make_database: Callable[[str], str]
) -> None:
    theirs, ours = make_database(""), make_database("")
    app, kept = App(tool, tmp_path, theirs), ledger.of(tool.framework)
    schema = kept.schema or "public"
    for number in (0, 1):
        app.add(number)
        app.apply()
    run(ours, kept.creation(schema))
    for each in kept.migrations(app.migrations):
        run(ours, ";".join(kept.record(schema, each)[0]))
    made, copied = (sorted(map(repr, read(base).by_owner[schema, kept.table])) for base in (theirs, ours))
    assert copied == made
    assert rows(ours, schema, kept) == rows(theirs, schema, kept)


def rows(database: str, schema: str, kept: Ledger) -> list[dict[str, Any]]:
    with psycopg.connect(database, row_factory=dict_row) as conn:
        found = conn.execute(sql.SQL("SELECT * FROM {} ORDER BY 1").format(kept.place(schema))).fetchall()
    return [{name: value for name, value in row.items() if name not in VOLATILE} for row in found]


CREATED = "CREATE TABLE a (id int);\n"

# The tools that are not run here: what each is documented to write, in the source that its file in frameworks/ names.
DOCUMENTED = {
    "prisma/20250101000000_init/migration.sql": {
        "checksum": hashlib.sha256(CREATED.encode()).hexdigest(),
        "migration_name": "20250101000000_init",
        "logs": None,
        "rolled_back_at": None,
        "applied_steps_count": 1,
    },
    "rails/20250101000000_create_a.rb": {"version": "20250101000000"},
    "ecto/20250101000000_create_a.exs": {"version": 20250101000000},
    "flyway/V1_1__Create_a.sql": {
        "installed_rank": 1,
        "version": "1.1",
        "description": "Create a",
        "type": "SQL",
        "script": "V1_1__Create_a.sql",
        "checksum": zlib.crc32(CREATED.strip().encode()) - (1 << 32),
        "installed_by": "postgres",
        "execution_time": 0,
        "success": True,
    },
    "flyway/R__Views.sql": {
        "installed_rank": 1,
        "version": None,
        "description": "Views",
        "type": "SQL",
        "script": "R__Views.sql",
        "checksum": zlib.crc32(CREATED.strip().encode()) - (1 << 32),
        "installed_by": "postgres",
        "execution_time": 0,
        "success": True,
    },
    "golang_migrate/000001_create_a.up.sql": {"version": 1, "dirty": False},
    "goose/00001_create_a.sql": {"version_id": 1, "is_applied": True},
    "sqlx/20250101000000_create_a.up.sql": {
        "version": 20250101000000,
        "description": "create a",
        "success": True,
        "checksum": hashlib.sha384(CREATED.encode()).digest(),
        "execution_time": 0,
    },
    "diesel/2025-01-01-000000_create_a/up.sql": {"version": "20250101000000"},
    "refinery/V1__init.sql": {"version": 1, "name": "init", "checksum": "8162285565519835454"},
}
TIMES = {"finished_at", "started_at", "inserted_at", "installed_on", "tstamp", "applied_on"}


@pytest.mark.parametrize("path", DOCUMENTED)
def test_the_row_is_the_one_that_is_documented(path: str, tmp_path: Path, database: str) -> None:
    name, _, file = path.partition("/")
    kept = ledger.of(name)
    [found] = kept.layout.parse(tmp_path, tmp_path / file, CREATED)
    run(database, f"{kept.creation('public')}; {'; '.join(kept.record('public', found)[0])}")
    [row] = rows(database, "public", kept)
    assert {column: value for column, value in row.items() if column not in TIMES} == DOCUMENTED[path]
    assert all(value for column, value in row.items() if column in TIMES)


def test_entity_framework_gets_the_version_of_its_last_row(tmp_path: Path, database: str) -> None:
    kept = ledger.of("ef-core")
    run(database, kept.creation("public"))
    run(database, """INSERT INTO "__EFMigrationsHistory" VALUES ('20240101000000_Old', '9.0.1')""")
    [found] = kept.layout.parse(tmp_path, tmp_path / "20250101000000_CreateA.cs", "")
    run(database, kept.record("public", found)[0][0])
    assert rows(database, "public", kept)[1] == {"MigrationId": "20250101000000_CreateA", "ProductVersion": "9.0.1"}
