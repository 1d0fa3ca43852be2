"""A turn at a database: one run at a time changes it, and whoever comes second is told who is at it, and since when."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, LiteralString

import psycopg

from mendbook.errors import Refused
from mendbook.request import who
from mendbook.target import Target

KEY = 0x6D656E64626F6F6B  # "mendbook" in ASCII

# A transaction that only holds an advisory lock has no snapshot, so nobody waits for it; a transaction pooler leaves it
# its backend, and the server ends it with its client.
_TAKE: LiteralString = """
SELECT pg_try_advisory_xact_lock(%s), set_config('idle_in_transaction_session_timeout', '0', true)
"""
_HOLDER: LiteralString = """
SELECT a.pid, a.usename::text, a.application_name, host(a.client_addr),
       to_char(a.xact_start, 'YYYY-MM-DD HH24:MI:SS TZ')
FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
  AND (l.classid::bigint << 32 | l.objid::bigint) = %s
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


@contextmanager
def taken(target: Target) -> Iterator[psycopg.Connection[Any]]:
    """Keep other runs away from *target*; yields the connection that does. Raises `Refused` naming who is at it."""
    with target.connect(application_name=f"mendbook of {who()}") as conn:
        conn.execute("BEGIN")
        if conn.info.server_version >= 170_000:
            conn.execute("SET LOCAL transaction_timeout = 0")
        row = conn.execute(_TAKE, [KEY]).fetchone()
        if not row or not row[0]:
            raise Refused(
                f"Another responder is applying a plan to this database right now{_holder(conn)}; nothing was changed "
                f"by this one. Let that run end, then run this again."
            )
        yield conn


def _holder(conn: psycopg.Connection[Any]) -> str:
    row = conn.execute(_HOLDER, [KEY]).fetchone()
    if row is None:
        return ""
    pid, role, application, address, since = row
    where = f" from {address}" if address else ""
    return (
        f": {application or 'an unnamed application'} as {role}{where}, pid {pid}, since {since or 'an unknown time'}"
    )
