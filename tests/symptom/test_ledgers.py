from __future__ import annotations

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mendbook.symptom import ledgers
from mendbook.symptom.facts import LedgerTable

from tests.helpers import run

SPEAKS = [
    ("20250528120001-add-deletedat-column.cjs", "deletedAt", "sessions"),
    ("20250101-add-deletedAt-to-users.js", "deleted_at", "users"),
    ("AddDeletedAtToSessions1700000000000", "deleted_at", "Session"),
    ("0002_users_on_hold", "on_hold", "users"),
    ("1_add_updated_at_to_socket_sessions.up.sql", "updated_at", "socket_sessions"),
    ("003_create_user_sessions.sql", "user_sessions", None),
    ("20240101120000_create_users", "User", None),
    ("7_add_address2", "address2", "customers"),
]
SILENT = [
    ("20250101-add-deletedAt-to-users.js", "deletedAt", "sessions"),
    ("003_create_user_sessions.sql", "user", None),
    ("003_create_user_sessions.sql", "sessions", None),
    ("20240101120000_init", "User", None),
    ("9_drop_orders", "orders", None),
    ("", "orders", None),
]


@pytest.mark.parametrize(("migration", "name", "table"), SPEAKS)
def test_a_migration_speaks_of(migration: str, name: str, table: str | None) -> None:
    assert ledgers.speaks_of(migration, name, table)


@pytest.mark.parametrize(("migration", "name", "table"), SILENT)
def test_a_migration_does_not_speak_of(migration: str, name: str, table: str | None) -> None:
    assert not ledgers.speaks_of(migration, name, table)


@given(st.text(), st.text(), st.none() | st.text())
def test_any_names_can_be_asked_for(migration: str, name: str, table: str | None) -> None:
    assert ledgers.speaks_of(migration, name, table) in (True, False)


@pytest.mark.parametrize(
    ("table", "columns", "said"),
    [
        ("SequelizeMeta", {"id": "text"}, ""),
        ("schema_migrations", {"version": "bigint", "dirty": "boolean"}, "(golang-migrate) stands at 7"),
        ("schema_migrations", {"version": "text"}, "(dbmate or Ruby on Rails) records 1 as done, the last of them 7"),
        (
            "schema_migrations",
            {"version": "bigint", "inserted_at": "text"},
            "(Ecto) records 1 as done, the last of them 7",
        ),
    ],
)
def test_a_ledger_is_told_by_its_columns(database: str, table: str, columns: dict[str, str], said: str) -> None:
    defined = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    first = next(iter(columns))
    run(database, f"""CREATE TABLE "{table}" ({defined}); INSERT INTO "{table}" ({first}) VALUES ('7')""")
    run(database, f"UPDATE {table} SET dirty = false" if "dirty" in columns else "")
    kept = LedgerTable(schema="public", name=table, readable=True, columns=list(columns))
    with psycopg.connect(database) as conn:
        records = ledgers.read(conn, [kept])
    assert [str(each) for each in records] == ([f"public.{table} {said}"] if said else [])
