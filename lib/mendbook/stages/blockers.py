"""Blockers: who is in the way of a plan, before its first step and while one waits for its lock. Nobody is ended."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg
from psycopg.rows import class_row

from mendbook import redaction, render
from mendbook.schema import locks
from mendbook.schema.locks import Lock
from mendbook.schema.step import Step, Transaction
from mendbook.stages import beside
from mendbook.stages.timeline import Timeline

PERIOD_S = 0.5  # between two looks while a step waits
GLANCE_S = 0.05  # between two glances at whether it waits
QUERY = 120  # characters of a query that are shown
LAG = 256 * 1_048_576  # bytes of WAL that a slot may keep before it is worth a word
BEHIND = 64 * 1_048_576  # bytes of WAL by which a standby may fall back while a table is filled
LONG_S = 30  # a snapshot this old holds up what waits for all snapshots


@dataclass(frozen=True, kw_only=True, slots=True)
class Blocker:
    """One session, prepared transaction or replication slot."""

    who: str  # such as pid 4711
    what: str  # what it is or does
    role: str
    application: str
    seconds: int | None  # the age of its transaction; None: it cannot be seen
    query: str  # what it runs or ran last, shortened, without secrets
    why: str  # how it is in the way

    def __str__(self) -> str:
        age = f" for {self.seconds} s" if self.seconds is not None else ""
        return f"{self.who} ({', '.join(filter(None, [self.what + age, self.role, self.application]))})"


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class Blockers:
    """Everybody who is in the way at one moment."""

    found: tuple[Blocker, ...]
    waiting: bool = False  # a step waits for them now

    def __bool__(self) -> bool:
        return bool(self.found)

    def rows(self) -> list[tuple[str, str, str, str, str, str, str]]:
        """(who, what, role, application, age, why, query) of each, for people."""
        return [
            (e.who, e.what, e.role, e.application, "" if e.seconds is None else f"{e.seconds} s", e.why, e.query)
            for e in self.found
        ]

    def names(self) -> list[str]:
        """Each in a few words."""
        return [str(each) for each in self.found]

    def _repr_html_(self) -> str:
        return render.table_html(_HEAD, self.rows(), empty=str(self))

    def __str__(self) -> str:
        return render.table_text(_HEAD, self.rows(), empty=repr(self))

    def __repr__(self) -> str:
        if not self.found:
            return "Nobody is in the way."
        return f"{'waits behind' if self.waiting else 'in the way:'} {'; '.join(self.names())}"


_HEAD = ("who", "what", "role", "application", "age", "in the way", "query")

# A prepared transaction holds its locks without a session; the lock on its own number tells which one it is.
_HOLDERS: LiteralString = """
SELECT w.name AS relation, l.mode, a.pid, p.gid, a.backend_type, a.state, coalesce(a.usename, p.owner)::text AS role,
       a.application_name AS application, coalesce(a.query, '') AS query,
       extract(epoch FROM now() - coalesce(a.xact_start, p.prepared))::int AS seconds
FROM unnest(%s::text[]) AS w (name)
JOIN pg_locks l ON l.relation = to_regclass(w.name) AND l.granted
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
LEFT JOIN pg_stat_activity a ON a.pid = l.pid
LEFT JOIN pg_locks x ON l.pid IS NULL AND x.pid IS NULL AND x.locktype = 'transactionid'
  AND x.virtualtransaction = l.virtualtransaction
LEFT JOIN pg_prepared_xacts p ON p.transaction = x.transactionid
WHERE l.pid IS DISTINCT FROM pg_backend_pid()
ORDER BY seconds DESC NULLS LAST, a.pid
"""
_SESSION: LiteralString = """
SELECT '' AS relation, '' AS mode, pid, NULL AS gid, backend_type, state, usename::text AS role,
       application_name AS application, coalesce(query, '') AS query,
       extract(epoch FROM now() - xact_start)::int AS seconds
FROM pg_stat_activity
"""
_BLOCKING: LiteralString = " WHERE pid = ANY (pg_blocking_pids(%s)) ORDER BY seconds DESC NULLS LAST, pid"
# CREATE INDEX CONCURRENTLY and its like wait for every snapshot of this database that is older than theirs.
_OLD: LiteralString = """
 WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_xmin IS NOT NULL
  AND xact_start < now() - make_interval(secs => %s) ORDER BY seconds DESC, pid
