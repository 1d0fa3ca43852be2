"""The order of the work of a repair: nothing is made before what it needs, nothing dropped before what needs it."""

from __future__ import annotations

import heapq
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Literal

from mendbook.schema.claims import Side, claims
from mendbook.schema.key import Key, qualified
from mendbook.schema.objects import Grant, Sequence
from mendbook.schema.relations import Column, Constraint, Index, Table, View
from mendbook.schema.snapshot import Snapshot
from mendbook.schema.step import Step, Transaction

# A drop may be of a part alone: a column's default, a domain's checks, a partition's place. Preparing is what can be
# made long before the rest; settling is the part of a change that disturbs nobody.
Verb = Literal["prepare", "drop", "change", "settle", "create"]

# In this order where nothing else decides.
KINDS = (
    *("schema", "extension", "access method", "language", "foreign-data wrapper", "server", "collation", "type"),
    *("sequence", "table", "column", "constraint", "index", "statistics", "view", "function", "operator"),
    *("operator family", "operator class", "cast", "conversion", "transform", "text search parser"),
    *("text search template", "text search dictionary", "text search configuration"),
    *("rule", "trigger", "policy", "event trigger", "publication"),
    *("grant", "default privilege", "setting"),
)
_EARLY = ("schema", "extension", "collation", "server", "type", "sequence", "table", "column")
_EARLIEST, _LATE = 1, 5
_SLOW = ("constraint", "index", "statistics")  # making one may take long: not while views are away


@dataclass(frozen=True, kw_only=True, eq=False)
class Work:
    """What is done to one object, or to some that can only be changed together."""

    verb: Verb
    key: Key
    steps: list[Step]
    together: tuple[Key, ...] = ()  # the others
    lets_go: bool = False  # a drop of a part alone
    disturbs: bool = False  # a change for which what uses the object has to go and come back

    @property
    def is_slow(self) -> bool:
        """Whether it may take long, and so has steps outside of the transactions of others."""
        return any(step.transaction is not Transaction.SHARED for step in self.steps)


def arrange(work: list[Work], live: Snapshot, desired: Snapshot, again: Set[Key]) -> Iterator[Work]:
    """*work*, in order; *again* is what is dropped and made again."""
    followers, waiting = _graph(work, Side(live), Side(desired))
    places = _places(work, followers, waiting, again)
    ready = [(places[each], each) for each in work if not waiting[each]]
    heapq.heapify(ready)
    left = dict.fromkeys(work)
    while left:
        # A circle has no right order: the lowest rank goes first.
        each = heapq.heappop(ready)[1] if ready else min(left, key=places.__getitem__)
        if each not in left:
            continue
        del left[each]
        yield each
        for other in followers[each]:
            waiting[other] -= 1
            if not waiting[other] and other in left:
                heapq.heappush(ready, (places[other], other))


def _graph(work: list[Work], live: Side, desired: Side) -> tuple[Mapping[Work, list[Work]], dict[Work, int]]:
    """What comes after each piece of work, and after how many each comes."""
    after = _edges(work, live, desired)
    followers: dict[Work, list[Work]] = defaultdict(list)
    for each, before in after.items():
        for other in before:
            followers[other].append(each)
    _mentions(work, after, followers)
    return followers, {each: len(before) for each, before in after.items()}


def _places(
    work: list[Work], followers: Mapping[Work, list[Work]], waiting: Mapping[Work, int], again: Set[Key]
) -> dict[Work, tuple[int, int, int]]:
    """Where each would come if nothing was in the way; what others wait for comes as early as they do."""
    ranks = {each: _rank(each, again) for each in work}
    later: dict[Work, int] = defaultdict(int)
    counts, ordered = dict(waiting), [each for each in work if not waiting[each]]
    for each in ordered:
        for other in followers.get(each, ()):
            counts[other] -= 1
            if not counts[other]:
                ordered.append(other)
    phases: dict[Work, int] = {}
    for each in ordered:
        phases[each] = ranks[each][0]
        if each.is_slow and phases[each] == _EARLIEST and later[each] > _EARLIEST:
            phases[each] = _LATE  # it has to wait for what goes and comes back: then until that is back
        for other in followers.get(each, ()):
            later[other] = max(later[other], phases[each])
    phases |= {each: ranks[each][0] for each in work if each not in phases}
    for each in reversed(ordered):
        phases[each] = min([phases[each], *(phases[other] for other in followers.get(each, ()))])
        if each.is_slow and phases[each] < _LATE and later[each] <= _EARLIEST:
            phases[each] = _EARLIEST  # what others wait for while something is away is done before that
    return {each: (phases[each], ranks[each][1], number) for number, each in enumerate(work)}


