"""Rehearsal: the whole plan on a clone, with what it takes and leaves measured and held against what was stated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mendbook import render
from mendbook.errors import RehearsalFailed
from mendbook.runbook import Runbook
from mendbook.runbook_text import Option
from mendbook.schema import drift, measure
from mendbook.schema.clone import Clone
from mendbook.schema.measure import Measured
from mendbook.schema.snapshot import Snapshot
from mendbook.stages import expected, reproduce
from mendbook.stages.plan import Plan
from mendbook.target import read_only


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
    if option.done_by_hand:
        done = Check(title="nothing is to be rehearsed: what mends it is done by hand")
        return Rehearsal(server_version=clone.server.version, checks=(done,), measured=(), omitted=())
    with clone.copy() as copy:
        before = copy.snapshot()
        checks = list(_statements("the statements fail before", copy, plan, runbook, None, fail=True))
        measured, problem = measure.forward(copy, plan.steps)
        checks.append(Check(title="every step runs", problem=problem))
        if not problem:
            checks += _after(copy, plan, runbook, option, before, measured)
    return Rehearsal(
        server_version=clone.server.version,
        checks=tuple(checks),
        measured=tuple(measured),
        omitted=(
            *(f"{each.key} ({each.reason})" for each in clone.omissions),
            *(f"{each.at} (only the target shows it)" for each in runbook.statements(plan.values) if not each.on_clone),
        ),
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
    yield from _statements("the statements pass after", copy, plan, runbook, option, fail=False)
    yield from expectations(after, plan, runbook, option, copy.schemas)
    with copy.connect() as conn:
        for drill in reproduce.drill(conn, runbook, option, plan.values):
            yield Check(title=drill.title, problem=drill.problem)
    yield Check(title="no lock is stronger than stated", problem="; ".join(_stronger(plan, measured)))
    yield Check(title="no table is rewritten unless stated", problem="; ".join(_rewritten(plan, measured)))
    yield replanned(after, plan)
    yield from _undone(copy, plan, before, after)


def _undone(copy: Clone, plan: Plan, before: Snapshot, after: Snapshot) -> Iterator[Check]:
    problem = measure.backward(copy, plan.steps)
    left = str(drift.compare(copy.snapshot(), before)) if not problem and not plan.lasting else ""
    same = not left or copy.snapshot().fingerprint() == before.fingerprint()
    yield Check(title="undone, the schema is as before", problem=problem or ("" if same else left))
    if not problem:
        _, problem = measure.forward(copy, plan.steps)
        again = (
            problem or copy.snapshot().fingerprint() == after.fingerprint() or "the schema differs from the first time"
        )
        yield Check(title="done again, the schema is as after", problem=again if isinstance(again, str) else "")


def _statements(
    title: str, copy: Clone, plan: Plan, runbook: Runbook, after: Option | None, *, fail: bool
) -> Iterator[Check]:
    """Judge the statements; there is nothing to say where a clone can show none of them."""
    with copy.connect() as conn, read_only(conn):
        found = reproduce.run(conn, runbook, plan.values, after=after, on_clone=True)
    if fail and found.outcomes:
        yield Check(title=title, problem="all of them pass" if found.passes else "")
    elif found.outcomes:
        yield Check(title=title, problem="; ".join(f"{o.at}: {o.sqlstate} {o.message}" for o in found.failing))


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
    wrong += [key for key in plan.dropped if key in found.objects]
    return Check(title="planned again, nothing is left to do", problem="; ".join(f"{key} differs" for key in wrong))


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
