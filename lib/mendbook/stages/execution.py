"""The execution of steps: in groups that share a transaction, again while their locks are busy and time is left."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from typing import Any, LiteralString

import psycopg

from mendbook import render
from mendbook.errors import LockNotObtained
from mendbook.schema.step import Step, Transaction
from mendbook.stages import blockers, resume
from mendbook.stages.timeline import Timeline
from mendbook.target import limit

LOCK_TIMEOUT_MS = 2_000  # no statement of the application waits longer than this behind ours
STATEMENT_TIMEOUT_MS = 300_000
PAUSE_S = 0.5  # before the second attempt; doubles, with jitter, up to PAUSE_MOST_S
PAUSE_MOST_S = 10.0
SLICE = "1s"  # of a backfill, after which it looks whether it may go on

Numbered = tuple[int, Step]  # the number of a step in its plan, from 1
Say = Callable[..., None]  # writes a line of the journal

# What a step that is `batched` reads and writes: see `mendbook.schema.backfill`.
_SLICES: LiteralString = "SELECT set_config('mendbook.slice', %s, false), set_config('mendbook.filled', %s, false)"
_FILLED: LiteralString = "SELECT current_setting('mendbook.filled')"

_VALID: LiteralString = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)"


@dataclass(frozen=True, kw_only=True, slots=True)
class Applied:
    """One step or edit that was done."""

    title: str
    seconds: float  # from asking for the lock to the commit
    attempts: int  # 0: an earlier run had done it


class Clock:
    """The time that is left for waiting, whatever the wall clock does meanwhile."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.end = time.monotonic() + seconds

    def pause(self, attempt: int) -> bool:
        """Sleep after an attempt that failed, longer after each; False where no time is left for that."""
        pause = min(PAUSE_S * 2 ** (attempt - 1), PAUSE_MOST_S) * random.uniform(0.5, 1.0)  # noqa: S311  jitter
        if self.end - time.monotonic() < pause:
            return False
        time.sleep(pause)
        return True


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """On which terms steps run."""

    say: Say
    clock: Clock
    seen: Callable[[], list[str]] = list  # who was last seen to block them, for where nobody holds a lock
    timeline: Timeline = field(default_factory=Timeline)
    calm: Callable[[], None] = lambda: None  # returns when a backfill may go on; raises where it may not
    filled: dict[int, str] = field(default_factory=dict)  # how far backfills came, by the number of the step


def statements(step: Step, direction: str) -> Sequence[str]:
    """What a step runs, forward or to undo it."""
    return step.forward if direction == "forward" else step.undo


def alone(step: Step, direction: str) -> bool:
    """Whether the statements cannot be part of a transaction."""
    if direction == "forward":
        return step.transaction is Transaction.NONE
    return any(" CONCURRENTLY " in statement for statement in step.undo)


def groups(steps: Iterable[Numbered], direction: str) -> Iterator[list[Numbered]]:
    """Steps that share a transaction, together; each other step on its own."""

    def mark(each: Numbered) -> int:
        number, step = each
        return 0 if step.transaction is Transaction.SHARED and not alone(step, direction) else number

    for _, group in groupby((each for each in steps if statements(each[1], direction)), key=mark):
        yield list(group)


def run(
    conn: psycopg.Connection[Any],
    group: list[Numbered],
    direction: str,
    terms: Terms,
    *,
    again: bool,
) -> list[Applied]:
    """Run one group; *again* where an earlier attempt may have left something of it."""
    numbers, titles = [number for number, _ in group], [step.title for _, step in group]
    start, attempt = time.monotonic(), 0
    while True:
        attempt += 1
        asked = terms.timeline.now()
        facts = {"numbers": numbers, "steps": titles, "direction": direction, "attempt": attempt}
        try:
            if any(alone(step, direction) for _, step in group):
                terms.say("asked", **facts, xid="")
                _outside(conn, group, direction, terms, again=again)
            else:
                _inside(conn, group, direction, terms, partial(terms.say, "asked", **facts))
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected) as error:
            again = True
            terms.timeline.hold("; ".join(titles), _lock(group), asked, asked, terms.timeline.now(), done=False)
            behind = blockers.holders(conn, [step for _, step in group]).names() or terms.seen()
            terms.say("waited", steps=titles, attempt=attempt, blockers=behind)
            if not terms.clock.pause(attempt):
                raise _busy(group, attempt, start, behind, error) from None
        else:
            seconds = time.monotonic() - start
            return [Applied(title=title, seconds=seconds / len(titles), attempts=attempt) for title in titles]


