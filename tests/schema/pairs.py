"""Two databases, one to change and one that says what it should become, and the ways in which that is checked."""

from __future__ import annotations

import copy
import subprocess
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import groupby

import psycopg
from mendbook import embedded
from mendbook.schema import ddl, drift, measure
from mendbook.schema.clone import Clone
from mendbook.schema.comparison import Comparison, Side
from mendbook.schema.locks import Lock
from mendbook.schema.step import Step, Transaction
from mendbook.target import Target

from tests.schema import dumps


class Pair:
    """Two databases: one to change, and one that says what it should become."""

    def __init__(self, live: Clone, desired: Clone) -> None:
        self.live = live
        self.desired = desired
        self.before, self.after = live.snapshot(), desired.snapshot()

    def turned(self) -> Pair:
        """The same the other way round."""
        other = copy.copy(self)
        other.live, other.desired, other.before, other.after = self.desired, self.live, self.after, self.before
        return other

    def comparison(self) -> Comparison:
        """The pair as `mendbook diff` compares it, which proves what it works out."""
        sides = [
            Side(reference=name, snapshot=found, identity=_target(place).identity(), notes=())
            for name, place, found in (("live", self.live, self.before), ("desired", self.desired, self.after))
        ]
        return Comparison(live=sides[0], desired=sides[1], drift=drift.compare(self.before, self.after))

    def plan(self, *, drops: bool = True) -> ddl.Repair:
        return ddl.repair(drift.compare(self.before, self.after), self.before, self.after, drops=drops)

    def check_statements(self, steps: Sequence[Step]) -> None:
        """Run by psql, each statement committed: nothing differs then, and the dumps are equal."""
        with self.live.copy() as place:
            script = run(place, steps)
            self.check(place, script)
            differs = dumps.difference(place, self.desired)
            assert not differs, f"{differs}\n{script}"

    def check_steps(self, steps: Sequence[Step]) -> None:
        """Step by step with locks and rewrites measured; taken back; and once more, as a plan is applied."""
        told = "\n".join("; ".join((f"-- {step.title}\n", *step.forward)) for step in steps)
        with self.live.copy() as place:
            measured, problem = measure.forward(place, steps)
            assert not problem, f"{problem}\n{told}"
            for step, seen in zip(steps, measured, strict=True):
                for name, lock in seen.locks.items():
                    assert step.locks.get(name, Lock.ACCESS_SHARE).covers(lock), f"{step.title}: {lock!s} on {name}"
                assert set(seen.rewrites) <= set(step.rewrites), step.title
            self.check(place, told)
            if any(step.undo_loses.startswith("nothing") for step in steps):
                return  # something stays, and the step says so
            problem = measure.backward(place, steps)
            assert not problem, f"{problem}\n{told}"
            back = drift.compare(place.snapshot(), self.before)
            assert not back, f"{back}\n{told}\n" + "\n".join(each for step in reversed(steps) for each in step.undo)
            apply(place, steps)
            self.check(place, told)

    def check(self, place: Clone, told: str) -> None:
        left = drift.compare(place.snapshot(), self.after)
        assert not left, f"{left}\n{told}"


def _target(place: Clone) -> Target:
    return Target(reference="test", _conninfo=place.server.conninfo(place.database))


def database(server: embedded.Server, statements: str, held: ExitStack) -> Clone:
    """A database made by statements, that is gone with *held*."""
    name = held.enter_context(server.scratch())
    with psycopg.connect(server.conninfo(name), autocommit=True) as conn:
        conn.execute(statements.encode())
    return Clone(server=server, database=name, role="postgres", schemas=("public",), search_path=None, omissions=())


def run(place: Clone, steps: Sequence[Step]) -> str:
    """Run steps as psql does with a script, and return that."""
    script = "\n".join(f"{statement};" for step in steps for statement in step.forward)
    done = subprocess.run(
        [dumps.tool("psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", place.server.conninfo(place.database)],
        input=script,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{done.stderr}\n{script}"
    return script


def apply(place: Clone, steps: Sequence[Step]) -> None:
    """Run steps as a plan is applied: neighbours that may share a transaction do."""
    with place.connect() as conn:
        for shared, group in groupby(steps, key=lambda step: step.transaction is Transaction.SHARED):
            with conn.transaction() if shared else ExitStack():
                for step in group:
                    for statement in step.forward:
                        conn.execute(statement.encode())


def check_no_long_absence(steps: Sequence[Step]) -> None:
    """While a view or a function that comes back is away, nothing runs that may take long."""
    away: set[str] = set()
    titles = [step.title for step in steps]
    for at, step in enumerate(steps):
        verb, _, name = step.title.partition(" ")
        if verb == "Drop" and name.startswith(("view ", "function ")) and f"Create {name}" in titles[at:]:
            away.add(name)
        elif verb == "Create":
            away.discard(name)
        assert not away or step.transaction is Transaction.SHARED, f"{step.title} runs while {away} are away"
