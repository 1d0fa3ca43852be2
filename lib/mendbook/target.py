"""A database by reference, and the only place that opens connections to one.

A reference never holds a secret: ``env:NAME``, ``service:NAME``, ``embedded:NAME``, or a URL without a password
(the password then comes from ``PGPASSWORD`` or the password file, as with psql).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from typing import Any, LiteralString
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import psycopg
from psycopg import conninfo, pq, sql
from psycopg.rows import class_row

from mendbook import redaction
from mendbook.errors import UnreadableTarget, Usage, WrongTarget

READ_TIMEOUT_MS = 60_000
LOCK_TIMEOUT_MS = 2_000
CONNECT_TIMEOUT_S = 10

_REFERENCE = re.compile(r"(?P<scheme>env|service|embedded):(?P<name>.*)", re.DOTALL)
_URL = re.compile(r"postgres(?:ql)?(?:\+\w+)?://", re.IGNORECASE)

# pg_control_system() is open to all by default; where it was closed, the identity is weaker and still useful.
_IDENTITY: LiteralString = """
SELECT current_setting('server_version') AS server_version,
       current_setting('server_version_num')::int AS version_num,
       CASE WHEN has_function_privilege('pg_control_system()', 'EXECUTE')
            THEN (SELECT system_identifier::text FROM pg_control_system()) ELSE '' END AS system_identifier,
       current_database()::text AS database,
       current_user::text AS role,
       current_setting('search_path') AS search_path,
       array_to_json(current_schemas(false))::text AS schemas,
       pg_is_in_recovery() AS standby,
       current_setting('default_transaction_read_only')::bool AS read_only,
       pg_database_size(current_database()) AS size,
       pg_backend_pid() AS backend_pid