def _inside(conn: psycopg.Connection[Any], group: list[Numbered], direction: str, terms: Terms, asked: Say) -> None:
    """Run a group in one transaction, whose number is on the disk before any lock is asked for."""
    times = []
    with conn.transaction():
        limit(conn, statement_ms=STATEMENT_TIMEOUT_MS, lock_ms=LOCK_TIMEOUT_MS)
        row = conn.execute("SELECT pg_current_xact_id()::text").fetchone()
        asked(xid=row[0] if row else "")
        for _, step in group:
            begun = terms.timeline.now()
            for statement in statements(step, direction):
                conn.execute(statement)
            times.append((step, begun, terms.timeline.now()))
    for step, begun, got in times:
        terms.timeline.hold(step.title, str(step.lock or "none"), begun, got, terms.timeline.now())


def _outside(
    conn: psycopg.Connection[Any], group: list[Numbered], direction: str, terms: Terms, *, again: bool
) -> None:
    """Run statements that cannot be in a transaction; of an index that an earlier attempt left, only a whole one stays.

    Everything else that runs like this may run twice.
    """
    with _session_limits(conn):
        for number, step in group:
            begun = terms.timeline.now()
            for statement in statements(step, direction):
                builds = statement.startswith("CREATE") and " INDEX CONCURRENTLY " in statement
                if step.batched and direction == "forward":
                    _in_slices(conn, number, statement, terms)
                elif not (again and builds and _is_built(conn, step)):
                    conn.execute(statement)
            ended = terms.timeline.now()
            terms.timeline.hold(step.title, str(step.lock or "none"), begun, ended, ended)


def _in_slices(conn: psycopg.Connection[Any], number: int, statement: str, terms: Terms) -> None:
    """Run a backfill a slice at a time, from where the last attempt stopped, and look after each whether to go on."""
    try:
        conn.execute(_SLICES, [SLICE, terms.filled.get(number, "")])
        while True:
            conn.execute(statement)
            row = conn.execute(_FILLED).fetchone()
            if row is None or not row[0]:
                return
            terms.filled[number] = row[0]
            terms.say("filled", number=number, at=row[0])
            terms.calm()
    finally:
        if not conn.closed:
            conn.execute("RESET mendbook.slice")
            conn.execute("RESET mendbook.filled")


def _is_built(conn: psycopg.Connection[Any], step: Step) -> bool:
    """Whether the index of a step is there; one that is not valid is dropped."""
    for name in resume.indexes(step):
        row = conn.execute(_VALID, [name]).fetchone()
        if row and row[0]:
            return True
        if row:
            conn.execute(resume.DROP + name)
    return False


@contextmanager
def _session_limits(conn: psycopg.Connection[Any]) -> Iterator[None]:
    """Limits for statements that cannot be in a transaction, where SET LOCAL has no effect."""
    conn.execute(f"SET lock_timeout = {LOCK_TIMEOUT_MS}")
    conn.execute("SET statement_timeout = 0")
    try:
        yield
    finally:
        if not conn.closed:
            conn.execute("RESET lock_timeout")
            conn.execute("RESET statement_timeout")


def _lock(group: list[Numbered]) -> str:
    return str(max((step.lock for _, step in group if step.lock), default="none"))


def _busy(
    group: list[Numbered], attempts: int, start: float, behind: list[str], error: psycopg.Error
) -> LockNotObtained:
    waited = time.monotonic() - start
    who = "; ".join(behind) or str(error.diag.message_primary)
    step = group[0][1]
    return LockNotObtained(
        f"{step.title} asked {render.words(attempts, 'time')} in {waited:.0f} s for {step.lock} and did not "
        f"get it, behind {who}; nothing was changed by it. End that session or run this again with a longer --wait."
    )
