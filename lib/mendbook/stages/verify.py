"""Verification: the statements that failed, the expectations, and nothing else changed."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from mendbook import render
from mendbook.errors import NotVerified
from mendbook.runbook import Runbook
from mendbook.runbook_text import Option
from mendbook.schema import snapshot
from mendbook.schema.snapshot import Snapshot
from mendbook.stages import reproduce
from mendbook.stages.plan import Plan
from mendbook.stages.rehearse import MARKS, Check, expectations, replanned
from mendbook.stages.reproduce import Outcome
from mendbook.target import Target, identify, read_only


@dataclass(frozen=True, kw_only=True, slots=True)
class Verification:
    """What was found on the target after the change."""

    checks: tuple[Check, ...]
    outcomes: tuple[Outcome, ...]  # the statements
    fingerprint: str  # of the schema as it is now

    @property
    def verified(self) -> bool:
        """Whether everything holds."""
        return all(check.passes for check in self.checks)

    def facts(self) -> list[tuple[str, str, str]]:
        """(yes or no, what had to hold, what did not) of each check."""
        return [(check.verdict, check.title, check.problem) for check in self.checks]

    def _repr_html_(self) -> str:
        return render.table_html(_HEAD, self.facts(), marks=MARKS)

    def __str__(self) -> str:
        return render.table_text(_HEAD, self.facts(), marks=MARKS)


_HEAD = ("", "on the target", "")


def run(plan: Plan, target: Target, runbook: Runbook, option: Option) -> Verification:
    """Look at *target* after *plan* was applied."""
    with target.connect() as conn:
        with read_only(conn):
            identity = identify(conn)
            found = snapshot.read(conn)
            judged = reproduce.run(conn, runbook, plan.values, after=option)
        drills = reproduce.drill(conn, runbook, option, plan.values)
    checks = [
        *(_passes(outcome) for outcome in judged.outcomes),
        *expectations(found, plan, runbook, option, identity.schemas),
        *(Check(title=drill.title, problem=drill.problem) for drill in drills),
        replanned(found, plan),
        _nothing_else(found, plan),
    ]
    return Verification(checks=tuple(checks), outcomes=judged.outcomes, fingerprint=found.fingerprint())


def after_undo(plan: Plan, target: Target, runbook: Runbook) -> Verification:
    """Look at *target* after *plan* was taken back."""
    with target.reading() as conn:
        found = snapshot.read(conn)
        judged = reproduce.run(conn, runbook, plan.values)
    # Of what lasts, all is in types that were there before; new objects go as a whole.
    lasting = {
        owner
        for item in plan.desired
        if plan.lasting and item.key.kind == "type" and (owner := json.dumps(item.key.owner, ensure_ascii=False))
    } & plan.parts.keys()
    moved = ", ".join(_moved(found, plan.parts, but=lasting))
    title = "; ".join(("the schema is as it was before the fix", *(f"what lasts: {each}" for each in plan.lasting)))
    check = Check(title=title, problem=f"{moved} differs" if moved else "")
    return Verification(checks=(check,), outcomes=judged.outcomes, fingerprint=found.fingerprint())


def require(verification: Verification, plan: Plan) -> None:
    """Raise `NotVerified` naming the first thing that does not hold."""
    for check in verification.checks:
        if not check.passes and plan.by_hand:
            raise NotVerified(
                f"This is not mended yet, and Mendbook has changed nothing: {check.title}. {check.problem}\n"
                f"Do what the plan says by hand, then run this again."
            )
        if not check.passes:
            raise NotVerified(
                f"The plan was applied, and this does not hold: {check.title}. {check.problem}\nLook at the database; "
                f"{'the rollback takes the plan back' if plan.can_go_back else 'nothing is to be taken back'}."
            )


def _passes(outcome: Outcome) -> Check:
    problem = "" if outcome.passes else f"{outcome.sqlstate} {outcome.message}"
    return Check(title=f"the statement at {outcome.at} passes", problem=problem)


def _nothing_else(found: Snapshot, plan: Plan) -> Check:
    foreign = ", ".join(_moved(found, plan.parts_after(len(plan.steps))))
    return Check(title="nothing else in the schema changed", problem=foreign)


def _moved(found: Snapshot, wanted: Mapping[str, str], but: Collection[str] = ()) -> Iterator[str]:
    for name in sorted({*found.parts, *wanted}.difference(but)):
        if found.parts.get(name) != wanted.get(name):
            yield ".".join(each for each in json.loads(name) if each)
