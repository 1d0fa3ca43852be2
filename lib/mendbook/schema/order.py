"""The order of the work of a repair: nothing is made before what it needs, nothing dropped before what needs it."""

from __future__ import annotations

import heapq
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Literal

from mendbook.schema import inheritance
from mendbook.schema.claims import Side, claims
from mendbook.schema.key import Key, qualified
from mendbook.schema.objects import Grant, Sequence
from mendbook.schema.relations import Column, Constraint, Index, Table, View
from mendbook.schema.snapshot import Snapshot
from mendbook.schema.step import Step, Transaction

# A drop may be of a part alone: a column's default, a domain's checks, a partition's place. Preparing is what can be
# made long before the rest; settling is the part of a change that disturbs nobody.
Verb = Literal["prepare", "drop", "change", "settle", "create"]

_ANY: tuple[Verb, ...] = ("create", "change", "settle", "drop")

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
    edges = _Edges(work, live, desired)
    for (verb, key), each in edges.found.items():
        if verb == "drop":
            edges.drop(key, each)
            continue
        if verb == "settle":
            edges.settle(key, each)
        if verb == "create":
            edges.create(key, each)
        if verb == "prepare":
            edges.before(each, "drop", key)
            edges.before(each, "create", key)
        edges.free(verb, key, each)
        edges.wait(verb, key, each)
    for first, then in _clashes(edges.found, live, desired):
        edges.join(first, then)
    return edges.gathered


class _Edges:
    """What has to be done before each piece of work, gathered."""

    def __init__(self, work: Iterable[Work], live: Side, desired: Side) -> None:
        self.live = live
        self.desired = desired
        self.found = {(each.verb, key): each for each in work for key in (each.key, *each.together)}
        self.gathered: dict[Work, set[Work]] = {each: set() for each in self.found.values()}

    def join(self, first: Work | None, then: Work | None) -> None:
        if first is not None and then is not None and first is not then:
            self.gathered[then].add(first)

    def before(self, first: Work, verb: Verb, key: Key) -> None:
        self.join(first, self.found.get((verb, key)))

    def after(self, then: Work, key: Key, *verbs: Verb) -> None:
        for verb in verbs:
            self.join(self.found.get((verb, key)), then)

    def drop(self, key: Key, each: Work) -> None:
        """Before what it needs goes, and before it is made again."""
        for need in _own(self.live.needs(key) | self.live.pointed(key), key, whole=not each.lets_go):
            gone = self.found.get(("drop", need))
            if gone and gone.lets_go and need.kind == "table":
                # What a partition has from its parent is its own once it is detached.
                if key.kind in ("column", "constraint", "index") and not self._moves(need):
                    self.join(gone, each)
                continue
            if not (gone and gone.lets_go and need.kind == "sequence"):
                self.join(each, gone)
            changed = self.found.get(("change", need))
            typed = each.lets_go and key.kind == "table" and need.kind == "type"
            if changed and (changed.disturbs or typed or _is_primary(key, self.live)):
                self.join(each, changed)
        for part in _with(key, self.live):
            for need in self.live.needs(part) if _is_primary(part, self.live) else ():
                self.before(each, "change", need)
        self.before(each, "create", key)
        self.before(each, "change", key)
        for owner in _serves(key, self.live) if each.lets_go else ():
            self.before(each, "drop", owner)
        self._let_go(key, each)
        table = Key("table", *key.owner)
        settling = self.found.get(("settle", table))
        named = key in set(_named(table, self.desired)) or self._moves(table)
        if key.kind in _SLOW and settling and settling.steps and not named:
            self.join(settling, each)

    def _let_go(self, key: Key, each: Work) -> None:
        """A partition that only leaves its place has from its parent what changes there."""
        back = list(_inherited(key, self.live, self.desired)) if each.lets_go else []
        for part in back:
            self.after(each, part, *(("drop",) if part.kind == "index" else _ANY))
        for column in _above(key, self.live, self.live) if not back else ():
            for verb in _ANY:
                self.before(each, verb, column)
        for column in _above(key, self.live, self.desired) if not each.lets_go else ():
            self.before(each, "create", column)

    def _moves(self, key: Key) -> bool:
        """Whether a partition leaves its place for another in the same table."""
        gone = self.found.get(("drop", key))
        return gone is not None and gone.lets_go and any(_inherited(key, self.live, self.desired))

    def settle(self, key: Key, each: Work) -> None:
        """Once it is there, and what it names."""
        self.after(each, key, "create", "change", "drop")
        for name in _named(key, self.desired):
            self.after(each, name, "create", "change")
        for first, then in _around(key, each, self.found, self.live, self.desired):
            self.join(first, then)
        for parent in self.desired.parents(key) if key.kind == "column" else ():
            above = parent._replace(kind="column", part=key.part)
            if inheritance.is_required_first(key, above, self.live.objects, self.desired.objects):
                self.before(each, "settle", above)
            else:
                self.after(each, above, "settle")
        for owner in _serves(key, self.desired):
            self.after(each, owner, "create", "change")
        for owner in _serves(key, self.live) if ("drop", key) not in self.found else ():
            self.before(each, "drop", owner)

    def create(self, key: Key, each: Work) -> None:
        """Once what it inherits is there, and what it replaces has gone."""
        for column in _above(key, self.desired, self.live):
            self.after(each, column, "change", "settle", "drop")
        for column in _above(key, self.desired, self.desired):
            self.after(each, column, "create")
        for other in _replaced(key, self.live, self.desired):
            self.after(each, other, "drop")
        for need in self.live.needs(key) if key in self.live.objects else ():
            if not (need.owner == key.owner and self._moves(need)):
                self.after(each, need, "drop")

    def free(self, verb: Verb, key: Key, each: Work) -> None:
        """Before what it needs no longer goes.

        What settles after a change that disturbed may wait for what was put aside to come back.
        """
        changed = self.found.get(("change", key))
        frees = verb == "change" or (verb == "settle" and not (changed and changed.disturbs))
        if frees and ("drop", key) not in self.found:
            for need in self.live.needs(key) - self.desired.needs(key):
                self.before(each, "drop", need)
                moved = self.found.get(("change", need))
                self.join(each, moved if moved and moved.disturbs and need.kind != "column" else None)

    def wait(self, verb: Verb, key: Key, each: Work) -> None:
        """Once what it needs is there."""
        needs = (self.desired if key in self.desired.objects else self.live).needs(key)
        for need in _own(needs, key, whole=verb == "create"):
            self.after(each, need, "create")
            if not (need.owner == key.owner and self._moves(need)):
                self.after(each, need, "change")
            if need.kind == "column" and _is_primary(key, self.desired):
                self.after(each, need, "settle")
        for whole in _of_the_table(key, self.desired):
            self.after(each, whole, "drop", "change")


