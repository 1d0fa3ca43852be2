"""The order of the work of a repair: nothing is made before what it needs, nothing dropped before what needs it."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Literal

from mendbook.schema.key import Key, qualified
from mendbook.schema.objects import Grant, Object, Publication, Sequence, Type
from mendbook.schema.relations import Column, Constraint, Index, Table, View
from mendbook.schema.snapshot import Snapshot
from mendbook.schema.step import Step

Verb = Literal["drop", "change", "settle", "create"]

# In this order where nothing else decides.
KINDS = (
    *("schema", "extension", "collation", "server", "type", "sequence", "table", "column", "constraint", "index"),
    *("statistics", "view", "function", "rule", "trigger", "policy", "event trigger", "publication"),
    *("grant", "default privilege", "setting"),
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Work:
    """What is done to one object."""

    verb: Verb
    key: Key
    steps: list[Step]
    disturbs: bool = False  # a change for which what uses the object has to go and come back


def arrange(work: list[Work], live: Snapshot, desired: Snapshot, again: Set[Key]) -> Iterator[Work]:
    """*work*, in order; *again* is what is dropped and made again."""
    after = _edges(work, _Side(live), _Side(desired))
    waiting = {each: len(before) for each, before in after.items()}
    followers: dict[Work, list[Work]] = defaultdict(list)
    for each, before in after.items():
        for other in before:
            followers[other].append(each)
    ranks = {each: (*_rank(each, again), number) for number, each in enumerate(work)}
    ready = [(ranks[each], each) for each in work if not waiting[each]]
    heapq.heapify(ready)
    left = dict.fromkeys(work)
    while left:
        # A circle has no right order: the lowest rank goes first.
        each = heapq.heappop(ready)[1] if ready else min(left, key=ranks.__getitem__)
        if each not in left:
            continue
        del left[each]
        yield each
        for other in followers[each]:
            waiting[other] -= 1
            if not waiting[other] and other in left:
                heapq.heappush(ready, (ranks[other], other))


def _rank(work: Work, again: Set[Key]) -> tuple[int, int]:
    """What is only added comes first, then what goes and comes back, with nothing slow between, then what goes."""
    place = KINDS.index(work.key.kind) if work.key.kind in KINDS else len(KINDS)
    if work.key in again:
        return (2, -place) if work.verb == "drop" else (4, place)
    if work.disturbs:
        return 3, place
    if work.verb == "drop":
        return 6, -place
    early = work.key.kind in ("schema", "extension", "collation", "server", "type", "sequence", "table", "column")
    return (1 if (early and work.verb == "create") or work.key.kind == "type" else 5), place


def _edges(work: Iterable[Work], live: _Side, desired: _Side) -> dict[Work, set[Work]]:
    """For each piece of work, what has to be done before it."""
    found = {(each.verb, each.key): each for each in work}
    after: dict[Work, set[Work]] = {each: set() for each in found.values()}

    def before(first: Work | None, then: Work | None) -> None:
        if first is not None and then is not None and first is not then:
            after[then].add(first)

    for (verb, key), each in found.items():
        if verb == "drop":
            for need in live.needs(key):
                before(each, found.get(("drop", need)))
                changed = found.get(("change", need))
                before(each, changed if changed and changed.disturbs else None)
            before(each, found.get(("create", key)))
        if verb == "settle":
            before(found["change", key], each)
        if verb in ("change", "settle"):
            for need in live.needs(key) - desired.needs(key):
                before(each, found.get(("drop", need)))
        if verb in ("create", "change"):
            for need in (desired if key in desired.objects else live).needs(key):
                before(found.get(("create", need)), each)
                before(found.get(("change", need)), each)
    for first, then in _clashes(found, live, desired):
        before(first, then)
    return after


class _Side:
    """One of the two schemas, with what is looked up in it again and again."""

    def __init__(self, schema: Snapshot) -> None:
        self.schema = schema
        self.objects = schema.objects
        # Extensions bring types and functions that are not listed on their own.
        self.extensions = {key for key in schema.objects if key.kind == "extension"}
        self.indexes = {
            qualified(each.schema, each.name): key for key, each in schema.objects.items() if isinstance(each, Index)
        }

    def needs(self, key: Key) -> set[Key]:
        """What an object needs, with what its parts need that are made and dropped with it."""
        item = self.objects.get(key)
        own = {*self.schema.needs.get(key, ()), *self.extensions}
        if isinstance(item, Table):
            own |= self._whole(item)
        elif key.kind in _PARTS:
            own |= {Key(kind, *key.owner) for kind in ("table", "view", "sequence", "type")}
        if isinstance(item, Sequence) and item.owner_table:
            own.discard(Key("table", item.owner_schema or "", item.owner_table))
        if isinstance(item, Grant):
            own |= {Key("schema", "", key.name), Key("column", *key.owner, item.part)}
            own |= {Key("function", *key.owner, item.part)}
        if isinstance(item, Index) and item.parent in self.indexes:
            own.add(self.indexes[item.parent])
        if isinstance(item, Publication):
            own |= {each.key for each in self.schema.tables()}
        if key.schema:
            own.add(Key("schema", "", key.schema))
        return own - {key}

    def _whole(self, item: Table) -> set[Key]:
        needs = {self.schema.by_name[each].key for each in item.parents if each in self.schema.by_name}
        for part in self.schema.by_owner[item.schema, item.name]:
            if isinstance(part, Column | Index) or (isinstance(part, Constraint) and part.kind != "f"):
                needs |= self.schema.needs.get(part.key, frozenset())
        return needs


# What belongs to a relation or type, and is made and dropped by work of its own.
_PARTS = ("column", "constraint", "index", "trigger", "rule", "policy", "statistics", "grant")


def _clashes(found: Mapping[tuple[Verb, Key], Work], live: _Side, desired: _Side) -> Iterator[tuple[Work, Work]]:
    """What has to go first because two of a name, two primary keys or two partitions for the same rows cannot be."""
    taken: dict[object, list[Work]] = defaultdict(list)
    for (verb, key), each in found.items():
        if verb == "drop":
            for claim in _claims(key, live):
                taken[claim].append(each)
    for (verb, key), each in found.items():
        if verb != "drop":
            for claim in _claims(key, desired):
                yield from ((other, each) for other in taken.get(claim, ()) if other.key != key)


def _claims(key: Key, side: _Side) -> Iterator[object]:
    item = side.objects.get(key)
    if item is not None:
        yield from _claimed(item)
    if isinstance(item, Table):
        for part in side.schema.by_owner[key.owner]:
            if isinstance(part, Index | Constraint):
                yield from _claimed(part)
        yield from (("partition of", parent) for parent in item.parents if item.partition_bound)


def _claimed(item: Object) -> Iterator[object]:
    match item:
        case Table() | View() | Sequence() | Type() | Index():
            yield item.schema, item.name
        case Constraint():
            if item.kind in "pux":
                yield item.schema, item.name
            if item.kind == "p":
                yield "primary key of", item.schema, item.table
