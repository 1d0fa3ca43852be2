"""`Facts`: what the checks of a proof need to know of a live database, read in one round trip.

The queries stand in ``facts.sql``. What this role may not read is None, and never an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, get_args, get_type_hints

import psycopg
from psycopg.rows import class_row

from mendbook import lexer
from mendbook.errors import Surroundings
from mendbook.symptom import statements


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """What this session runs with."""

    path: str  # search_path, as set now
    reset_path: str | None  # what the session began with: RESET would bring it back
    role: str  # current_user
    login: str  # session_user, whose settings are in force
    standby: bool
    replay_paused: bool  # on a standby
    behind: int | None  # bytes received and not replayed; None on a primary and where nothing is streamed
    read_only: bool  # default_transaction_read_only
    read_only_source: str | None  # pg_settings.source of it: "database", "user", "session" …

    def schemas(self, path: str) -> tuple[str, ...]:
        """The schemas that a search_path names, folded, with "$user" resolved."""
        words = [token for token in lexer.tokens(path) if token.kind in ("word", "quoted")]
        names = [statements.fold(token.text) for token in words]
        return tuple(self.role if name == "$user" else name for name in names if name)


@dataclass(frozen=True, kw_only=True, slots=True)
class Configured:
    """A setting that ALTER ROLE or ALTER DATABASE made."""

    name: str
    value: str
    of_role: bool
    of_database: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Named:
    """An object of the catalog."""

    kind: str  # table, view, sequence, index, function, type, schema, database
    schema: str  # empty for schemas and databases
    name: str
    detail: str  # the argument types of a function
    owner: str
    by_superuser: bool  # its owner is one
    visible: bool  # without its schema, in this session
    usable: bool  # this role may use its schema; of a schema or database, that itself

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts of its qualified name."""
        return (self.schema, self.name) if self.schema else (self.name,)

    def __str__(self) -> str:
        from mendbook.symptom.finding import written

        return written(*self.parts) + (f"({self.detail})" if self.kind in ("function", "procedure") else "")


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """A column of a table or view."""

    schema: str
    table: str
    name: str
    type: str
    not_null: bool
    default: str | None
    generated: bool  # as identity or from an expression


