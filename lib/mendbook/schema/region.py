"""A region: the part of a schema that a change can meet, small enough to be built again however large the whole is."""

from __future__ import annotations

from collections.abc import Iterable

from mendbook.schema.key import Key, qualified
from mendbook.schema.objects import Custom, Grant, Object, Sequence
from mendbook.schema.relations import Column, Constraint, Index, Part, Table, View
from mendbook.schema.snapshot import Snapshot

# Small kinds, on which much can depend that pg_depend does not tell.
_ALWAYS = ("schema", "extension", "collation", "default privilege", "setting")


def around(sides: Iterable[Snapshot], keys: Iterable[Key]) -> tuple[Snapshot, ...]:
    """The same region of each of *sides*: the objects *keys*, all that uses them, and all that those need.

    Of a table that is only needed, the rest of what points from it to other tables is left out.
    """
    both = tuple(sides)
    found: set[Key] = set()
    whole: set[tuple[str, str]] = set()
    for side in both:
        _Search(side, found, whole).run(keys)
    return tuple(_cut(side, found, whole) for side in both)


class _Search:
    """The closure in one schema; *found* and *whole* are shared with that of the other."""

    def __init__(self, side: Snapshot, found: set[Key], whole: set[tuple[str, str]]) -> None:
        self.side = side
        self.found = found
        self.whole = whole

    def run(self, keys: Iterable[Key]) -> None:
        for key in keys:
            self._take(key)
        users = list(self.found)
        while users:
            for user in self.side.needed_by.get(users.pop(), ()):
                if user not in self.found:
                    # What a foreign key's table is used by does not meet the change.
                    users += [user] if user.kind == "constraint" else self._take(user)
                    self.found.add(user)
        # pg_depend does not tell where a cast or a language is needed.
        self.found |= {key for key, item in self.side.objects.items() if isinstance(item, Custom)}
        todo = list(self.found)
        while todo:
            new = self._needs(todo.pop()) - self.found
            self.found |= new
            todo += new

    def _take(self, key: Key) -> list[Key]:
        """An object with the whole of what it is or belongs to."""
        self.whole.add(key.owner)
        taken = [each.key for each in self.side.by_owner.get(key.owner, ())]
        taken += [Key("table", *key.owner), key]
        for name in self.side.children.get(qualified(*key.owner), ()):
            child = self.side.by_name[name]
            if child.key.owner not in self.whole:
                taken += self._take(child.key)
        self.found.update(taken)
        return taken

    def _needs(self, key: Key) -> set[Key]:
        item = self.side.objects.get(key)
        needs = {*self.side.needs.get(key, ()), *(Key(kind, *key.owner) for kind in ("table", "view"))}
        pointed = self.side.by_name.get(item.references or "") if isinstance(item, Constraint) else None
        if pointed is not None:
            needs.add(pointed.key)
        if isinstance(item, Sequence) and item.owner_table:
            needs.add(Key("table", item.owner_schema or "", item.owner_table))
        if isinstance(item, Table):
            needs |= {self.side.by_name[each].key for each in item.parents if each in self.side.by_name}
        if isinstance(item, Table | View):
            needs |= {each.key for each in self.side.by_owner[key.owner] if _is_shell(each)}
        return needs


def _is_shell(item: Object) -> bool:
    """What a table is not without: its columns, its checks, and the keys that others point to."""
    if isinstance(item, Constraint):
        return item.kind in "puc"
    return isinstance(item, Column | Index) and not (
        isinstance(item, Index) and item.parent is None and not item.unique
    )


def _cut(side: Snapshot, found: set[Key], whole: set[tuple[str, str]]) -> Snapshot:
    def keeps(key: Key, item: Object) -> bool:
        if key.kind in _ALWAYS or key in found:
            return True
        return isinstance(item, Part | Grant) and key.owner in whole

    kept = {key: item for key, item in side.objects.items() if keeps(key, item)}
    return Snapshot(objects=kept, needs=side.needs, volatile=side.volatile, major=side.major)