"""
_SLOTS: LiteralString = """
SELECT slot_name::text, active, pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::bigint
FROM pg_replication_slots WHERE pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn) > %s ORDER BY 3 DESC
"""
# How far a standby is behind is null for a role that may not see it (manual, section 27.2.4: pg_read_all_stats).
_STANDBYS: LiteralString = """
SELECT pid, application_name, usename::text, pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::bigint
FROM pg_stat_replication WHERE replay_lsn IS NOT NULL ORDER BY pid
"""
_WAITS: LiteralString = "SELECT FROM pg_stat_get_activity(%s) WHERE wait_event_type = 'Lock'"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Row:
    relation: str
    mode: str
    pid: int | None
    gid: str | None
    backend_type: str | None
    state: str | None
    role: str | None
    application: str | None
    query: str
    seconds: int | None

    @property
    def wraps(self) -> bool:
        """A vacuum that gives way to nobody: without it the server would have to stop taking writes."""
        return self.query.startswith("autovacuum:") and "to prevent wraparound" in self.query

    def blocker(self, why: str) -> Blocker:
        what = self.state or self.backend_type or "a session that cannot be seen"
        if self.gid is not None:
            what = "prepared transaction"
        elif self.wraps:
            what = "autovacuum to prevent wraparound"
        elif (self.application or "").startswith("pg_dump"):
            what = "dump"
        text = " ".join(redaction.scrub(self.query).split())
        return Blocker(
            who=f"pid {self.pid}" if self.gid is None else repr(self.gid),
            what=what,
            role=self.role or "",
            application=self.application or "",
            seconds=self.seconds,
            query=text if len(text) <= QUERY else f"{text[:QUERY]}…",
            why=why,
        )


def ahead(conn: psycopg.Connection[Any], steps: Sequence[Step]) -> Blockers:
    """Who would be in the way of *steps*, before anything is asked for."""
    found = [*holders(conn, steps).found]
    if any(step.transaction is Transaction.NONE and step.locks for step in steps):
        known = {each.who for each in found}
        old = (row.blocker("holds an old snapshot") for row in _rows(conn, _SESSION + _OLD, LONG_S))
        found += [each for each in old if each.who not in known]
    return Blockers(found=(*found, *_slots(conn, steps)))


def holders(conn: psycopg.Connection[Any], steps: Sequence[Step]) -> Blockers:
    """Who holds locks that are in the way of the locks of *steps*."""
    wanted: dict[str, set[Lock]] = {}
    for step in steps:
        for name, lock in step.locks.items():
            wanted.setdefault(name, set()).add(lock)
    return Blockers(found=tuple(_conflicting(_rows(conn, _HOLDERS, [*wanted]), wanted)))


def _conflicting(rows: list[_Row], wanted: Mapping[str, set[Lock]]) -> Iterator[Blocker]:
    seen = set()
    for row in rows:
        held, who = locks.from_pg(row.mode), (row.pid, row.gid)
        gives_way = row.backend_type == "autovacuum worker" and not row.wraps
        if who not in seen and not gives_way and any(held.conflicts(lock) for lock in wanted[row.relation]):
            seen.add(who)
            yield row.blocker(f"holds {held} on {row.relation}")


def _slots(conn: psycopg.Connection[Any], steps: Sequence[Step]) -> Iterator[Blocker]:
    """Slots that are far behind, where the plan writes rows: what it writes is kept for them as well."""
    if not any(step.rewrites or Lock.ROW_EXCLUSIVE in step.locks.values() for step in steps):
        return
    for name, active, behind in conn.execute(_SLOTS, [LAG]):
        yield Blocker(
            who=f"replication slot {name}",
            what="active" if active else "not in use",
            role="",
            application="",
            seconds=None,
            query="",
            why=f"is {behind / 1_048_576:.0f} MB of WAL behind",
        )


def behind(conn: psycopg.Connection[Any]) -> dict[int, int]:
    """How many bytes of WAL each standby that is connected has yet to replay, by the pid that serves it."""
    return {pid: lag for pid, _, _, lag in conn.execute(_STANDBYS)}


def falling_back(conn: psycopg.Connection[Any], before: Mapping[int, int]) -> list[Blocker]:
    """The standbys that have fallen back since they were so far behind as *before* says."""
    return [
        Blocker(
            who=f"standby {name or 'without a name'}",
            what="replication",
            role=role,
            application=name,
            seconds=None,
            query="",
            why=f"is {lag / 1_048_576:.0f} MB of WAL behind",
        )
        for pid, name, role, lag in conn.execute(_STANDBYS)
        if lag > before.get(pid, 0) + BEHIND
    ]


def _rows(conn: psycopg.Connection[Any], query: LiteralString, value: object) -> list[_Row]:
    with conn.cursor(row_factory=class_row(_Row)) as cursor:
        return cursor.execute(query, [value]).fetchall()


# ---- while a step waits


@contextmanager
def watched(
    conn: psycopg.Connection[Any], pid: int, tell: Callable[[Blockers], None], timeline: Timeline
) -> Iterator[None]:
    """Look through *conn*, in a thread, at who blocks the session *pid*, and *tell* whenever that changes.

    How long it waits for locks goes into *timeline*.

    *conn* is in no transaction: a build of an index would wait for the end of one that looked while it went on.
    """

    def look(ended: threading.Event) -> None:
        before: tuple[str, ...] = ()
        last, next_look = timeline.now(), time.monotonic() + PERIOD_S
        with suppress(psycopg.Error), conn.cursor() as cursor:  # a lost connection is noticed by those who need it
            while not ended.wait(GLANCE_S):
                waits, now = cursor.execute(_WAITS, [pid]).rowcount > 0, timeline.now()
                if waits:
                    timeline.waited(last, now)
                last = now
                if time.monotonic() < next_look:
                    continue
                next_look = time.monotonic() + PERIOD_S
                rows = _rows(conn, _SESSION + _BLOCKING, pid)
                seen = Blockers(found=tuple(row.blocker("holds what the step waits for") for row in rows), waiting=True)
                names = tuple(each.who for each in seen.found)
                if names != before:
                    tell(seen)
                before = names

    with beside.running(look, "blockers"):
        yield