def _rank(work: Work, again: Set[Key]) -> tuple[int, int]:
    """What is only added comes first, then what goes and comes back, with nothing slow between, then what goes."""
    place = KINDS.index(work.key.kind) if work.key.kind in KINDS else len(KINDS)
    if work.verb == "prepare":
        return _EARLIEST, place
    if work.key in again and work.verb != "settle" and not (work.verb == "create" and work.key.kind in _SLOW):
        return (2, -place) if work.verb == "drop" else (4, place)
    if work.disturbs:
        return 3, place
    if work.verb == "drop":
        return 6, -place
    early = work.key.kind in _EARLY and work.verb == "create"
    return (_EARLIEST if early or (work.key.kind == "type" and work.verb == "change") else _LATE), place


def _edges(work: Iterable[Work], live: Side, desired: Side) -> dict[Work, set[Work]]:
    """For each piece of work, what has to be done before it."""
    found = {(each.verb, key): each for each in work for key in (each.key, *each.together)}
    after: dict[Work, set[Work]] = {each: set() for each in found.values()}

    def before(first: Work | None, then: Work | None) -> None:
        if first is not None and then is not None and first is not then:
            after[then].add(first)

    for (verb, key), each in found.items():
        if verb == "drop":
            for need in _own(live.needs(key) | live.pointed(key), key, whole=not each.lets_go):
                gone = found.get(("drop", need))
                if gone and gone.lets_go and need.kind == "table":
                    # What a partition has from its parent is its own once it is detached.
                    before(gone, each if key.kind in ("column", "constraint", "index") else None)
                    continue
                before(each, gone)
                changed = found.get(("change", need))
                if changed and (changed.disturbs or _is_primary(key, live)):
                    before(each, changed)
            before(each, found.get(("create", key)))
            before(each, found.get(("change", key)))
            back = list(_inherited(key, live, desired)) if each.lets_go else []
            for part in back:
                for done in ("create", "change", "settle", "drop"):
                    before(found.get((done, part)), each)
            for column in _above(key, live, live) if not back else ():
                before(each, found.get(("change", column)))
                before(each, found.get(("settle", column)))
            table = Key("table", *key.owner)
            if key.kind in _SLOW and key not in set(_named(table, desired)):
                before(found.get(("settle", table)), each)
            continue
        if verb == "settle":
            before(found.get(("create", key)), each)
            before(found.get(("change", key)), each)
            before(found.get(("drop", key)), each)
            for name in _named(key, desired):
                before(found.get(("create", name)), each)
                before(found.get(("change", name)), each)
            for first, then in _around(key, each, found, live, desired):
                before(first, then)
            for owner in _serves(key, desired):
                before(found.get(("create", owner)), each)
                before(found.get(("change", owner)), each)
            for owner in _serves(key, live):
                before(each, found.get(("drop", owner)))
        if verb == "create":
            for column in _above(key, desired, live):
                before(found.get(("change", column)), each)
                before(found.get(("settle", column)), each)
                before(found.get(("drop", column)), each)
            for other in _replaced(key, live, desired):
                before(found.get(("drop", other)), each)
        if verb == "prepare":
            before(each, found.get(("drop", key)))
            before(each, found.get(("create", key)))
        # What settles after a change that disturbed may wait for what was put aside to come back.
        changed = found.get(("change", key))
        frees = verb == "change" or (verb == "settle" and not (changed and changed.disturbs))
        if frees and ("drop", key) not in found:
            for need in live.needs(key) - desired.needs(key):
                before(each, found.get(("drop", need)))
                moved = found.get(("change", need))
                before(each, moved if moved and moved.disturbs and need.kind != "column" else None)
        if verb == "create":
            for need in live.needs(key) if key in live.objects else ():
                before(found.get(("drop", need)), each)
        needs = (desired if key in desired.objects else live).needs(key)
        for need in _own(needs, key, whole=verb == "create"):
            before(found.get(("create", need)), each)
            before(found.get(("change", need)), each)
        for whole in _of_the_table(key, desired):
            before(found.get(("drop", whole)), each)
            before(found.get(("change", whole)), each)
    for first, then in _clashes(found, live, desired):
        before(first, then)
    return after


def _around(
    key: Key, settling: Work, found: Mapping[tuple[Verb, Key], Work], live: Side, desired: Side
) -> Iterator[tuple[Work | None, Work | None]]:
    """A table becomes a partition once its columns, checks and indexes fit.

    One that only leaves its place for another is back before there are new indexes: they belong to those above.
    """
    if key.kind != "table" or not settling.steps:
        return
    yield from ((found.get(("drop", column)), settling) for column in _above(key, desired, live))
    back = {each.owner for each in live.parents(key) if each in desired.parents(key)}
    for owner in (key.owner, *back):
        for part in desired.schema.by_owner[owner]:
            if isinstance(part, Index) and back:
                yield from ((settling, found.get((verb, part.key))) for verb in ("create", "change"))
            elif isinstance(part, Column | Constraint | Index) and owner == key.owner:
                yield from ((found.get((verb, part.key)), settling) for verb in ("create", "change", "settle"))


