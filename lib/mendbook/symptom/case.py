"""`Case`: one distinct error of a text, made of all the traces it left there.

A stack trace says the same error three times, a log line says it once as text and once as SQLSTATE; a log of a
megabyte holds several errors. The cause comes first: what only follows from another error (an aborted transaction, a
connection that the client then finds closed) is told last.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from mendbook.frameworks import Kind
from mendbook.symptom.sighting import Sighting

_BESIDE = 600  # characters within which a message and what wraps it stand
_REPORT = 3000  # characters from a message to the end of its report, a stack trace between them
_SPREAD = 20_000  # characters that traces of one error, and what belongs to it, are spread over
_MOST = 32  # cases that are kept apart; of further ones nobody reads
_SPOKEN = ("server", "framework")
_CONNECTION = "08"  # the class that a client (PDO) gives to whatever a server says while it connects
_CONSEQUENCES = frozenset({"aborted_transaction", "pool_closed"})
_CONNECTING = frozenset(
    {"connection_refused", "connection_lost", "authentication", "missing_database", "pool_exhausted"}
)
_SLOTS = {
    slot: slot for slot in ("table", "column", "constraint", "schema", "function", "type", "role", "database")
} | {
    "relation": "table",
    "routine": "function",
    "typename": "type",
}


@dataclass(slots=True)
class Case:
    """The traces of one error, as they are found; what is asked of them again and again is kept beside them."""

    best: Sighting  # the trace that says most
    sightings: list[Sighting] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)  # places of the traces, in order
    ends: list[int] = field(default_factory=list)
    codes: set[str] = field(default_factory=set)  # SQLSTATEs
    told: set[Kind] = field(default_factory=set)  # kinds that the server's own messages have
    names: dict[str, set[str]] = field(default_factory=dict)  # objects, by field

    @classmethod
    def of(cls, sighting: Sighting) -> Case:
        case = cls(best=sighting)
        case.add(sighting)
        return case

    def add(self, sighting: Sighting) -> None:
        """Take *sighting* as a trace of this error."""
        self.sightings.append(sighting)
        place = bisect.bisect(self.starts, sighting.place)
        self.starts.insert(place, sighting.place)
        self.ends.insert(place, sighting.place_end)
        self.best = min(self.best, sighting, key=lambda one: (_rank(one), -_facts(one), one.place))
        if sighting.sqlstate:
            self.codes.add(sighting.sqlstate)
        if sighting.means == "server":
            self.told.add(sighting.kind)
        for slot, name in _objects(sighting).items():
            self.names.setdefault(slot, set()).add(name)

    @property
    def kind(self) -> Kind:
        """What failed; a SQLSTATE that the text states says more than the one that a wording usually has."""
        best = self.best
        coded = [one for one in self.sightings if _is_code(one)]
        if best.sqlstate is None or any(one.sqlstate == best.sqlstate for one in coded):
            return best.kind
        telling = (one.kind for one in coded if one.sqlstate and not one.sqlstate.startswith(_CONNECTION))
        return next(telling, best.kind)

    @property
    def is_spoken(self) -> bool:
        """Whether a message tells of it, and not only a code."""
        return self.best.means in _SPOKEN

    @property
    def start(self) -> int:
        """Where its first trace stands in the pasted text."""
        return self.starts[0]

    @property
    def end(self) -> int:
        """Where the traces near the first one end."""
        return max(self.ends[: bisect.bisect(self.starts, self.start + _SPREAD)])

    def is_same(self, other: Sighting) -> bool:
        """Whether *other* can be a trace of the same error: of its kind, or around it, and with the same names."""
        if other.kind not in self.told and other.kind != self.best.kind and not _wraps(self.best, other):
            return False
        if other.kind in self.told and other.sqlstate and self.codes and other.sqlstate not in self.codes:
            return False
        named = _objects(other)
        return all(named[slot] in self.names[slot] for slot in named.keys() & self.names.keys())

    def distance(self, other: Sighting) -> int:
        """Characters between *other* and the nearest trace."""
        place = bisect.bisect(self.starts, other.place)
        before = other.place - self.ends[place - 1] if place else None
        after = self.starts[place] - other.place_end if place < len(self.starts) else None
        return max(0, min(gap for gap in (before, after) if gap is not None))


def cases(sightings: Iterable[Sighting]) -> list[Case]:
    """The distinct errors among *sightings*, the cause first."""
    ordered = sorted(sightings, key=lambda sighting: sighting.place)
    found: list[Case] = []
    spoken: set[int] = set()
    for sighting in ordered:
        if sighting.means in _SPOKEN:
            _add(found, sighting)
            spoken.update(range(sighting.place, sighting.place_end))
    for sighting in sorted(ordered, key=lambda sighting: not sighting.alone):
        if sighting.means in _SPOKEN:
            continue
        known = sighting.means == "severity" and not spoken.isdisjoint(range(sighting.place, sighting.place_end))
        if not known:  # in another view, a wording knows what it says
            _attach(found, sighting)
    return sorted(found, key=lambda case: (case.kind in _CONSEQUENCES, _rank(case.best), case.start))


def regions(found: Sequence[Case], length: int) -> Iterator[tuple[Case, range]]:
    """Each case with the part of the pasted text that is its own: between the errors before and after it."""
    ordered = sorted(found, key=lambda case: case.start)
    for number, case in enumerate(ordered):
        before = max((other.end for other in ordered[:number]), default=0)
        after = min((other.start for other in ordered[number + 1 :] if other.start >= case.end), default=length)
        yield case, range(max(min(before, case.start), case.start - _SPREAD, 0), min(after, case.end + _SPREAD))


def _add(found: list[Case], sighting: Sighting) -> None:
    same = [case for case in found if case.is_same(sighting)]
    if same:
        min(same, key=lambda case: case.distance(sighting)).add(sighting)
    elif len(found) < _MOST:
        found.append(Case.of(sighting))


def _attach(found: list[Case], sighting: Sighting) -> None:
    """Add a code to the message it belongs to; where there is none, it is an error by itself."""
    fitting = [case for case in found if _fits(case, sighting)]
    if fitting:
        min(fitting, key=lambda case: case.distance(sighting)).add(sighting)
    elif sighting.alone and len(found) < _MOST:
        found.append(Case.of(sighting))


def _fits(case: Case, sighting: Sighting) -> bool:
    near = case.distance(sighting) <= _REPORT
    if sighting.means == "severity":
        coded = case.best.means in ("sqlstate", "condition") and near
        return coded or (case.best.means == "severity" and case.best.text == sighting.text)
    if sighting.sqlstate:
        telling = sighting.alone or not sighting.sqlstate.isdigit()
        better = sighting.alone and _is_code(sighting) and not any(_is_code(one) for one in case.sightings)
        return sighting.sqlstate in case.codes or (near and telling and (not case.codes or better))
    return sighting.kind in (case.kind, "other") or case.distance(sighting) <= _BESIDE


def _is_code(sighting: Sighting) -> bool:
    """Whether the text itself gives the SQLSTATE, by number or by name."""
    return sighting.stated or sighting.means == "condition"


def _wraps(one: Sighting, two: Sighting) -> bool:
    """Whether one of two traces only introduces the other.

    So does a framework that reports what the server said (``Raw query failed. Code: `42703`. Message: `…` ``), and
    libpq when the server refuses (``connection to server at … failed: FATAL: …``).
    """
    if max(one.place - two.place_end, two.place - one.place_end) > _BESIDE:
        return False
    connecting = {one.kind, two.kind} <= _CONNECTING and None in (one.sqlstate, two.sqlstate)
    return connecting or any(sighting.means == "framework" and sighting.kind == "other" for sighting in (one, two))


def _objects(sighting: Sighting) -> dict[str, str]:
    """What a trace names, by field, without the schema that only some name."""
    return {
        _SLOTS[slot]: name.value.partition("(")[0].rpartition(".")[2].strip('"')
        for slot, name in sighting.names.items()
        if slot in _SLOTS
    }


def _rank(sighting: Sighting) -> int:
    """How much a trace says of the cause; less is more."""
    if sighting.means == "server":
        return 0 if sighting.sqlstate else 3
    if sighting.means == "framework":
        return 1 if sighting.kind != "other" else 4
    return 2 if sighting.kind != "other" else 4


def _facts(sighting: Sighting) -> int:
    return len(sighting.names) + bool(sighting.sqlstate)
