"""A target that cannot be opened, each for a reason of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator

import psycopg
import pytest
from mendbook import embedded
from mendbook.errors import UnreadableTarget, WrongTarget
from mendbook.symptom import unreachable
from psycopg.conninfo import conninfo_to_dict, make_conninfo


@pytest.fixture
def role(server: embedded.Server) -> Iterator[str]:
    name = f"app_{os.urandom(4).hex()}"
    with psycopg.connect(server.conninfo(), autocommit=True) as conn:
        conn.execute(f"CREATE ROLE {name} LOGIN CONNECTION LIMIT 0")
        yield name
        conn.execute(f"DROP ROLE {name}")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"user": "{role}"}, "Every connection that its role may have is in use"),
        ({"dbname": "no such"}, "has no database of that name"),
        ({"user": "no such"}, "does not let this role in"),
        ({"host": "127.0.0.1", "port": "1"}, "Nothing takes connections there"),
    ],
    ids=["no connection is left", "no database", "no role", "nobody listens"],
)
def test_the_reason_leads_to_what_to_do(
    change: dict[str, str], said: str, role: str, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {name: value.format(role=role) for name, value in change.items()}
    monkeypatch.setenv("SHOP", make_conninfo(database, **given))
    with pytest.raises(UnreadableTarget, match=rf"(?s)^The target env:SHOP cannot be opened.*{said}"):
        unreachable.opened("env:SHOP")


def test_a_target_that_opens_is_opened(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP", database)
    name = str(conninfo_to_dict(database)["dbname"])
    assert unreachable.opened("env:SHOP", expected_database=name)[1].database == name
    with pytest.raises(WrongTarget):
        unreachable.opened("env:SHOP", expected_database="another")
