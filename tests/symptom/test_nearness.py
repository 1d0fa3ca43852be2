from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mendbook.symptom import nearness

NEAR = [
    ("deletedAt", "deleted_at"),
    ("User", "users"),
    ("category", "categories"),
    ("addresses", "address"),
    ("form_id", "from_id"),
    ("expire_at", "expires_at"),
    ("recieved_at", "received_at"),
    ("socket_sesion", "socket_sessions"),
]
APART = [
    ("updated_at", "created_at"),
    ("login_at", "logout_at"),
    ("address1", "address2"),
    ("is_active", "is_archive"),
    ("accounts", "amounts"),
    ("id", "ip"),
    ("logs", "jobs"),
    ("orders", "orders"),
    ("Orders", "orders"),  # another case, which is told apart
]


@pytest.mark.parametrize(("wanted", "name"), NEAR)
def test_near(wanted: str, name: str) -> None:
    assert nearness.near(wanted, [name, "elsewhere"]) == [name]
    assert nearness.near(name, [wanted]) == [wanted]


@pytest.mark.parametrize(("wanted", "name"), APART)
def test_not_near(wanted: str, name: str) -> None:
    assert nearness.near(wanted, [name]) == []


def test_the_nearest_comes_first() -> None:
    names = ["user_session", "userSessions", "user_sessons", "sessions"]
    assert nearness.near("user_sessions", names) == ["userSessions", "user_session", "user_sessons"]


def test_the_tables_of_a_model() -> None:
    assert {"UserSession", "UserSessions", "user_session", "user_sessions"} <= nearness.tables("UserSession")
    assert "categories" in nearness.tables("Category")


@given(st.text(max_size=30), st.lists(st.text(max_size=30), max_size=5))
def test_any_names_can_be_compared(wanted: str, names: list[str]) -> None:
    assert set(nearness.near(wanted, names)) <= set(names) - {wanted}
    assert nearness.tables(wanted) >= {wanted}
