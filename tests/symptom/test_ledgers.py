from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mendbook.symptom import ledgers

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


def test_every_framework_with_a_ledger_is_known() -> None:
    assert {"Prisma", "Sequelize", "numbered SQL files"} <= set(ledgers.known())
