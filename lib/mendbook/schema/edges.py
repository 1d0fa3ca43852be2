"""What has to be done before what: the edges between pieces of work."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set

from mendbook.schema import inheritance
from mendbook.schema.claims import Side, claims
from mendbook.schema.key import Key, qualified
from mendbook.schema.objects import Grant, Sequence
from mendbook.schema.relations import Column, Constraint, Index, Table, View
from mendbook.schema.work import SLOW, Verb, Work

_ANY: tuple[Verb, ...] = ("create", "change", "settle", "drop")


def gather(work: Iterable[Work], live: Side, desired: Side) -> dict[Work, set[Work]]:
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
        if key.kind in SLOW and settling and settling.steps and not named:
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
        for partition in _lacking(key, self.desired):
            self.after(each, partition, "create", "settle")
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


def _lacking(key: Key, side: Side) -> Iterator[Key]:
    """The partitions that lack an index of their table: they would get it by being attached."""
    item = side.objects.get(key)
    if isinstance(item, Index) and not item.valid:
        yield from (side.schema.by_name[each].key for each in side.schema.children.get(qualified(*key.owner), ()))


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