def _replaced(key: Key, live: Side, desired: Side) -> Iterator[Key]:
    """What goes before a constraint is made: else a foreign key holds on to it, or it becomes part of the new one."""
    item = desired.objects.get(key)
    if isinstance(item, Constraint):
        other = live.schema.by_name.get(item.references or "")
        if other:
            yield from (e.key for e in live.schema.by_owner[other.key.owner] if isinstance(e, Constraint | Index))
        for name in live.schema.children.get(qualified(*key.owner), ()):
            owner = live.schema.by_name[name].key.owner
            yield from (e.key for e in live.schema.by_owner[owner] if isinstance(e, Constraint))


def _own(needs: Set[Key], key: Key, *, whole: bool) -> Iterator[Key]:
    """*needs*, of a table without the indexes that those of a partition belong to: only a *whole* one has them."""
    return (each for each in needs if whole or key.kind != "table" or each.kind != "index")


def _above(key: Key, side: Side, live: Side) -> list[Key]:
    """The columns that are there of the tables that a table inherits from on one side."""
    parents = side.parents(key) if key.kind == "table" else []
    return [column.key for parent in parents for column in live.schema.columns(*parent.owner)]


def _is_primary(key: Key, side: Side) -> bool:
    """The columns of a primary key cannot lose their NOT NULL while it is there."""
    item = side.objects.get(key)
    return isinstance(item, Constraint) and item.kind == "p"


def _named(key: Key, side: Side) -> Iterator[Key]:
    """The indexes that a table or materialized view names as its replica identity, or to be clustered by."""
    item = side.objects.get(key)
    if isinstance(item, Table | View):
        identity = item.replica_identity.partition(" ")[2] if isinstance(item, Table) else ""
        for name in (identity, item.clustered):
            if name:
                yield from (Key(kind, *key.owner, name) for kind in ("index", "constraint"))


def _inherited(key: Key, live: Side, desired: Side) -> Iterator[Key]:
    """What a partition, which only leaves its place for another, has from its parent: it changes there first."""
    parents = live.parents(key) if key.kind == "table" else []
    for parent in parents:
        if parent in desired.parents(key):
            for side in (live, desired):
                yield from (e.key for e in side.schema.by_owner[parent.owner] if isinstance(e, Column | Constraint))


def _of_the_table(key: Key, side: Side) -> Iterator[Key]:
    """What a role may do with a whole table, of what it may do with a column: it is taken back for all columns."""
    item = side.objects.get(key)
    if isinstance(item, Grant) and item.object == "COLUMN":
        yield item._replace(object="TABLE", part="").key


def _serves(key: Key, side: Side) -> Iterator[Key]:
    """The column that a sequence serves, and its table."""
    item = side.objects.get(key)
    if isinstance(item, Sequence) and item.owner:
        yield from (item.owner, Key("table", *item.owner.owner))


def _clashes(found: Mapping[tuple[Verb, Key], Work], live: Side, desired: Side) -> Iterator[tuple[Work, Work]]:
    """What has to go first because two of a name, two primary keys or two partitions for the same rows cannot be."""
    taken: dict[object, list[tuple[Key, Work]]] = defaultdict(list)
    for (verb, key), each in found.items():
        if verb == "drop":
            for claim in claims(key, live):
                taken[claim].append((key, each))
    for (verb, key), each in found.items():
        if verb not in ("drop", "prepare"):
            for claim in claims(key, desired):
                yield from ((other, each) for name, other in taken.get(claim, ()) if name != key)


def _mentions(work: Iterable[Work], after: dict[Work, set[Work]], followers: dict[Work, list[Work]]) -> None:
    """A function whose body names what is made comes after it, and goes before it, where nothing speaks against that.

    PostgreSQL does not know what the text of a body needs, and yet looks at it when the function is made.
    """
    named: dict[bool, dict[str, list[Work]]] = {True: defaultdict(list), False: defaultdict(list)}
    functions = []
    for each in work:
        if each.verb in ("create", "change", "drop") and each.key.kind in ("table", "view", "function", "column"):
            name = each.key.part if each.key.kind == "column" else each.key.name
            named[each.verb == "drop"][name].append(each)
            if each.key.kind == "function":
                functions.append(each)
    for each in functions:
        told = (step.undo if each.verb == "drop" else step.forward for step in each.steps)
        words = {word for lines in told for line in lines for word in _WORD.findall(line)}
        those = named[each.verb == "drop"]
        for other in dict.fromkeys(one for word in sorted(words & those.keys()) for one in those[word]):
            first, then = (each, other) if each.verb == "drop" else (other, each)
            if first is not then and first not in after[then] and not _leads(then, first, followers):
                after[then].add(first)
                followers[first].append(then)


_WORD = re.compile(r"\w+")


def _leads(first: Work, then: Work, followers: Mapping[Work, list[Work]]) -> bool:
    """Whether *then* has to wait for *first*."""
    seen: set[Work] = set()
    todo = [first]
    while todo:
        each = todo.pop()
        if each is then:
            return True
        if each not in seen:
            seen.add(each)
            todo += followers.get(each, ())
    return False
