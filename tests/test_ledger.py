from __future__ import annotations

import hashlib
import json
import struct
import zlib
from pathlib import Path

import psycopg
import pytest
from mendbook import ledger
from mendbook.errors import Refused, Usage
from mendbook.frameworks import refinery
from mendbook.ledger import Entry, Ledger
from mendbook.migrations import Migration
from psycopg.rows import class_row

from tests.helpers import read, run

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
    if name == "ef_core":
        run(database, """INSERT INTO "a ""b"."__EFMigrationsHistory" VALUES ('0', '9.0.1')""")
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


FOLDERS = {
    "numbered": (["001_a.sql", "015_b.sql", "2_c.sql"], ["001_a.down.sql", "notes.sql", "old/003_d.sql"]),
    "prisma": (["20250101000000_init/migration.sql", "20250201000000_more/migration.sql"], ["migration_lock.toml"]),
    "sequelize": (["20250101-a.cjs", "20250102-b.js", "20250103-c.ts"], ["README.md", "a.d.ts"]),
    "knex": (["20250101000000_a.js", "20250102000000_b.ts"], ["a.d.ts", "b.sql"]),
    "node_pg_migrate": (["9_b.sql", "1700000000000_a.js"], [".hidden.js"]),
    "rails": (["20250101000000_add_a.rb", "20250102000000_add_b.rb"], ["schema.rb"]),
    "ecto": (["20250101000000_a.exs", "20250102000000_b.exs"], [".formatter.exs", "a.ex"]),
    "flyway": (["V1__a.sql", "V1_2__c.sql", "V1.10__b.sql", "R__views.sql"], ["U1__a.sql", "notes.sql"]),
    "ef_core": (["20250101000000_A.cs", "20250102000000_B.cs"], ["20250101000000_A.Designer.cs", "Snapshot.cs"]),
    "golang_migrate": (["2_a.up.sql", "10_b.up.sql"], ["2_a.down.sql", "x.sql"]),
    "goose": (["00002_a.sql", "00010_b.go"], ["00010_b_test.go", "x.sql"]),
    "dbmate": (["20250101000000_a.sql", "20250102000000_b.sql"], ["x.sql"]),
    "sqlx": (["2_a.sql", "10_b.up.sql"], ["10_b.down.sql"]),
    "diesel": (["2025-01-01-000000_a/up.sql", "2025-01-02-000000_b/up.sql"], ["2025-01-01-000000_a/down.sql"]),
    "refinery": (["V2__a.sql", "V10__b.rs"], ["mod.rs"]),
}


@pytest.mark.parametrize("name", FOLDERS)
def test_the_migrations_of_a_folder_come_in_the_order_in_which_they_run(name: str, tmp_path: Path) -> None:
    wanted, others = FOLDERS[name]
    for each in sorted((*wanted, *others)):
        (tmp_path / each).parent.mkdir(exist_ok=True)
        (tmp_path / each).write_text("SELECT 1;\n")
    found = ledger.of(name).migrations(tmp_path)
    assert [each.path.relative_to(tmp_path).as_posix() for each in found] == wanted
    assert [each.program for each in found] == [not each.endswith(".sql") for each in wanted]


@pytest.mark.parametrize(
    ("name", "file", "recorded"),
    [
        ("goose", "00002_a.sql", "2"),
        ("golang_migrate", "000010_b.up.sql", "10"),
        ("diesel", "2025-01-01-000000_a/up.sql", "20250101000000"),
        ("django", "shop/migrations/0002_total.py", "shop.0002_total"),
        ("node_pg_migrate", "1700000000000_a.sql", "1700000000000_a"),
        ("typeorm", "1700000000000-AddA.ts", "AddA1700000000000"),
        ("flyway", "orders/V2__total.sql", "orders/V2__total.sql"),
    ],
)
def test_a_migration_is_called_what_its_tool_records(name: str, file: str, recorded: str, tmp_path: Path) -> None:
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text("")
    assert [each.name for each in ledger.of(name).migrations(tmp_path)] == [recorded]


def test_the_class_of_typeorm_decides(tmp_path: Path) -> None:
    (tmp_path / "1700000000000-a.ts").write_text("export class Renamed1700000000001 implements MigrationInterface {}")
    assert [each.name for each in ledger.of("typeorm").migrations(tmp_path)] == ["Renamed1700000000001"]


