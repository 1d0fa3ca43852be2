"""A Timeline: what happened when while a plan was applied, to the locks of its steps and to the calls of the canary."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from mendbook import frameworks

SLOTS = 240  # as many points of time as a record keeps of the canary


@dataclass(frozen=True, kw_only=True, slots=True)
class Hold:
    """One step's lock, in seconds since the beginning."""

    title: str
    lock: str
    asked: float
    granted: float
    ended: float  # the commit, or the end of an attempt
    done: bool  # false: an attempt that did not get its lock


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One statement that the canary sent."""

    at: float  # seconds since the beginning
    statement: str  # where it stands in the application
    seconds: float
    error: str = ""  # what PostgreSQL said; empty: nothing
    new: bool = False  # the error was not there at the start


class Timeline:
    """Everything that was noted, in the order in which it ended."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self.holds: list[Hold] = []
        self.calls: list[Call] = []
        self.stale: list[str] = []  # what a pool that is older than the change can no longer run
        self._waits: list[tuple[float, float]] = []

    def now(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self._start

    def waited(self, begin: float, end: float) -> None:
        """Note that the steps' session was seen to wait for a lock between two moments."""
        self._waits.append((begin, end))

    def hold(self, title: str, lock: str, asked: float, got: float, ended: float, *, done: bool = True) -> None:
        """Note a step that asked for its lock at *asked*, had done its work at *got*, and let go at *ended*."""
        waited = sum(max(0.0, min(end, got) - max(begin, asked)) for begin, end in self._waits)
        granted = min(asked + waited, got) if done else ended
        self.holds.append(Hold(title=title, lock=lock, asked=asked, granted=granted, ended=ended, done=done))

    def to_json(self) -> dict[str, Any]:
        """As the record keeps it: the calls by statement, and the worst of each slot of time."""
        calls = self.calls.copy()
        return {
            "seconds": round(self.now(), 3),
            "steps": [[e.title, e.lock, *_rounded(e.asked, e.granted, e.ended), e.done] for e in self.holds],
            "statements": list(_by_statement(calls)),
            "slots": list(_slots(calls, self.now())),
            "stale": self.stale,
        }


def _by_statement(calls: list[Call]) -> Iterator[list[Any]]:
    """[where, calls, median and worst ms, error at the start, new error] of each statement."""
    for statement in dict.fromkeys(each.statement for each in calls):
        sent = [each for each in calls if each.statement == statement]
        seconds = [each.seconds * 1000 for each in sent]
        known, new = ([each.error for each in sent if each.error and each.new is sought] for sought in (False, True))
        times = [round(statistics.median(seconds), 1), round(max(seconds), 1)]
        yield [statement, len(sent), *times, known[0] if known else "", new[0] if new else ""]


def _slots(calls: list[Call], seconds: float) -> Iterator[list[Any]]:
    """[seconds, calls, worst ms, new errors] of each slot of time in which a call began."""
    width = max(seconds / SLOTS, 0.05)
    for slot, found in groupby(sorted(calls, key=lambda each: each.at), key=lambda each: int(each.at / width)):
        sent = list(found)
        worst = max(each.seconds for each in sent)
        yield [*_rounded(slot * width), len(sent), round(worst * 1000, 1), sum(each.new for each in sent)]


def _rounded(*seconds: float) -> list[float]:
    return [round(each, 3) for each in seconds]


# ---- what a record says, for people


Table = tuple[tuple[str, ...], list[list[str]]]


def tables(data: Mapping[str, Any]) -> list[Table]:
    """The steps, the canary and what a pool can no longer run, of what `Timeline.to_json` gave; none without rows."""
    steps = [
        [title, lock, _ms(granted - asked), _ms(ended - granted) if done else "did not get it"]
        for title, lock, asked, granted, ended, done in data["steps"]
    ]
    sent = [
        [at, str(calls), f"{median} ms", f"{worst} ms", known, new or "none"]
        for at, calls, median, worst, known, new in data["statements"]
    ]
    lost = [line.partition(": ")[::2] for line in data["stale"]]
    drivers = [[title, said] for title, said in frameworks.stale()] if lost else []
    found = [
        (("step", "lock", "waited", "held"), steps),
        (("canary", "calls", "median", "worst", "failed at the start", "new errors"), sent),
        (("a pool older than the change", "can no longer run it"), [list(pair) for pair in lost]),
        (("driver", "with such a statement it"), drivers),
    ]
    return [(head, rows) for head, rows in found if rows]


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"
