"""A clone: the schema of a Snapshot, built again in a scratch database of the embedded server."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from mendbook import embedded
from mendbook.errors import Surroundings
from mendbook.schema import ddl, privileges, snapshot
from mendbook.schema.key import Key
from mendbook.schema.objects import DefaultPrivilege, Grant, Other, Setting
from mendbook.schema.relations import Policy
from mendbook.schema.snapshot import Snapshot
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
    role: str  # the target's
    schemas: tuple[str, ...]  # the target's effective search_path
    search_path: str | None  # the setting of the role in the target's database, where there is one
    omissions: tuple[Omission, ...]

    @contextmanager
    def connect(self) -> Iterator[psycopg.Connection[Any]]:
        """An autocommit connection with the target's search_path, or what a plan made of it."""
        target = Target(reference="the clone", _conninfo=self.server.conninfo(self.database))
        with target.connect() as conn:
            path = ", ".join(sql.Identifier(each).as_string(conn) for each in self.schemas)
            row = conn.execute(_SEARCH_PATH, {"role": self.role, "was": self.search_path}).fetchone()
            conn.execute("SELECT set_config('search_path', %s, false)", [row[0] if row else path])
            yield conn

    @contextmanager
    def copy(self) -> Iterator[Clone]:
        """Another database with the same schema; nobody may be connected to this one."""
        with self.server.scratch(template=self.database) as name:
            # Settings belong to a database's name, so that a copy has none.
            copied = replace(self, database=name)
            with copied.connect() as conn:
                for setting in self._settings():
                    conn.execute(privileges.setting(setting).encode())
            yield copied

    def _settings(self) -> list[Setting]:
        return [each for each in self.snapshot().objects.values() if isinstance(each, Setting)]

    def snapshot(self) -> Snapshot:
        """The schema as it is in the clone now."""
        target = Target(reference="the clone", _conninfo=self.server.conninfo(self.database))
        with target.reading() as conn:
            return snapshot.read(conn)

    def add_roles(self, names: Iterable[str]) -> None:
        """Make roles that grants and policies name, where the clone's server has none of that name."""
        with self.connect() as conn:
            for name in filter(None, dict.fromkeys(names)):
                with suppress(psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
                    conn.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(name)))


_SEARCH_PATH: LiteralString = """
SELECT substr(v, length('search_path=') + 1)
FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole, unnest(s.setconfig) v
WHERE s.setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND r.rolname = %(role)s AND v LIKE 'search_path=%%'
  AND substr(v, length('search_path=') + 1) IS DISTINCT FROM %(was)s
"""


@contextmanager
def build(original: Snapshot, identity: Identity) -> Iterator[Clone]:
    """Build the clone of *original*, on the target's major version where it is installed, else on the newest."""
    majors = embedded.majors()
    server = embedded.server(major=identity.major if identity.major in majors else None)
    setting = original.objects.get(Key("setting", "", identity.role, "search_path"))
    with server.scratch() as name:
        empty = Clone(
            server=server,
            database=name,
            role=identity.role,
            schemas=identity.schemas,
            search_path=setting.value if isinstance(setting, Setting) else None,
            omissions=(),
        )
        empty.add_roles([identity.role, *roles(original)])
        with empty.connect() as conn:
            if Key("schema", "", "public") not in original.objects:
                conn.execute("DROP SCHEMA public")
            omissions = _run(conn, list(ddl.script(original)))
        named = (
            Omission(key=key, reason=_NOT_READ) for key, each in original.objects.items() if isinstance(each, Other)
        )
        yield replace(empty, omissions=(*omissions, *named))


_NOT_READ = "objects of its kind are named, and their definitions are not read"


def roles(original: Snapshot) -> Iterator[str]:
    """The roles that grants, policies and settings name; PUBLIC is everybody."""
    for item in original.objects.values():
        match item:
            case Grant():
                yield item.grantee
            case DefaultPrivilege():
                yield from (item.role, item.grantee)
            case Policy():
                yield from item.roles
            case Setting():
                yield item.role


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
