"""What tests of the wing `schema` share, and the roles that its schemas name."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from mendbook import embedded

from tests.helpers import fingerprint, run

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


@pytest.fixture(scope="module")
def listening() -> Iterator[str]:
    """The connection string of a database on a server that has a network."""
    server = embedded.start(tcp=True)
    run(server.conninfo(), "CREATE TABLE production ()")
    yield server.conninfo()
    server.stop()


@pytest.fixture
def production(listening: str) -> Iterator[str]:
    """A database that applications lead to; the test fails where anything was changed there."""
    before = fingerprint(listening)
    yield listening
    assert fingerprint(listening) == before
