"""Where an earlier run stopped: which steps are there, by the journal, by PostgreSQL's own log of transactions, and by
the schema as it is.

A run can end at any instant, also between a commit and the line that says so. The schema is compared with what it was
after each step on the clone; where two steps leave the same schema, the transaction's number decides, which the journal
holds before anything is done in it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, LiteralString

import psycopg

from mendbook.errors import SchemaMoved
from mendbook.schema import snapshot
from mendbook.schema.key import qualified
from mendbook.schema.snapshot import Snapshot
from mendbook.schema.step import Step, Transaction
from mendbook.stages.journal import Journal, Line
from mendbook.stages.plan import Plan
from mendbook.target import read_only

DROP = "DROP INDEX CONCURRENTLY IF EXISTS "

# NULL where the server no longer knows it; an error for a number that it has not given out yet.
_OUTCOME: LiteralString = """
SELECT CASE WHEN %(xid)s::xid8 < pg_snapshot_xmax(pg_current_snapshot()) THEN pg_xact_status(%(xid)s::xid8) END
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """Steps that were under way in the last line about them."""

    numbers: tuple[int, ...]
    direction: str
    xid: str  # of their transaction; empty: they cannot run in one


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """What the journal knows of a plan."""

    open: bool = False  # a run has begun something, and how it ended was not verified
    direction: str = "forward"  # of that run
    applied: frozenset[int] = frozenset()  # the numbers of the steps that are done for sure
    asked: Asked | None = None  # what was under way when the last run ended
    session: tuple[int, str] | None = None  # the pid and the beginning of the last run's session
    filled: Mapping[int, str] = field(default_factory=dict)  # how far backfills came, by the number of the step


def progress(lines: Iterable[Line], digest: str) -> Progress:
    """Read what the journal knows of the plan with that *digest*."""
    found = Progress()
    ours = False
    for line in lines:
        if line["event"] == "started":
            ours = line.get("digest") == digest
        if ours:
            found = _follow(found, line)
    return found


def begun(journal: Journal, digest: str) -> bool:
    """Whether a run of that plan has begun something, and how it ended was not verified."""
    return progress(journal.read(), digest).open


def _follow(found: Progress, line: Line) -> Progress:
    match line["event"]:
        case "connected":
            return replace(found, session=(line["pid"], line["began"]))
        case "asked":
            asked = Asked(numbers=tuple(line["numbers"]), direction=line["direction"], xid=line["xid"])
            forward = line["direction"] == "forward"
            filled = {number: at for number, at in found.filled.items() if forward and number in asked.numbers}
            return replace(found, open=True, direction=line["direction"], asked=asked, filled=filled)
        case "done":
            numbers = frozenset(line["numbers"])
            applied = found.applied | numbers if line["direction"] == "forward" else found.applied - numbers
            return replace(found, applied=applied, asked=None)
        case "filled":
            return replace(found, filled={**found.filled, line["number"]: line["at"]})
        case "edit":
            return replace(found, open=True, direction="undo" if line["undo"] else "forward")
        case "verified":
            return replace(found, open=False, asked=None)
        case "taken back":
            return replace(found, open=bool(line["problems"]))
    return found


def applied(plan: Plan, conn: psycopg.Connection[Any], found: Progress) -> frozenset[int]:
    """The numbers of the steps that are there; raises `SchemaMoved` where the schema is that of no step."""
    with read_only(conn):
        live = snapshot.read(conn)
    with read_only(conn):
        known = _told(conn, found)
    if not found.open:
        require(plan, live, 0)
        return frozenset()
    counts = [count for count in range(len(plan.steps) + 1) if live.parts == plan.parts_after(count)]
    counts = counts or list(_half(plan, live, found))
    if known is not None and known in map(_first, counts):
        return known
    if len(counts) == 1:
        return _first(counts[0])
    # What no undo takes back, such as a value of an enum, is of no step's schema.
    if known is not None and found.direction == "undo" and not _moved(live.parts, plan.parts, but=plan.owners):
        return known
    if not counts:
        require(plan, live, len(known or found.applied))
    raise SchemaMoved(
        f"Whether {_titles(plan, counts)} was done cannot be told from the schema, and the server does not know that "
        f"transaction: it may have failed over. Nothing was changed by this run. Look whether it is there, then "
        f"diagnose again."
    )


def require(plan: Plan, live: Snapshot, count: int) -> None:
    """Raise `SchemaMoved` naming what is not as it is after the first *count* steps of *plan*."""
    moved = _moved(live.parts, plan.parts_after(count))
    if moved:
        names = ", ".join(".".join(json.loads(name)).strip(".") for name in moved[:5])
        when = f"step {count} was done" if count else "the plan was made"
        raise SchemaMoved(
            f"The schema has changed since {when} ({names}); nothing was changed by this run. Diagnose again to plan "
            f"for the schema as it is now."
        )


def _moved(found: Mapping[str, str], wanted: Mapping[str, str], but: Iterable[str] = ()) -> list[str]:
    return sorted(name for name in {*found, *wanted} - {*but} if found.get(name) != wanted.get(name))


def _told(conn: psycopg.Connection[Any], found: Progress) -> frozenset[int] | None:
    """The steps that are done by the journal, and by the server's log of what was under way; None: it is unknown."""
    if found.asked is None or not found.asked.xid:
        return found.applied
    row = conn.execute(_OUTCOME, {"xid": found.asked.xid}).fetchone()
    outcome = row[0] if row else None
    if outcome != "committed":
        return found.applied if outcome == "aborted" else None
    numbers = frozenset(found.asked.numbers)
    return found.applied | numbers if found.asked.direction == "forward" else found.applied - numbers


def _half(plan: Plan, live: Snapshot, found: Progress) -> Iterator[int]:
    """How many steps are there, where one that ran outside a transaction left half an index."""
    if found.asked is None:
        return
    for number in found.asked.numbers:
        names = indexes(plan.steps[number - 1])
        rest = {k: v for k, v in live.objects.items() if k.kind != "index" or qualified(k.schema, k.part) not in names}
        without = Snapshot(objects=rest).parts
        if names and any(without == plan.parts_after(count) for count in (number - 1, number)):
            yield number - 1 if found.asked.direction == "forward" else number


def indexes(step: Step) -> set[str]:
    """The quoted, qualified names of the indexes that a step builds or drops outside a transaction."""
    if step.transaction is not Transaction.NONE:
        return set()
    return {each.removeprefix(DROP) for each in (*step.forward, *step.undo) if each.startswith(DROP)}


def _first(count: int) -> frozenset[int]:
    return frozenset(range(1, count + 1))


def _titles(plan: Plan, counts: list[int]) -> str:
    return " or ".join(step.title for step in plan.steps[min(counts, default=0) : max(counts, default=0)])
