"""A Step: one change of the database, with its undo, the locks it takes and what it loses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from mendbook.schema.locks import Lock


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

    @property
    def lock(self) -> Lock | None:
        """The strongest lock it takes on a relation that exists before; None: none."""
        return max(self.locks.values(), default=None)
