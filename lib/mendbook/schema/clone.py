"""A clone: the schema of a Snapshot, built again in a scratch database of the embedded server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from mendbook import embedded
from mendbook.errors import Surroundings
from mendbook.schema import definition, snapshot
from mendbook.schema.snapshot import Key, Snapshot
from mendbook.target import Identity, Target


@dataclass(frozen=True, kw_only=True, slots=True)
class Omission:
    """An object that the clone does not have, and why."""

    key: Key
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Clone:
    """A scratch database with the target's schema and no rows."""

    server: embedded.Server
    database: str
    schemas: tuple[str, ...]  # the target's effective search_path
    omissions: tuple[Omission, ...]

    @contextmanager
    def connect(self) -> Iterator[psycopg.Connection[Any]]:
        """An autocommit connection with the target's search_path."""
        target = Target(reference="the clone", _conninfo=self.server.conninfo(self.database))
        with target.connect() as conn:
            set_search_path(conn, self.schemas)
            yield conn

    @contextmanager
    def copy(self) -> Iterator[Clone]:
        """Another database with the same schema; nobody may be connected to this one."""
        with self.server.scratch(template=self.database) as name:
            yield Clone(server=self.server, database=name, schemas=self.schemas, omissions=self.omissions)

    def snapshot(self) -> Snapshot:
        """The schema as it is in the clone now."""
        target = Target(reference="the clone", _conninfo=self.server.conninfo(self.database))
        with target.reading() as conn:
            return snapshot.read(conn)


@contextmanager
def build(original: Snapshot, identity: Identity) -> Iterator[Clone]:
    """Build the clone of *original*, on the target's major version where it is installed, else on the newest."""
    majors = embedded.majors()
    server = embedded.server(major=identity.major if identity.major in majors else None)
    with server.scratch() as name:
        empty = Clone(server=server, database=name, schemas=identity.schemas, omissions=())
        with empty.connect() as conn:
            omissions = _run(conn, list(definition.script(original)))
        yield Clone(server=server, database=name, schemas=identity.schemas, omissions=omissions)


def set_search_path(conn: psycopg.Connection[Any], schemas: Sequence[str]) -> None:
    """Make the session of *conn* resolve names as the target does."""
    path = ", ".join(sql.Identifier(each).as_string(conn) for each in schemas)
    conn.execute("SELECT set_config('search_path', %s, false)", [path])


def _run(conn: psycopg.Connection[Any], script: list[tuple[Key, str]]) -> tuple[Omission, ...]:
    """Run a script whose statements may need one another in another order; return what could not be made.

    In batches first, since each is one round trip. What fails is tried again as long as that gets further: the order
    of classes does not know every dependency.
    """
    conn.execute("SET check_function_bodies = off")
    conn.execute("SET client_min_messages = error")
    failed: list[_Failure] = []
    for start in range(0, len(script), _BATCH):
        batch = script[start : start + _BATCH]
        try:
            conn.execute(";\n".join(statement for _, statement in batch))
        except psycopg.Error:
            failed += _each(conn, batch)
    pending = len(script) + 1
    while failed and len(failed) < pending:
        pending = len(failed)
        failed = _each(conn, [(failure.omission.key, failure.statement) for failure in failed])
    return tuple(failure.omission for failure in failed)


_BATCH = 200  # one transaction each: a whole large schema would need more locks than a server has room for


@dataclass(frozen=True, slots=True)
class _Failure:
    statement: str
    omission: Omission


def _each(conn: psycopg.Connection[Any], script: list[tuple[Key, str]]) -> list[_Failure]:
    """Run statement by statement; return those that failed."""
    failed = []
    for key, statement in script:
        try:
            conn.execute(statement)
        except psycopg.Error as error:
            if conn.closed:
                raise Surroundings(f"The embedded server ended while the clone was built: {error}") from None
            failed.append(_Failure(statement, Omission(key=key, reason=_reason(error))))
    return failed


def _reason(error: psycopg.Error) -> str:
    return error.diag.message_primary or str(error)
