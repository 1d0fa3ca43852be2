"""What each object of one schema needs, and the names that it claims for itself."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mendbook.schema import privileges
from mendbook.schema.key import Key, qualified
from mendbook.schema.objects import Extension, Function, Grant, Object, Publication, Sequence, Type
from mendbook.schema.relations import Column, Constraint, Index, Statistics, Table, View
from mendbook.schema.snapshot import Snapshot

# What belongs to a relation or type, and is made and dropped by work of its own.
_PARTS = ("column", "constraint", "index", "trigger", "rule", "policy", "statistics", "grant")


class Side:
    """One of the two schemas, with what is looked up in it again and again."""

    def __init__(self, schema: Snapshot) -> None:
        self.schema = schema
        self.objects = schema.objects

    def needs(self, key: Key) -> set[Key]:
        """What an object needs, with what its parts need that are made and dropped with it."""
        item = self.objects.get(key)
        own = set(self.schema.needs.get(key, ()))
        own |= self.schema.extensions if key.kind not in ("schema", "extension") else set()
        if isinstance(item, Table):
            own |= self._whole(item)
        elif key.kind in _PARTS:
            own |= {Key(kind, *key.owner) for kind in ("table", "view", "sequence", "type")}
        if isinstance(item, Column) and not item.local:
            own |= {Key("column", *parent.owner, item.name) for parent in self.parents(key)}
        if isinstance(item, Extension):
            own.add(Key("schema", "", item.schema))
        if isinstance(item, Sequence) and item.owner_table:
            own.discard(Key("table", item.owner_schema or "", item.owner_table))
        if isinstance(item, Grant):
            own |= {Key(kind, "", key.name) for kind in privileges.OUTSIDE}
            own |= {Key("column", *key.owner, item.part), Key("function", *key.owner, item.part)}
        if isinstance(item, Index) and item.parent and item.parent in self.schema.indexes:
            own.add(self.schema.indexes[item.parent])
        if isinstance(item, Constraint):
            # The key of a partition is made first: that of the partitioned table takes it over.
            own.discard(self.schema.indexes.get(item.parent or "", key))
            own |= {each.key for each in self.schema.attached.get(qualified(item.schema, item.name), ())}
        if isinstance(item, Publication):
            own |= {each.key for each in self.schema.tables()}
        if key.schema:
            own.add(Key("schema", "", key.schema))
        return own - {key}

    def pointed(self, key: Key) -> set[Key]:
        """What the foreign keys need that go with a table."""
        parts = self.schema.by_owner.get(key.owner, ()) if key.kind == "table" else ()
        needs = (
            self.schema.needs.get(each.key, ()) for each in parts if isinstance(each, Constraint) and each.references
        )
        return {need for those in needs for need in those if need.owner != key.owner}

    def parents(self, key: Key) -> list[Key]:
        """The tables that the table of *key* is a partition of or inherits from."""
        table = self.objects.get(Key("table", *key.owner))
        names = table.parents if isinstance(table, Table) else ()
        return [self.schema.by_name[each].key for each in names if each in self.schema.by_name]

    def _whole(self, item: Table) -> set[Key]:
        needs = set(self.parents(item.key))
        for part in self.schema.by_owner[item.schema, item.name]:
            if circular(part, self.schema) or (isinstance(part, Index) and is_apart(part, self.schema)):
                continue
            if isinstance(part, Column | Index) or (isinstance(part, Constraint) and part.kind != "f"):
                needs |= {each for each in self.schema.needs.get(part.key, frozenset()) if each.owner != item.key.owner}
            if isinstance(part, Index) and part.parent and part.parent in self.schema.indexes:
                needs.add(self.schema.indexes[part.parent])
        return needs


def is_apart(part: Index, side: Snapshot) -> bool:
    """Whether an index of a partition is part of one that others lack: they would get it by being attached."""
    parent = side.objects.get(side.indexes.get(part.parent or "", part.key))
    return part.parent is not None and isinstance(parent, Index) and not parent.valid


def circular(part: Object, side: Snapshot) -> bool:
    """Whether a part of a table needs something, such as a function of its rows, that needs the table itself."""
    if not isinstance(part, Constraint | Index):
        return False
    table = Key("table", *part.key.owner)
    seen: set[Key] = set()
    todo = [each for each in side.needs.get(part.key, ()) if each.kind in ("function", "view")]
    while todo:
        each = todo.pop()
        if each not in seen:
            seen.add(each)
            needs = side.needs.get(each, frozenset())
            if table in needs:
                return True
            todo += [need for need in needs if need.kind in ("function", "view", "type")]
    return False


def claims(key: Key, side: Side) -> Iterator[object]:
    """The names that an object takes, and what else there can only be one of."""
    item = side.objects.get(key)
    if item is not None:
        yield from claimed(item)
    if isinstance(item, Table):
        for part in side.schema.by_owner[key.owner]:
            if isinstance(part, Index | Constraint | Column | Statistics):
                yield from claimed(part)
        yield from (("partition of", parent) for parent in item.parents if item.partition_bound)
    if isinstance(item, Index | Constraint):
        for part in side.schema.attached.get(qualified(item.schema, item.name), ()):
            yield from claims(part.key, side)


def claimed(item: Object) -> Iterator[object]:
    """The names that an object takes without its parts."""
    match item:
        case Table() | View() | Sequence() | Type() | Index():
            yield item.schema, item.name
        case Constraint():
            if item.kind in "pux":
                yield item.schema, item.name
            if item.kind == "p":
                yield "primary key of", item.schema, item.table
        case Statistics():
            yield "statistics", item.namespace, item.name
        case Column():
            if item.identity:
                yield item.schema, identity_sequence(item)
        case Function():
            # Two of a name may make a call ambiguous.
            yield "function", item.schema, item.name


def identity_sequence(item: Column) -> str:
    """The name of an identity column's sequence."""
    named = _NAMED.search(item.sequence or "")
    return named[1].replace('""', '"').strip('"') if named else f"{item.table}_{item.name}_seq"


_NAMED = re.compile(r"SEQUENCE NAME (?:\"(?:[^\"]|\"\")+\"|[^\s.\"]+)\.(\"(?:[^\"]|\"\")+\"|[^\s.\"]+)")
