from __future__ import annotations

import hashlib
import pkgutil
from pathlib import Path

import psycopg
import pytest
from mendbook import frameworks, ledger
from mendbook.errors import Usage
from mendbook.ledger import Ledger

from tests.helpers import read, run


def _keeps_ledger(name: str) -> bool:
    try:
        return bool(ledger.of(name))
    except Usage:
        return False


LEDGERS = [found.name for found in pkgutil.iter_modules(frameworks.__path__) if _keeps_ledger(found.name)]
HOSTILE = '2025\'; DROP TABLE users; --\n"ä".sql'


@pytest.mark.parametrize("name", LEDGERS)
def test_a_migration_is_recorded_and_the_record_taken_back(name: str, database: str) -> None:
    kept = ledger.of(name)
    run(database, 'CREATE SCHEMA "a ""b"')
    run(database, kept.creation('a "b'))
    insert, delete = kept.record('a "b', HOSTILE, "SELECT 1")
    with psycopg.connect(database, autocommit=True) as conn:
        assert conn.execute(kept.select('a "b')).fetchall() == []
        conn.execute(insert.encode())
        assert conn.execute(kept.select('a "b')).fetchall() == [(HOSTILE,)]
        conn.execute(delete.encode())
        assert conn.execute(kept.select('a "b')).fetchall() == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("numbered", ["001_a.sql", "015_b.sql", "2_c.sql"]),
        ("prisma", ["20250101000000_init", "20250201000000_more"]),
        ("sequelize", ["20250101-a.cjs", "20250102-b.js", "20250103-c.ts"]),
    ],
)
def test_the_migrations_of_a_folder_come_in_the_order_of_their_names(
    name: str, expected: list[str], tmp_path: Path
) -> None:
    files = ["015_b.sql", "001_a.sql", "2_c.sql", "001_a.down.sql", "notes.sql", "old/003_d.sql"]
    files += ["20250201000000_more/migration.sql", "20250101000000_init/migration.sql", "migration_lock.toml"]
    files += ["20250103-c.ts", "20250101-a.cjs", "20250102-b.js", "README.md"]
    for each in files:
        (tmp_path / each).parent.mkdir(exist_ok=True)
        (tmp_path / each).write_text("SELECT 1;\n")
    found = ledger.of(name).migrations(tmp_path)
    assert [each.name for each in found] == expected
    assert all(each.program == (name == "sequelize") for each in found)


def test_prisma_finds_its_own_row(database: str, tmp_path: Path) -> None:
    """The row is the one that `prisma migrate deploy` leaves, its checksum over the bytes of the file."""
    (tmp_path / "1_init").mkdir()
    content = b"-- CreateTable\r\nCREATE TABLE t ();\r\n"
    (tmp_path / "1_init" / "migration.sql").write_bytes(content)
    kept = ledger.of("prisma")
    [migration] = kept.migrations(tmp_path)
    run(database, kept.creation("public"))
    insert, _ = kept.record("public", migration.name, migration.text)
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
    failed = (
        "INSERT INTO _prisma_migrations (id, checksum, migration_name, rolled_back_at) VALUES ('1', 'c', 'init', {})"
    )
    insert, delete = kept.record("public", "init", "SELECT 1")
    run(database, failed.format("now()"))
    with psycopg.connect(database, autocommit=True) as conn:
        assert conn.execute(kept.select("public")).fetchall() == []
        conn.execute(insert.encode())
        conn.execute(delete.encode())
        assert conn.execute("SELECT id FROM _prisma_migrations").fetchall() == [("1",)]


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


def test_every_ledger_is_one() -> None:
    assert all(isinstance(ledger.of(name), Ledger) for name in LEDGERS)
    assert {"numbered", "prisma", "sequelize"} <= set(LEDGERS)
