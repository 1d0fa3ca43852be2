"""What a step really does: run on a clone, with the locks it took and the tables it rewrote measured."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, LiteralString

import psycopg

from mendbook.schema import locks
from mendbook.schema.clone import Clone
from mendbook.schema.locks import Lock
from mendbook.schema.step import Step, Transaction

Held = dict[tuple[int, str], Lock]  # by oid and qualified name: one that was dropped and made again is another

_LOCKS: LiteralString = """
SELECT c.oid, format('"%%s"."%%s"', replace(n.nspname, '"', '""'), replace(c.relname, '"', '""')), l.mode
FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE l.pid = %(pid)s AND l.granted AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND c.relkind IN ('r', 'p', 'f', 'v', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
"""
_FILES: LiteralString = """
SELECT c.oid, format('"%s"."%s"', replace(n.nspname, '"', '""'), replace(c.relname, '"', '""')),
       pg_relation_filenode(c.oid)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """What one step really did on the clone."""

    title: str
    stated: Lock | None  # the strongest lock that the plan states
    # The strongest lock seen, by qualified relation that existed before; ACCESS SHARE, which every reader takes, aside.
    locks: Mapping[str, Lock]
    rewrites: tuple[str, ...]  # qualified relations whose rows were written anew
    seconds: float

    @property
    def lock(self) -> Lock | None:
        """The strongest lock seen."""
        return max(self.locks.values(), default=None)


def forward(
    copy: Clone, steps: Sequence[Step], then: Callable[[], object] = lambda: None
) -> tuple[list[Measured], str]:
    """Run *steps* on a clone, measure each, and call *then* after it; the problem is empty where all of them ran."""
    measured: list[Measured] = []
    with copy.connect() as conn:
        existed = {oid for oid, _, _ in conn.execute(_FILES)}
    for step in steps:
        try:
            measured.append(_measure(copy, step, existed))
            then()
        except psycopg.Error as error:
            return measured, f"{step.title}: {error.diag.sqlstate} {error.diag.message_primary}"
    return measured, ""


def restated(steps: Sequence[Step], measured: Sequence[Measured]) -> tuple[Step, ...]:
    """The steps with what they rewrite, as far as they were measured: only a server knows it for sure."""
    seen = [each.rewrites for each in measured] + [step.rewrites for step in steps[len(measured) :]]
    return tuple(replace(step, rewrites=rewrites) for step, rewrites in zip(steps, seen, strict=True))


def backward(copy: Clone, steps: Sequence[Step]) -> str:
    """Undo *steps*, the last first; returns the problem, empty where all were undone."""
    with copy.connect() as conn:
        for step in reversed(steps):
            for statement in step.undo:
                try:
                    conn.execute(statement)
                except psycopg.Error as error:
                    return f"{statement}: {error.diag.sqlstate} {error.diag.message_primary}"
    return ""


def _measure(copy: Clone, step: Step, existed: Set[int]) -> Measured:
    """Run one step; what it does to relations that an earlier step made blocks nobody: the oids *existed* count."""
    with copy.connect() as conn:
        files = {oid: (name, file) for oid, name, file in conn.execute(_FILES)}
        start = time.perf_counter()
        held = _outside(copy, conn, step) if step.transaction is Transaction.NONE else _inside(conn, step)
        seconds = time.perf_counter() - start
        later = {oid: file for oid, _, file in conn.execute(_FILES)}
    return Measured(
        title=step.title,
        stated=step.lock,
        locks={name: lock for (oid, name), lock in held.items() if oid in existed},
        rewrites=tuple(name for oid, (name, file) in files.items() if oid in existed and later.get(oid, file) != file),
        seconds=seconds,
    )


def _inside(conn: psycopg.Connection[Any], step: Step) -> Held:
    conn.execute("BEGIN")
    for statement in step.forward:
        conn.execute(statement)
    held = _held(conn, conn.info.backend_pid)
    conn.execute("COMMIT")
    return held


def _outside(copy: Clone, conn: psycopg.Connection[Any], step: Step) -> Held:
    """Run a step that cannot be in a transaction, and look at its locks while it waits for a writer.

    On an empty clone such a step is over before anyone can look. It has to wait for transactions that write to its
    table, so one is held open until the step's locks have been seen.
    """
    if not step.locks:
        for statement in step.forward:
            conn.execute(statement)
        return {}
    held: Held = {}
    with ThreadPoolExecutor(1) as pool, copy.connect() as watcher, _writer(copy, step):
        running = pool.submit(lambda: [conn.execute(each) for each in step.forward])
        end = time.monotonic() + 5
        while not running.done() and time.monotonic() < end and step.locks.keys() - {name for _, name in held}:
            held = _held(watcher, conn.info.backend_pid)
            time.sleep(0.005)
    running.result()
    return held


@contextmanager
def _writer(copy: Clone, step: Step) -> Iterator[None]:
    with copy.connect() as conn:
        conn.execute("BEGIN")
        for name in step.locks:
            conn.execute(f"LOCK TABLE {name} IN ROW EXCLUSIVE MODE")
        yield
        conn.execute("ROLLBACK")


def _held(conn: psycopg.Connection[Any], pid: int) -> Held:
    held: Held = {}
    for oid, name, mode in conn.execute(_LOCKS, {"pid": pid}):
        lock = locks.from_pg(mode)
        if lock > Lock.ACCESS_SHARE:
            held[oid, name] = max(held.get((oid, name), lock), lock)
    return held