"""

_PRIMARY: LiteralString = "SELECT sender_host, sender_port FROM pg_stat_wal_receiver"


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """Which database this is, as the server itself says."""

    server_version: str  # as `SHOW server_version` prints it
    version_num: int  # 150018 for 15.18
    system_identifier: str  # of the cluster, from initdb; empty where the role may not read it
    host: str  # host name, address or socket directory
    port: int
    database: str
    role: str  # current_user
    search_path: str  # the setting
    schemas: tuple[str, ...]  # the schemas it resolves to now, in order
    standby: bool  # in recovery: cannot be changed
    read_only: bool  # default_transaction_read_only
    encrypted: bool  # the connection uses TLS
    pooled: bool  # a pooler stands between: the backend is not the one that was greeted
    size: int  # bytes

    @property
    def major(self) -> int:
        """The major version: 15 for 15.18."""
        return self.version_num // 10_000

    def proof(self) -> dict[str, str]:
        """What an approval holds on to: another server, database or role is another target."""
        return {"system": self.system_identifier, "database": self.database, "role": self.role}

    def facts(self) -> list[tuple[str, str]]:
        """(label, value) pairs, for people."""
        return [
            (
                "server",
                f"PostgreSQL {self.server_version}, " + ("standby (read-only)" if self.standby else "primary"),
            ),
            ("host", f"{self.host}:{self.port}"),
            ("database", f"{self.database} ({self.size / 1_048_576:.1f} MB)"),
            ("role", self.role + (", read-only by default" if self.read_only else "")),
            ("search_path", f"{self.search_path}  →  {', '.join(self.schemas) or 'no schema'}"),
            (
                "connection",
                ("TLS" if self.encrypted else "not encrypted") + (", through a pooler" if self.pooled else ""),
            ),
        ]

    def _repr_html_(self) -> str:
        from mendbook import render

        return render.facts_html(self.facts())

    def __str__(self) -> str:
        from mendbook import render

        return render.facts_text(self.facts())


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """A database that can be opened."""

    reference: str  # as the user named it: holds no secret
    _conninfo: str = field(repr=False)  # resolved; may hold a password, so it is never shown

    def connect(self, **overrides: Any) -> psycopg.Connection[Any]:
        """Open an autocommit connection; errors are `UnreadableTarget`, without secrets.

        Server-side prepared statements are off (``prepare_threshold=None``): behind a transaction pooler they
        would end up on another backend.
        """
        try:
            # Names are text: of an SQL_ASCII database psycopg would otherwise return bytes.
            options = {
                "application_name": "mendbook",
                "client_encoding": "UTF8",
                "connect_timeout": CONNECT_TIMEOUT_S,
                **overrides,
            }
            return psycopg.connect(
                conninfo.make_conninfo(self._conninfo, **options), autocommit=True, prepare_threshold=None
            )
        except psycopg.Error as error:
            reason = redaction.scrub(str(error).strip())
        raise UnreadableTarget(
            f"The target {self.reference} cannot be opened; nothing was changed.\n{reason}\n"
            f"Check that the server runs and that psql can connect with the same settings, then run this again."
        )

    @contextmanager
    def reading(self) -> Iterator[psycopg.Connection[Any]]:
        """Open one consistent, read-only transaction with time limits."""
        with self.connect() as conn, read_only(conn):
            yield conn

    def identity(self) -> Identity:
        """Ask the server who it is."""
        with self.reading() as conn:
            return identify(conn)


@contextmanager
def read_only(conn: psycopg.Connection[Any]) -> Iterator[None]:
    """Run the block in one REPEATABLE READ, READ ONLY transaction of *conn*, with time limits."""
    conn.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    try:
        limit(conn, statement_ms=READ_TIMEOUT_MS, lock_ms=LOCK_TIMEOUT_MS)
        yield
    finally:
        if not conn.closed:
            conn.execute("ROLLBACK")


def limit(conn: psycopg.Connection[Any], *, statement_ms: int, lock_ms: int) -> None:
    """Set both timeouts for the transaction that is open on *conn*, and for it alone."""
    conn.execute(
        "SELECT set_config('statement_timeout', %s, true), set_config('lock_timeout', %s, true)",
        [str(statement_ms), str(lock_ms)],
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Answer:
    server_version: str
    version_num: int
    system_identifier: str
    database: str
    role: str
    search_path: str
    schemas: str
    standby: bool
    read_only: bool
    size: int
    backend_pid: int


def identify(conn: psycopg.Connection[Any]) -> Identity:
    """Return the `Identity` of the server behind *conn*."""
    import json

    with conn.cursor(row_factory=class_row(_Answer)) as cursor:
        answer = cursor.execute(_IDENTITY).fetchone()
    assert answer is not None  # noqa: S101  one row by construction
    said = {item.name: getattr(answer, item.name) for item in fields(answer)}
    greeted = said.pop("backend_pid")
    said["schemas"] = tuple(json.loads(said["schemas"]))
    info = conn.info
    return Identity(
        **said,
        host=info.host or info.hostaddr,
        port=info.port,
        encrypted=conn.pgconn.ssl_in_use,
        pooled=info.backend_pid != greeted,
    )


def open_target(reference: str, *, expected_database: str = "") -> tuple[Target, Identity]:
    """Resolve *reference*, connect, and prove which database it is.

    Raises `Usage` for a reference that cannot be understood, `UnreadableTarget` for a database that cannot be
    opened, `WrongTarget` where *expected_database* is another.
    """
    target = resolve(reference)
    identity = target.identity()
    if expected_database and identity.database != expected_database:
        raise WrongTarget(
            f"{reference} is the database {identity.database!r}, and {expected_database!r} was expected; nothing was "
            f"changed. Point the target at {expected_database!r}, or leave expected_database out."
        )
    return target, identity


def require_primary(target: Target, identity: Identity) -> None:
    """Raise `WrongTarget` for a database that cannot be changed, with its primary named where it is known."""
    if identity.standby:
        with target.reading() as conn:
            row = conn.execute(_PRIMARY).fetchone()
        where = f" Its primary is {row[0]}:{row[1]}." if row and row[0] else ""
        raise WrongTarget(f"{target.reference} is a standby, so it cannot be changed.{where} Run this on the primary.")


def resolve(reference: str) -> Target:
    """Turn a reference into a `Target` without connecting; raises `Usage` with the way out."""
    match = _REFERENCE.fullmatch(reference)
    if match:
        found = {"env": _from_env, "service": _from_service, "embedded": _from_embedded}[match["scheme"]](match["name"])
    elif _URL.match(reference):
        found = _from_url(reference)
    else:
        raise Usage(
            f"{redaction.scrub(reference)!r} is not a target. Name one as env:DATABASE_URL (a variable that holds the "
            f"URL), service:NAME (a section of pg_service.conf), embedded:NAME (a server that Mendbook runs), or a "
            f"URL without a password."
        )
    _remember(found)
    return Target(reference=reference, _conninfo=found)


def _from_env(name: str) -> str:
    value = os.environ.get(name, "").strip()
    if not value:
        raise Usage(f"The environment variable {name!r} is not set or empty. Set it to the database's URL.")
    return _libpq(value, f"the value of {name}")


def _from_service(name: str) -> str:
    if not name:
        raise Usage("service: wants the name of a section of pg_service.conf, as in service:orders.")
    return conninfo.make_conninfo(service=name)


def _from_embedded(name: str) -> str:
    from mendbook import embedded

    server = embedded.server("mendbook")
    database = name or "demo"
    with Target(reference="embedded:", _conninfo=server.conninfo()).connect() as conn:
        known = conn.execute("SELECT FROM pg_database WHERE datname = %s", [database]).fetchone()
    if known is None:
        server.create(database)
    return server.conninfo(database)


def _from_url(url: str) -> str:
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    if parts.password or "password" in query or "sslpassword" in query:
        redaction.remember(parts.password)
        raise Usage(
            f"{redaction.scrub(url)} holds a password, and parameters end up in notebooks and process lists; "
            f"it was not used. Put the URL into an environment variable and name that: "
            f"export DATABASE_URL=…, then env:DATABASE_URL. Or leave the password out and set PGPASSWORD."
        )
    return _libpq(url, "the URL")


def _libpq(value: str, what: str) -> str:
    """Make a libpq connection string from a URL or key/value string as applications hold it.

    Applications add what only their own client knows (Prisma's ``?schema=``, ``connection_limit``; SQLAlchemy's
    ``postgresql+psycopg``); libpq refuses those. ``schema`` becomes the search_path, as Prisma does it.
    """
    options: dict[str, str] = {}
    if _URL.match(value):
        value, options = _without_foreign(value)
    try:
        return conninfo.make_conninfo(value, **options)
    except (psycopg.ProgrammingError, UnicodeError):
        raise Usage(f"PostgreSQL's client cannot read {what} as a connection string. Check its form.") from None


def _without_foreign(url: str) -> tuple[str, dict[str, str]]:
    try:
        parts = urlsplit(url)
        known = {item.keyword.decode() for item in pq.Conninfo.get_defaults()}
        query = parse_qsl(parts.query, keep_blank_values=True)
    except ValueError:
        return url, {}
    kept = urlencode([(key, value) for key, value in query if key in known], quote_via=quote)
    schema = dict(query).get("schema")
    options = {"options": f"-csearch_path={_option(schema)}"} if schema and "options" not in dict(query) else {}
    return f"postgresql://{parts.netloc}{parts.path}?{kept}", options


def _option(schema: str) -> str:
    # Inside libpq's options, blanks and backslashes are escaped with a backslash.
    return re.sub(r"([\\ ])", r"\\\1", sql.Identifier(schema).as_string(None))


def _remember(found: str) -> None:
    said = conninfo.conninfo_to_dict(found)
    public = [str(said.get(key)) for key in ("user", "dbname", "host")]
    for secret in (said.get("password"), said.get("sslpassword"), os.environ.get("PGPASSWORD")):
        redaction.remember(str(secret) if secret else None, public=public)