def _with(key: Key, side: Side) -> Iterator[Key]:
    """The indexes and keys of partitions that go with that of the partitioned table."""
    attached = side.schema.attached if key.kind in ("index", "constraint") else {}
    for part in attached.get(qualified(key.schema, key.part), ()):
        yield part.key
        yield from _with(part.key, side)


def _around(
    key: Key, settling: Work, found: Mapping[tuple[Verb, Key], Work], live: Side, desired: Side
) -> Iterator[tuple[Work | None, Work | None]]:
    """A table becomes a partition once its columns, checks and indexes fit.

    One that only leaves its place for another is back before there are new indexes: they belong to those above.
    """
    if key.kind != "table" or not settling.steps:
        return
    above = (*_above(key, desired, live), *_replaced(key, live, desired))
    yield from ((found.get(("drop", each)), settling) for each in above)
    back = {each.owner for each in live.parents(key) if each in desired.parents(key)}
    for owner in (key.owner, *back):
        for part in desired.schema.by_owner[owner]:
            if isinstance(part, Index) and back:
                yield from ((settling, found.get((verb, part.key))) for verb in ("create", "change"))
            elif isinstance(part, Column | Constraint | Index) and owner == key.owner:
                yield from ((found.get((verb, part.key)), settling) for verb in ("create", "change", "settle"))


def _replaced(key: Key, live: Side, desired: Side) -> Iterator[Key]:
    """What goes before a constraint is made: else a foreign key holds on to it, or it becomes part of the new one.

    A partition cannot have another key than the table above.
    """
    item = desired.objects.get(key)
    if isinstance(item, Table) and item.partition_bound:
        for parent in desired.parents(key):
            yield from (e.key for e in live.schema.by_owner.get(parent.owner, ()) if isinstance(e, Constraint))
    if isinstance(item, Constraint):
        other = live.schema.by_name.get(item.references or "")
        if other:
            yield from (e.key for e in live.schema.by_owner[other.key.owner] if isinstance(e, Constraint | Index))
        for name in live.schema.children.get(qualified(*key.owner), ()):
            owner = live.schema.by_name[name].key.owner
            yield from (e.key for e in live.schema.by_owner[owner] if isinstance(e, Constraint))


def _own(needs: Set[Key], key: Key, *, whole: bool) -> Iterator[Key]:
    """*needs*, of a table without the indexes that those of a partition belong to: only a *whole* one has them."""
    return (each for each in needs if whole or key.kind != "table" or each.kind not in ("index", "constraint"))


def _above(key: Key, side: Side, there: Side) -> list[Key]:
    """The columns that are *there* of the tables that a table inherits from on one side."""
    parents = side.parents(key) if key.kind == "table" else []
    return [column.key for parent in parents for column in there.schema.columns(*parent.owner)]


def _is_primary(key: Key, side: Side) -> bool:
    """The columns of a primary key cannot lose their NOT NULL while it is there."""
    item = side.objects.get(key)
    return isinstance(item, Constraint) and item.kind == "p"


def _named(key: Key, side: Side) -> Iterator[Key]:
    """The indexes that a table or materialized view names, and that which the key of a partition is part of."""
    item = side.objects.get(key)
    if isinstance(item, Table | View):
        identity = item.replica_identity.partition(" ")[2] if isinstance(item, Table) else ""
        for name in (identity, item.clustered):
            if name:
                yield from (Key(kind, *key.owner, name) for kind in ("index", "constraint"))
    if isinstance(item, Constraint) and item.parent and item.parent in side.schema.indexes:
        yield side.schema.indexes[item.parent]


def _inherited(key: Key, live: Side, desired: Side) -> Iterator[Key]:
    """What a partition, which only leaves its place for another, has from its parent: it changes there first."""
    parents = live.parents(key) if key.kind == "table" else []
    for parent in parents:
        if parent in desired.parents(key):
            for side in (live, desired):
                parts = side.schema.by_owner[parent.owner]
                yield from (e.key for e in parts if isinstance(e, Column | Constraint | Index))


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
            # A partition that only leaves its place keeps all names.
            for claim in _places_of(key, live) if each.lets_go and key.kind == "table" else claims(key, live):
                taken[claim].append((key, each))
    for (verb, key), each in found.items():
        if verb not in ("drop", "prepare"):
            for claim in claims(key, desired):
                yield from ((other, each) for name, other in taken.get(claim, ()) if name != key)


def _places_of(key: Key, side: Side) -> Iterator[object]:
    """The places that a partition takes."""
    return (each for each in claims(key, side) if isinstance(each, tuple) and each[0] == "partition of")


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
