"""A real PostgreSQL for every test that wants one."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import psycopg
import pytest
from mendbook import embedded


@pytest.fixture(scope="session")
def server() -> embedded.Server:
    """The throw-away server of this test process."""
    return embedded.server()


@pytest.fixture
def database(server: embedded.Server) -> Iterator[str]:
    """The connection string of an empty database of this test's own."""
    with server.scratch() as dbname:
        yield server.conninfo(dbname)


@pytest.fixture
def make_database(server: embedded.Server) -> Iterator[Callable[[str], str]]:
    """Make databases by running SQL; each call returns the connection string of a new one."""
    with contextlib.ExitStack() as databases:

        def make(statements: str = "") -> str:
            conninfo = server.conninfo(databases.enter_context(server.scratch()))
            with psycopg.connect(conninfo, autocommit=True) as connection:
                connection.execute(statements)
            return conninfo

        yield make
