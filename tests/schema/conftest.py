"""The roles that the schemas of these tests name."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from mendbook import embedded

ROLES = ("reader", "Häfen writer", 'app"owner')


@pytest.fixture(scope="session", autouse=True)
def roles(server: embedded.Server) -> Iterator[None]:
    """Roles with unusual names, for this session alone."""
    named = [psycopg.sql.Identifier(each) for each in ROLES]
    with psycopg.connect(server.conninfo(), autocommit=True) as conn:
        for each in named:
            conn.execute(psycopg.sql.SQL("CREATE ROLE {}").format(each))
        yield
        for each in named:
            conn.execute(psycopg.sql.SQL("DROP ROLE {}").format(each))
