"""The eight table-level lock modes, what conflicts with what, and so what a lock blocks.

Source: PostgreSQL manual, section 13.3.1 "Table-Level Locks", table 13.2.
"""

from __future__ import annotations

from enum import IntEnum


class Lock(IntEnum):
    """A table-level lock mode, in the order of strength in which the manual lists them."""

    ACCESS_SHARE = 1
    ROW_SHARE = 2
    ROW_EXCLUSIVE = 3
    SHARE_UPDATE_EXCLUSIVE = 4
    SHARE = 5
    SHARE_ROW_EXCLUSIVE = 6
    EXCLUSIVE = 7
    ACCESS_EXCLUSIVE = 8

    def __str__(self) -> str:
        return self.name.replace("_", " ")

    def conflicts(self, other: Lock) -> bool:
        """Say whether a transaction that holds one makes a request for the other wait."""
        return other in _CONFLICTS[self]

    def covers(self, other: Lock) -> bool:
        """Say whether this mode blocks all that *other* blocks."""
        return _CONFLICTS[other] <= _CONFLICTS[self]


_CONFLICTS: dict[Lock, frozenset[Lock]] = {
    Lock(mode): frozenset(Lock(other) for other in others)
    for mode, others in {
        1: {8},
        2: {7, 8},
        3: {5, 6, 7, 8},
        4: {4, 5, 6, 7, 8},
        5: {3, 4, 6, 7, 8},
        6: {3, 4, 5, 6, 7, 8},
        7: {2, 3, 4, 5, 6, 7, 8},
        8: {1, 2, 3, 4, 5, 6, 7, 8},
    }.items()
}

# What ordinary statements take (same section of the manual): how a conflict is told to people.
_USES = (
    ("reads", Lock.ACCESS_SHARE),
    ("SELECT … FOR UPDATE", Lock.ROW_SHARE),
    ("writes", Lock.ROW_EXCLUSIVE),
    ("other schema changes and VACUUM", Lock.SHARE_UPDATE_EXCLUSIVE),
)


def from_pg(mode: str) -> Lock:
    """Read a mode as ``pg_locks.mode`` spells it, such as ``AccessExclusiveLock``."""
    wanted = mode.removesuffix("Lock").upper()
    return next(lock for lock in Lock if lock.name.replace("_", "") == wanted)


def blocks(lock: Lock | None) -> str:
    """Say in words what has to wait while *lock* is held."""
    if lock is None:
        return "nothing"
    waiting = [use for use, taken in _USES if lock.conflicts(taken)]
    if "reads" in waiting:
        return "all reads and writes"
    return ", ".join(waiting) or "nothing that applications do"
