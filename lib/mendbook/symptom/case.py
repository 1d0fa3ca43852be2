"""`Case`: one distinct error of a text, made of all the traces it left there.

A stack trace says the same error three times, a log line says it once as text and once as SQLSTATE; a log of a
megabyte holds several errors. The cause comes first: what only follows from another error (an aborted transaction, a
connection that the client then finds closed) is told last.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from mendbook.frameworks import Kind
from mendbook.symptom.sighting import Sighting

_BESIDE = 600  # characters within which a message and what wraps it stand
_REPORT = 3000  # characters from a message to the end of its report, a stack trace between them
_SPREAD = 20_000  # characters that traces of one error, and what belongs to it, are spread over
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
    """The traces of one error, as they are found."""

    sightings: list[Sighting] = field(default_factory=list)

    @property
    def best(self) -> Sighting:
        """The trace that says most."""
        return min(self.sightings, key=lambda sighting: (_rank(sighting), -_facts(sighting), sighting.place))

    @property
    def kind(self) -> Kind:
        """What failed; a SQLSTATE that the text states says more than the one that a wording usually has."""
        best = self.best
        stated = [one for one in self.sightings if one.stated]
        if best.sqlstate is None or any(one.sqlstate == best.sqlstate for one in stated):
            return best.kind
        telling = (one.kind for one in stated if one.sqlstate and not one.sqlstate.startswith(_CONNECTION))
        return next(telling, best.kind)

    @property
    def is_spoken(self) -> bool:
        """Whether a message tells of it, and not only a code."""
        return self.best.means in _SPOKEN

    @property
    def start(self) -> int:
        """Where its first trace stands in the pasted text."""
        return min(sighting.place for sighting in self.sightings)

    @property
    def end(self) -> int:
        """Where the traces near the first one end."""
        start = self.start
        return max(sighting.place_end for sighting in self.sightings if sighting.place <= start + _SPREAD)

    def is_same(self, other: Sighting) -> bool:
        """Whether *other* can be a trace of the same error."""
        told = {one.kind for one in self.sightings if one.means == "server" or one is self.best}
        if other.kind not in told and not _wraps(self.best, other):
            return False
        codes = {one.sqlstate for one in self.sightings if one.sqlstate and one.kind == other.kind}
        if other.sqlstate and codes and other.sqlstate not in codes:
            return False
        return all(agree(sighting, other) for sighting in self.sightings)

    def distance(self, other: Sighting) -> int:
        """Characters between *other* and the nearest trace."""
        return min(
            max(sighting.place - other.place_end, other.place - sighting.place_end, 0) for sighting in self.sightings
        )


def agree(one: Sighting, two: Sighting) -> bool:
    """Whether two traces name the same objects, as far as both name them; a name may be qualified in one of them."""
    here, there = _objects(one), _objects(two)
    return all(_last(here[slot]) == _last(there[slot]) for slot in here.keys() & there.keys())


def _objects(sighting: Sighting) -> dict[str, str]:
    return {_SLOTS[slot]: name.value for slot, name in sighting.names.items() if slot in _SLOTS}


def _last(name: str) -> str:
    return name.partition("(")[0].rpartition(".")[2].strip('"')


def cases(sightings: Iterable[Sighting]) -> list[Case]:
    """The distinct errors among *sightings*, the cause first."""
    ordered = sorted(sightings, key=lambda sighting: sighting.place)
    found: list[Case] = []
    for sighting in ordered:
        if sighting.means in _SPOKEN:
            _add(found, sighting)
    spoken = {place for sighting in ordered if sighting.means in _SPOKEN for place in _places(sighting)}
    for sighting in sorted(ordered, key=lambda sighting: not sighting.alone):
        if sighting.means == "severity" and not spoken.isdisjoint(_places(sighting)):
            continue  # in another view, a wording knows what it says
        if sighting.means not in _SPOKEN:
            _attach(found, sighting)
    return sorted(found, key=lambda case: (case.kind in _CONSEQUENCES, _rank(case.best), case.start))


def regions(found: Sequence[Case], length: int) -> Iterator[tuple[Case, int, int]]:
    """Each case with the part of the pasted text that is its own: between the errors before and after it."""
    ordered = sorted(found, key=lambda case: case.start)
    for number, case in enumerate(ordered):
        before = max((other.end for other in ordered[:number]), default=0)
        after = min((other.start for other in ordered[number + 1 :] if other.start >= case.end), default=length)
        yield case, max(min(before, case.start), case.start - _SPREAD), min(after, case.end + _SPREAD)


def _places(sighting: Sighting) -> range:
    return range(sighting.place, sighting.place_end)


def _add(found: list[Case], sighting: Sighting) -> None:
    same = [case for case in found if case.is_same(sighting)]
    if same:
        min(same, key=lambda case: case.distance(sighting)).sightings.append(sighting)
    else:
        found.append(Case([sighting]))


def _attach(found: list[Case], sighting: Sighting) -> None:
    """Add a code to the message it belongs to; where there is none, it is an error by itself."""
    fitting = [case for case in found if _fits(case, sighting)]
    if fitting:
        min(fitting, key=lambda case: case.distance(sighting)).sightings.append(sighting)
    elif sighting.alone:
        found.append(Case([sighting]))


def _fits(case: Case, sighting: Sighting) -> bool:
    if sighting.means == "severity":
        means = {one.means for one in case.sightings}
        coded = means <= {"sqlstate", "condition"} and case.distance(sighting) <= _REPORT
        return coded or any(one.means == "severity" and one.text == sighting.text for one in case.sightings)
    known = {one.sqlstate for one in case.sightings if one.sqlstate}
    if sighting.sqlstate:
        near = case.distance(sighting) <= _REPORT and (sighting.alone or not sighting.sqlstate.isdigit())
        open_to = not known or (sighting.alone and sighting.stated and not any(one.stated for one in case.sightings))
        return sighting.sqlstate in known or (near and open_to)
    return sighting.kind in (case.kind, "other") or case.distance(sighting) <= _BESIDE


def _wraps(one: Sighting, two: Sighting) -> bool:
    """Whether one of two traces only introduces the other.

    So does a framework that reports what the server said (``Raw query failed. Code: `42703`. Message: `…` ``), and
    libpq when the server refuses (``connection to server at … failed: FATAL: …``).
    """
    if max(one.place - two.place_end, two.place - one.place_end) > _BESIDE:
        return False
    connecting = {one.kind, two.kind} <= _CONNECTING and None in (one.sqlstate, two.sqlstate)
    return connecting or any(sighting.means == "framework" and sighting.kind == "other" for sighting in (one, two))


def _rank(sighting: Sighting) -> int:
    """How much a trace says of the cause; less is more."""
    if sighting.means == "server":
        return 0 if sighting.sqlstate else 3
    if sighting.means == "framework":
        return 1 if sighting.kind != "other" else 4
    return 2 if sighting.kind != "other" else 4


def _facts(sighting: Sighting) -> int:
    return len(sighting.names) + bool(sighting.sqlstate)