def test_a_list_decides_which_there_are_and_in_which_order(tmp_path: Path) -> None:
    (tmp_path / "meta").mkdir()
    listed = [{"when": 9, "tag": "0000_b"}, {"when": 10, "tag": "0001_a"}]
    (tmp_path / "meta" / "_journal.json").write_text(json.dumps({"entries": listed}))
    for each in ("0000_b", "0001_a", "0002_unlisted"):
        (tmp_path / f"{each}.sql").write_text(f"SELECT '{each}'")
    found = ledger.of("drizzle").migrations(tmp_path)
    assert [(each.name, each.title, each.text) for each in found] == [
        ("9", "0000_b.sql", "SELECT '0000_b'"),
        ("10", "0001_a.sql", "SELECT '0001_a'"),
    ]


def test_a_journal_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "meta").mkdir()
    (tmp_path / "meta" / "_journal.json").write_text("[]")
    with pytest.raises(Usage, match=r"_journal\.json is none that drizzle-kit writes"):
        ledger.of("drizzle").migrations(tmp_path)


def test_the_plan_of_sqitch_is_read(tmp_path: Path) -> None:
    plan = "%syntax-version=1.0.0\n%project=shop\n\nusers 2025-01-01T00:00:00Z Kim <kim@example.org> # Users.\n"
    plan += (
        "orders [users] 2025-01-02T00:00:00Z Kim <kim@example.org>\n@v1 2025-01-03T00:00:00Z Kim <kim@example.org>\n"
    )
    (tmp_path / "sqitch.plan").write_text(plan)
    (tmp_path / "deploy").mkdir()
    for each in ("users", "orders", "unplanned"):
        (tmp_path / "deploy" / f"{each}.sql").write_text("SELECT 1;")
    found = ledger.of("sqitch").migrations(tmp_path)
    assert [(each.name, each.title) for each in found] == [
        ("users", "deploy/users.sql"),
        ("orders", "deploy/orders.sql"),
    ]


def test_the_changesets_of_a_formatted_changelog_are_read(tmp_path: Path) -> None:
    (tmp_path / "changelog.sql").write_text(
        "--liquibase formatted sql\n\n--changeset kim:1 splitStatements:false\nSELECT 1;\n--changeset kim:two\n"
    )
    assert [each.name for each in ledger.of("liquibase").migrations(tmp_path)] == ["kim:1", "kim:two"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("goose", "-- +goose Up\nSELECT 1;\n-- +goose Down\nSELECT 2;\n"),
        ("dbmate", "-- migrate:up transaction:false\nSELECT 1;\n\n-- migrate:down\nSELECT 2;\n"),
        ("node_pg_migrate", "-- Up Migration\nSELECT 1;\n-- Down Migration\nSELECT 2;\n"),
    ],
)
def test_of_one_file_for_both_directions_the_forward_part_runs(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / "1_a.sql").write_text(text)
    assert [each.text.strip() for each in ledger.of(name).migrations(tmp_path)] == ["SELECT 1;"]


REVISION = 'raise SystemExit("a migration is read, never run")\nrevision: str = "{}"\ndown_revision: str | None = {}\n'


def test_revisions_of_alembic_come_after_those_they_revise(tmp_path: Path) -> None:
    for name, before in (("a9", None), ("b1", "a9"), ("c0", "a9"), ("a0", ("b1", "c0"))):
        (tmp_path / f"{name}_x.py").write_text(REVISION.format(name, repr(before)))
    (tmp_path / "env.py").write_text("revision = 'no'")
    (tmp_path / "broken.py").write_text("def")
    kept = ledger.of("alembic")
    found = kept.migrations(tmp_path)
    assert [each.name for each in found] == ["a9", "b1", "c0", "a0"]
    at_b1 = [Entry(name="b1", state="done", at=None, checksum=None)]
    assert kept.done(at_b1, found) == {"a9", "b1"}


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


def test_migrations_in_a_circle_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(REVISION.format("a", "'b'"))
    (tmp_path / "b.py").write_text(REVISION.format("b", "'a'"))
    with pytest.raises(Usage, match=r"in a circle: (a → b → a|b → a → b)"):
        ledger.of("alembic").migrations(tmp_path)


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


def test_flyway_counts_what_ran_as_a_migration(database: str) -> None:
    kept = ledger.of("flyway")
    run(database, kept.creation("public"))
    baseline = "(1, '1', '<< Flyway Baseline >>', 'BASELINE', '<< Flyway Baseline >>', NULL, 'kim', now(), 0, true)"
    failed = "(2, '2', 'total', 'SQL', 'V2__total.sql', 7, 'kim', now(), 3, false)"
    run(database, f"INSERT INTO flyway_schema_history VALUES {baseline}, {failed}")
    assert [(entry.name, entry.state, entry.checksum) for entry in entries(database, kept)] == [
        ("V2__total.sql", "failed", "7")
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
