"""Rehearsal: the whole plan on a clone, with what it takes and leaves measured and held against what was stated."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Set
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg

from mendbook import render
from mendbook.errors import RehearsalFailed
from mendbook.runbook import Runbook
from mendbook.runbook_text import Option
from mendbook.schema import drift, locks
from mendbook.schema.clone import Clone
from mendbook.schema.ddl import Step, Transaction
from mendbook.schema.locks import Lock
from mendbook.schema.snapshot import Snapshot
from mendbook.stages import expected, reproduce
from mendbook.stages.plan import Plan
from mendbook.target import read_only

_LOCKS: LiteralString = """
SELECT format('"%%s"."%%s"', replace(n.nspname, '"', '""'), replace(c.relname, '"', '""')), l.mode
FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE l.pid = %(pid)s AND l.granted AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND c.relkind IN ('r', 'p', 'f', 'v', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
"""
_FILES: LiteralString = """
SELECT format('"%s"."%s"', replace(n.nspname, '"', '""'), replace(c.relname, '"', '""')), pg_relation_filenode(c.oid)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """What one step really did on the clone."""

    title: str
    stated: Lock | None  # the strongest lock that the plan states
    locks: Mapping[str, Lock]  # strongest lock seen by qualified relation that existed before
    rewrites: tuple[str, ...]  # qualified relations whose rows were written anew
    seconds: float

    @property
    def lock(self) -> Lock | None:
        """The strongest lock seen."""
        return max(self.locks.values(), default=None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """One thing that had to hold."""

    title: str
    problem: str = ""  # empty: it held

    @property
    def passes(self) -> bool:
        """Whether it held."""
        return not self.problem

    @property
    def verdict(self) -> str:
        """``yes`` or ``no``."""
        return "yes" if self.passes else "no"


@dataclass(frozen=True, kw_only=True, slots=True)
class Rehearsal:
    """How the plan fared on the clone."""

    server_version: str  # of the clone
    checks: tuple[Check, ...]
    measured: tuple[Measured, ...]
    omitted: tuple[str, ...]  # what the clone lacks, each with the reason

    @property
    def green(self) -> bool:
        """Whether everything that had to hold held."""
        return all(check.passes for check in self.checks)

    def facts(self) -> list[tuple[str, str, str]]:
        """(yes or no, what had to hold, what did not) of each check."""
        return [(check.verdict, check.title, check.problem) for check in self.checks]

    def steps(self) -> list[tuple[str, str, str, str, str]]:
        """(number, step, stated lock, measured lock, milliseconds) of each step."""
        return [
            (str(n), m.title, str(m.stated or "none"), str(m.lock or "none"), f"{m.seconds * 1000:.1f} ms")
            for n, m in enumerate(self.measured, 1)
        ]

    def _repr_html_(self) -> str:
        checks = render.table_html(("", "on the clone", ""), self.facts(), marks=MARKS)
        return f"{checks}{render.table_html(_STEPS, self.steps())}{self._without()}"

    def _without(self) -> str:
        return render.list_html(f"The clone lacks {each}" for each in self.omitted) if self.omitted else ""

    def __str__(self) -> str:
        checks = render.table_text(("", "on the clone", ""), self.facts(), marks=MARKS)
        return f"{checks}\n\n{render.table_text(_STEPS, self.steps())}"


MARKS = {"yes": "good", "no": "bad"}
_STEPS = ("step", "what", "stated lock", "measured lock", "took")


def run(plan: Plan, clone: Clone, runbook: Runbook, option: Option) -> Rehearsal:
    """Run *plan* on a copy of *clone*: forward, backward, forward again."""
    with clone.copy() as copy:
        before = copy.snapshot()
        checks = [_statements("the statements fail before", copy, plan, runbook, None, fail=True)]
        measured, problem = _forward(copy, plan)
        checks.append(Check(title="every step runs", problem=problem))
        if not problem:
            checks += _after(copy, plan, runbook, option, before, measured)
    return Rehearsal(
        server_version=clone.server.version,
        checks=tuple(checks),
        measured=tuple(measured),
        omitted=tuple(f"{each.key} ({each.reason})" for each in clone.omissions),
    )


def require_green(rehearsal: Rehearsal) -> None:
    """Raise `RehearsalFailed` naming the first thing that did not hold."""
    for check in rehearsal.checks:
        if not check.passes:
            raise RehearsalFailed(
                f"On the clone, this did not hold: {check.title}. {check.problem}\nNothing was changed on the target, "
                f"and the plan is not offered for it."
            )


def _after(
    copy: Clone, plan: Plan, runbook: Runbook, option: Option, before: Snapshot, measured: list[Measured]
) -> Iterator[Check]:
    after = copy.snapshot()
    yield _statements("the statements pass after", copy, plan, runbook, option, fail=False)
    yield from expectations(after, plan, runbook, option, copy.schemas)
    with copy.connect() as conn:
        for drill in reproduce.drill(conn, runbook, option, plan.values):
            yield Check(title=drill.title, problem=drill.problem)
    yield Check(title="no lock is stronger than stated", problem="; ".join(_stronger(plan, measured)))
    yield Check(title="no table is rewritten unless stated", problem="; ".join(_rewritten(plan, measured)))
    yield replanned(after, plan)
    yield from _undone(copy, plan, before, after)


def _undone(copy: Clone, plan: Plan, before: Snapshot, after: Snapshot) -> Iterator[Check]:
    problem = _backward(copy, plan)
    kept = [step.undo_loses for step in plan.steps if not step.undo]
    left = str(drift.compare(copy.snapshot(), before)) if not problem and not kept else ""
    same = not left or copy.snapshot().fingerprint() == before.fingerprint()
    yield Check(title="undone, the schema is as before", problem=problem or ("" if same else left))
    if not problem:
        _, problem = _forward(copy, plan)
        again = (
            problem
            or copy.snapshot().fingerprint() == after.fingerprint()
            or "the schema differs from the first time"
        )
        yield Check(title="done again, the schema is as after", problem=again if isinstance(again, str) else "")


def _statements(title: str, copy: Clone, plan: Plan, runbook: Runbook, after: Option | None, *, fail: bool) -> Check:
    with copy.connect() as conn, read_only(conn):
        found = reproduce.run(conn, runbook, plan.values, after=after)
    if fail:
        return Check(title=title, problem="all of them pass" if found.passes else "")
    return Check(title=title, problem="; ".join(f"{o.at}: {o.sqlstate} {o.message}" for o in found.failing))


def expectations(
    found: Snapshot, plan: Plan, runbook: Runbook, option: Option, schemas: tuple[str, ...]
) -> Iterator[Check]:
    """Hold every fact that the runbook expects against a Snapshot."""
    for each in (*runbook.text.expects, *option.expects):
        yield Check(
            title=expected.title(each, plan.values), problem=expected.problem(each, found, plan.values, schemas)
        )


def replanned(found: Snapshot, plan: Plan) -> Check:
    """Plan again: nothing of what the plan makes may still be missing."""
    wrong = [item.key for item in plan.desired if found.objects.get(item.key) != item]
    return Check(title="planned again, nothing is left to do", problem="; ".join(f"{key} differs" for key in wrong))


# ---- running


def _forward(copy: Clone, plan: Plan) -> tuple[list[Measured], str]:
    measured: list[Measured] = []
    with copy.connect() as conn:
        existed = {name for name, _ in conn.execute(_FILES)}
    for step in plan.steps:
        try:
            measured.append(_measure(copy, step, existed))
        except psycopg.Error as error:
            return measured, f"{step.title}: {error.diag.sqlstate} {error.diag.message_primary}"
    return measured, ""


def _backward(copy: Clone, plan: Plan) -> str:
    with copy.connect() as conn:
        for step in reversed(plan.steps):
            for statement in step.undo:
                try:
                    conn.execute(statement)
                except psycopg.Error as error:
                    return f"{statement}: {error.diag.sqlstate} {error.diag.message_primary}"
    return ""


def _measure(copy: Clone, step: Step, existed: Set[str]) -> Measured:
    """Run one step; what it does to relations that an earlier step made blocks nobody, so only *existed* count."""
    with copy.connect() as conn:
        files = dict(conn.execute(_FILES).fetchall())
        start = time.perf_counter()
        held = _outside(copy, conn, step) if step.transaction is Transaction.NONE else _inside(conn, step)
        seconds = time.perf_counter() - start
        later = dict(conn.execute(_FILES).fetchall())
    return Measured(
        title=step.title,
        stated=step.lock,
        locks={name: lock for name, lock in held.items() if name in existed or name in step.locks},
        rewrites=tuple(name for name, file in files.items() if name in existed and later.get(name, file) != file),
        seconds=seconds,
    )


def _inside(conn: psycopg.Connection[Any], step: Step) -> dict[str, Lock]:
    conn.execute("BEGIN")
    for statement in step.forward:
        conn.execute(statement)
    held = _held(conn, conn.info.backend_pid)
    conn.execute("COMMIT")
    return held


def _outside(copy: Clone, conn: psycopg.Connection[Any], step: Step) -> dict[str, Lock]:
    """Run a step that cannot be in a transaction, and look at its locks while it waits for a writer.

    On an empty clone such a step is over before anyone can look. It has to wait for transactions that write to its
    table, so one is held open until the step's locks have been seen.
    """
    if not step.locks:
        for statement in step.forward:
            conn.execute(statement)
        return {}
    held: dict[str, Lock] = {}
    with ThreadPoolExecutor(1) as pool, copy.connect() as watcher, _writer(copy, step):
        running = pool.submit(lambda: [conn.execute(each) for each in step.forward])
        end = time.monotonic() + 5
        while not running.done() and time.monotonic() < end and step.locks.keys() - held.keys():
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


def _held(conn: psycopg.Connection[Any], pid: int) -> dict[str, Lock]:
    held: dict[str, Lock] = {}
    for name, mode in conn.execute(_LOCKS, {"pid": pid}):
        held[name] = max(held.get(name, Lock.ACCESS_SHARE), locks.from_pg(mode))
    return held


def _stronger(plan: Plan, measured: list[Measured]) -> Iterator[str]:
    for step, seen in zip(plan.steps, measured, strict=True):
        for name, lock in seen.locks.items():
            stated = step.locks.get(name)
            if stated is None or not stated.covers(lock):
                yield f"{step.title} took {lock} on {name}, and {stated or 'none'} was stated"


def _rewritten(plan: Plan, measured: list[Measured]) -> Iterator[str]:
    for step, seen in zip(plan.steps, measured, strict=True):
        for name in set(seen.rewrites) - set(step.rewrites):
            yield f"{step.title} wrote every row of {name}"