@dataclass(frozen=True, kw_only=True, slots=True)
class Labels:
    """The labels of an enum type, in order."""

    schema: str
    name: str
    labels: list[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Constraint:
    """A constraint of a table."""

    schema: str
    table: str
    name: str
    definition: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Index:
    """A unique index."""

    schema: str
    table: str
    name: str
    definition: str
    valid: bool
    whole: bool  # over plain columns, and without a WHERE
    columns: list[str] | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Keyword:
    """A reserved word."""

    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Extension:
    """An extension that the server could install."""

    name: str
    installed: bool  # in this database


@dataclass(frozen=True, kw_only=True, slots=True)
class LedgerTable:
    """A table that has the name of a migration ledger."""

    schema: str
    name: str
    readable: bool
    columns: list[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Privilege:
    """One privilege of this role on one object."""

    kind: str  # table (views too), sequence, schema, function, type, database
    schema: str
    name: str
    owner: str
    owned: bool  # this role is the owner, or a member of it
    row_security: bool
    privilege: str
    granted: bool
    columns: list[str] | None  # where it is not granted on the table: those on which it is


@dataclass(frozen=True, kw_only=True, slots=True)
class Role:
    """A role."""

    name: str
    can_login: bool
    expired: bool | None  # rolvaliduntil is over; None: it has no end
    limit: int  # connections; -1: none


@dataclass(frozen=True, kw_only=True, slots=True)
class Server:
    """The limits of the server, and of this database and login on it."""

    maximum: int  # max_connections
    reserved: int  # of them for superusers and pg_use_reserved_connections
    database_limit: int  # -1: none
    role_limit: int  # -1: none
    up: float  # seconds since the server started
    sees_all: bool  # this role sees what other roles' sessions do


@dataclass(frozen=True, kw_only=True, slots=True)
class Sessions:
    """Client sessions that are alike; texts are empty where this role may not see them."""

    database: str
    role: str
    application: str
    state: str
    count: int
    longest: float | None  # seconds in this state


@dataclass(frozen=True, kw_only=True, slots=True)
class Blocker:
    """A session that others wait for."""

    pid: int  # 0: a prepared transaction
    role: str
    application: str
    state: str
    open: float | None  # seconds that its transaction is open
    blocks: list[int]  # pids


@dataclass(frozen=True, kw_only=True, slots=True)
class Holder:
    """A lock that a session holds on a table."""

    pid: int  # 0: a prepared transaction
    role: str
    application: str
    state: str
    open: float | None
    schema: str
    table: str
    mode: str  # as pg_locks has it


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """Rows by query; None is what was not asked, or what this role may not read."""

    settings: tuple[Settings, ...] | None = None
    configured: tuple[Configured, ...] | None = None
    relations: tuple[Named, ...] | None = None
    columns: tuple[Column, ...] | None = None
    functions: tuple[Named, ...] | None = None
    types: tuple[Named, ...] | None = None
    labels: tuple[Labels, ...] | None = None
    schemas: tuple[Named, ...] | None = None
    databases: tuple[Named, ...] | None = None
    constraints: tuple[Constraint, ...] | None = None
    indexes: tuple[Index, ...] | None = None
    keywords: tuple[Keyword, ...] | None = None
    extensions: tuple[Extension, ...] | None = None
    ledgers: tuple[LedgerTable, ...] | None = None
    privileges: tuple[Privilege, ...] | None = None
    roles: tuple[Role, ...] | None = None
    server: tuple[Server, ...] | None = None
    sessions: tuple[Sessions, ...] | None = None
    blockers: tuple[Blocker, ...] | None = None
    holders: tuple[Holder, ...] | None = None


# The class of each query's rows, as Facts declares it.
_ROWS = {name: get_args(get_args(hint)[0])[0] for name, hint in get_type_hints(Facts).items()}


def read(conn: psycopg.Connection[Any], names: Iterable[str], values: Mapping[str, Any]) -> Facts:
    """Ask the queries called *names* inside the transaction that is open on *conn*; it stays usable.

    *values* are the parameters of the queries. Raises `Surroundings` if the connection is lost.
    """
    asked = list(names)
    queries = [(_queries()[name], values, _ROWS[name]) for name in asked]
    return Facts(**dict(zip(asked, ask(conn, queries), strict=True)))


Query = tuple[Any, Mapping[str, Any], type]


def ask(conn: psycopg.Connection[Any], queries: Sequence[Query]) -> list[tuple[Any, ...] | None]:
    """Return the rows of each query, None for one that the server refuses.

    All go out together. Only where one of them fails are they asked again, each on its own.
    """
    rows = _together(conn, queries)
    return rows if rows is not None else [found[0] if (found := _together(conn, [each])) else None for each in queries]


def _together(conn: psycopg.Connection[Any], queries: Sequence[Query]) -> list[tuple[Any, ...] | None] | None:
    try:
        with conn.pipeline():
            conn.execute("SAVEPOINT facts")
            cursors: list[psycopg.Cursor[Any]] = [
                conn.cursor(row_factory=class_row(row)).execute(sql, values) for sql, values, row in queries
            ]
            conn.execute("RELEASE facts")
        return [tuple(cursor.fetchall()) for cursor in cursors]
    except psycopg.Error as error:
        if conn.closed:
            raise Surroundings(
                "The connection to the target was lost while the error was being proven; nothing was changed. "
                "Run this again."
            ) from error
        conn.execute("ROLLBACK TO facts")
        return None


@cache
def _queries() -> dict[str, bytes]:
    text = resources.files("mendbook.symptom").joinpath("facts.sql").read_text(encoding="utf-8")
    parts = re.split(r"^-- name: (\w+)\n", text, flags=re.MULTILINE)
    return {name: query.encode() for name, query in zip(parts[1::2], parts[2::2], strict=True)}
