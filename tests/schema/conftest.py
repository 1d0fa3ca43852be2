"""What tests of the wing `schema` share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from mendbook import embedded

from tests.helpers import fingerprint, run


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
