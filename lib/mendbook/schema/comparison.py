"""A Comparison: one schema held against another, and what makes them the same, proven on a clone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from mendbook import render
from mendbook.errors import Refused, Usage
from mendbook.runbook import nearest
from mendbook.schema import clone, ddl, drift, expectation, measure, region, snapshot, step
from mendbook.schema.ddl import Repair
from mendbook.schema.drift import Drift
from mendbook.schema.measure import Measured
from mendbook.schema.snapshot import Snapshot
from mendbook.schema.step import Step, Transaction
from mendbook.target import Identity


@dataclass(frozen=True, kw_only=True, slots=True)
class Side:
    """One of the two schemas."""

    reference: str  # as the user named it
    snapshot: Snapshot
    identity: Identity
    notes: tuple[str, ...]  # what was made or left out to read it


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """Two schemas and their difference."""

    live: Side
    desired: Side
    drift: Drift

    def repair(self, *, drops: bool = False) -> Repair:
        """What makes the live schema the desired one, after it did so on a clone.

        Without *drops*, nothing is dropped that exists only in the live schema. Raises `Refused` for what cannot be
        reconciled, by its names, and where the clone did not become what it should.
        """
        made = ddl.repair(self.drift, self.live.snapshot, self.desired.snapshot, drops=drops)
        if not made.steps:
            return made
        measured = _prove(self, made, drops=drops)
        return replace(made, steps=measure.restated(made.steps, measured))

    def rows(self) -> list[tuple[str, str, str, str]]:
        """(verdict, object, live, desired) of each difference, for people."""
        return self.drift.rows()

    def notes(self) -> list[str]:
        """What else is to be known."""
        said = [*self.live.notes, *self.desired.notes]
        offers = drift.renames(self.drift, self.live.snapshot, self.desired.snapshot)
        return [*said, *(f"Perhaps a rename, which only you can know: {each}" for each in offers)]

    def script(self, repair: Repair) -> str:
        """The SQL for psql, with what each step does and blocks."""
        return "".join(f"{line}\n" for line in _script(self, repair))

    def _repr_html_(self) -> str:
        return self.drift._repr_html_() + render.list_html(self.notes())

    def to_json(self, repair: Repair) -> dict[str, Any]:
        """What ``mendbook diff --format json`` prints."""
        head = ("verdict", "object", "live", "desired")
        steps = [
            {
                "title": each.title,
                "sql": list(each.forward),
                "undo": list(each.undo),
                "locks": {name: str(lock) for name, lock in each.locks.items()},
                "transaction": str(each.transaction),
                "rewrites": list(each.rewrites),
                "scans": list(each.scans),
                "loses": each.loses or None,
            }
            for each in repair.steps
        ]
        return {
            "live": self.live.reference,
            "desired": self.desired.reference,
            "same": not self.drift,
            "differences": [dict(zip(head, row, strict=True)) for row in self.rows()],
            "steps": steps,
            "left": [{"object": str(each.difference.key), "reason": each.reason} for each in repair.left],
            "notes": self.notes(),
        }


def make(live: str, desired: str, *, only: str = "") -> Comparison:
    """Compare two schemas, each named as a target or an expectation; *only* keeps to one ``schema.table``.

    Raises what `expectation.read` raises.
    """
    first, second = _read_both(live, desired)
    found = drift.compare(first.snapshot, second.snapshot)
    if only:
        found = _only(found, only, first, second)
    return Comparison(live=first, desired=second, drift=found)


def _only(found: Drift, only: str, *sides: Side) -> Drift:
    known = {".".join(owner): None for side in sides for owner in side.snapshot.by_owner}
    if only not in known:
        raise Usage(
            f"Neither side has anything called {only!r}; nothing was compared. {nearest(only, known, 'relation')}"
        )
    return Drift(differences=tuple(each for each in found.differences if ".".join(each.key.owner) == only))


def _read_both(live: str, desired: str) -> tuple[Side, Side]:
    """Two databases are read at the same time; an expectation is made for the other's major version."""
    if expectation.is_target(live) and expectation.is_target(desired):
        with ThreadPoolExecutor(2) as pool:
            first, second = pool.map(lambda reference: _read(reference, None), (live, desired))
        return first, second
    first = _read(live, None)
    return first, _read(desired, first.identity.major)


def _read(reference: str, major: int | None) -> Side:
    with expectation.database(reference, major=major) as found:
        identity = found.target.identity()
        with found.target.reading() as conn:
            return Side(reference=reference, snapshot=snapshot.read(conn), identity=identity, notes=found.notes)


# ---- proof


def _prove(comparison: Comparison, repair: Repair, *, drops: bool) -> list[Measured]:
    """Run the steps on a clone of the region that they meet, and look whether it became what it should."""
    live, desired = comparison.live, comparison.desired
    differences = {each.key: each for each in comparison.drift.differences}
    before, wanted = region.around((live.snapshot, desired.snapshot), differences)
    with clone.build(before, live.identity) as place:
        odd = {each.key for each in drift.compare(place.snapshot(), before).differences}
        place.add_roles(clone.roles(wanted))
        measured, problem = measure.forward(place, repair.steps)
        remaining = {each.key for each in drift.compare(place.snapshot(), wanted).differences} - odd
    if place.omissions:
        return measured
    kept = {key for key, each in differences.items() if each.verdict == "extra" and not drops}
    wrong = remaining - kept - {each.difference.key for each in repair.left}
    if not problem and wrong and live.identity.major == desired.identity.major:
        problem = f"{', '.join(map(str, sorted(wrong)))} still differs after them"
    if problem:
        raise Refused(
            f"The steps that were worked out did not do on a clone what they should ({problem}), so they are not given "
            f"out; nothing was changed. Make that change by hand, then run this again."
        )
    return measured


# ---- the script


def _script(comparison: Comparison, repair: Repair) -> Iterator[str]:
    yield f"-- Makes {_said(comparison.live.reference)} what {_said(comparison.desired.reference)} says."
    yield "-- Run it with: psql --set ON_ERROR_STOP=1 --file …; outside a transaction, since some statements need that."
    for left in repair.left:
        yield f"-- {_said(str(left))}"
    for note in comparison.notes():
        yield f"-- {_said(note)}"
    if repair.steps:
        yield ""
        yield "SET lock_timeout = '2s';"
        yield "SET check_function_bodies = off;"
    numbered = enumerate(repair.steps, 1)
    for shared, group in groupby(numbered, key=lambda each: each[1].transaction is Transaction.SHARED):
        yield from _group(list(group), shared=shared)


def _group(steps: Iterable[tuple[int, Step]], *, shared: bool) -> Iterator[str]:
    yield from ["", "BEGIN;"] if shared else []
    for number, each in steps:
        lost = f"; loses {each.loses}" if each.loses else ""
        yield ""
        yield f"-- {number}. {_said(f'{each.title} ({step.cost(each)}{lost})')}"
        yield from (f"{statement};" for statement in each.forward)
    yield from ["", "COMMIT;"] if shared else []


def _said(text: str) -> str:
    """One line, whatever names are in it: a comment ends where the line does."""
    return " ".join(text.split())


def text(comparison: Comparison, repair: Repair) -> str:
    """The comparison for people."""
    parts = [str(comparison.drift)]
    if repair.steps:
        parts.append(render.table_text(step.HEAD, step.rows(repair.steps)))
    parts += ["\n".join(f"{each}" for each in repair.left), "\n".join(comparison.notes())]
    return "\n\n".join(part for part in parts if part)
