"""A Step: one change of the database, with its undo, the locks it takes and what it loses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from mendbook.schema.locks import Lock, blocks


class Transaction(StrEnum):
    """How a step stands to transactions."""

    SHARED = "shared"  # may run in one transaction with its neighbours
    OWN = "own"  # in a transaction of its own: it must not prolong the locks of others
    NONE = "none"  # cannot run in a transaction (CREATE INDEX CONCURRENTLY, …)


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One change of the database: what runs, what undoes it, and what it costs."""

    title: str  # what it does, in words
    forward: tuple[str, ...]  # SQL statements
    undo: tuple[str, ...]  # SQL statements that take it back, in order
    locks: Mapping[str, Lock] = field(default_factory=dict)  # strongest lock by qualified relation that exists before
    transaction: Transaction = Transaction.SHARED
    rewrites: tuple[str, ...] = ()  # qualified relations whose rows are all written again
    scans: tuple[str, ...] = ()  # qualified relations that are read whole under the lock
    loses: str = ""  # what running it loses for good; empty: nothing
    undo_loses: str = ""  # what undoing it loses for good
    batched: bool = False  # fills rows in batches; where mendbook.slice is set, it stops after that time and can go on
    passing: bool = False  # it changes nothing that stays, so that no later deployment meets it

    @property
    def lock(self) -> Lock | None:
        """The strongest lock it takes on a relation that exists before; None: none."""
        return max(self.locks.values(), default=None)


HEAD = ("step", "what", "lock", "loses", "undo")


def rows(steps: Iterable[Step]) -> list[tuple[str, str, str, str, str]]:
    """(number, what, lock and what it blocks, loses, undo) of each step, for people."""
    return [
        (
            str(number),
            each.title,
            cost(each),
            each.loses or "nothing",
            _undo(each),
        )
        for number, each in enumerate(steps, 1)
    ]


def _undo(step: Step) -> str:
    if step.undo_loses:
        return f"loses {step.undo_loses}"
    if step.loses and step.undo:
        return "brings back the schema, not what was lost"
    return "complete" if step.undo else "none needed"


def cost(step: Step) -> str:
    """The lock of a step, and what it blocks for how long, in words."""
    if step.lock is None:
        return "none"
    how_long = "while it works on every row" if step.rewrites or step.scans else "for a moment"
    return f"{step.lock}: blocks {blocks(step.lock)} {how_long}"
