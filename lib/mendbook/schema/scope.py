"""The scope of a repair: what goes, what goes and comes back, and what is let go for a moment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from mendbook.schema import inheritance
from mendbook.schema.claims import claimed, identity_sequence
from mendbook.schema.drift import Difference
from mendbook.schema.forms import anew, columns, tables, types
from mendbook.schema.forms.catalogue import form_of
from mendbook.schema.forms.context import Context, unplannable
from mendbook.schema.key import Key
from mendbook.schema.objects import Object, Publication, Sequence, Type
from mendbook.schema.relations import Column, Constraint, Table, View

_REBUILT = ("constraint", "index", "statistics")  # PostgreSQL itself does these again when a column's type changes


class Scope:
    """What has to be touched to make one schema into another."""

    def __init__(self, differences: Iterable[Difference], context: Context) -> None:
        self.context = context
        self.live = context.live.objects
        self.desired = context.desired.objects
        predicted = inheritance.predict({item.key: item for item in differences}, context)
        self.differences = predicted
        self.gone = {key for key, item in predicted.items() if item.verdict == "extra"}
        self.anew: dict[Key, None] = {}  # types and collations made anew under the columns that have them
        self.loose: dict[Key, None] = {}  # a column's default, a domain's checks, a partition's place: let go at first
        self.again: dict[Key, None] = {}
        for key, item in predicted.items():
            if item.verdict == "changed":
                if anew.replaces(item, context):
                    self.anew[key] = None
                elif form_of(item).recreates(item, context):
                    self.again[key] = None
                if isinstance(item.live, Column) and columns.divides(item, context):
                    self.again[Key("table", *key.owner)] = None
        made = (item.desired for item in predicted.values() if item.desired is not None)
        self._claimed = {each for item in made for each in self._names(item)}
        self._close()
        for key, item in self.differences.items():
            if item.verdict == "changed" and key not in self.again and self._lets_go(item):
                self.loose[key] = None
        self._untype()
        self._move()
        context.going.update(self.gone, self.again)
        context.again.update(self.again)
        for key in self.loose:
            known = self.differences.get(key)
            # Where there is no difference any longer, it becomes what it should by itself.
            live: Any = (known.live if known else None) or self.desired.get(key, self.live[key])
            both = Difference(key=key, live=live, desired=self.desired.get(key, self.live[key]))
            self._predict(both, form_of(live).loosened(live))
        self._reinstate()

    # ---- what stands in the way

    def _close(self) -> None:
        """Find what has to be dropped and made again because of what it needs."""
        moved: set[Key] = set()
        todo = [*self.gone, *self.again, *self.anew, *(key for key in self.differences if self._disturbs(key))]
        while todo:
            key = todo.pop()
            for user in sorted(self.context.live.needed_by.get(key, ())):
                known = user in self.again or user in self.gone or user in self.anew or user in self.loose
                if not known and self._is_in_the_way(user, key):
                    place = self._place(user, key)
                    place[user] = None
                    if place is not self.loose:
                        todo.append(user)
                elif not known and key in self.anew and user.kind == "column" and user not in moved:
                    moved.add(user)
                    todo.append(user)
                    if columns.is_dividing(user, self.context):
                        self._divide(key, user, todo)

    def _divide(self, key: Key, user: Key, todo: list[Key]) -> None:
        """A table that is partitioned by a column of a type that is made anew is made anew itself, without its rows."""
        if not self.context.drops:
            changed = Difference(key=key, live=self.live[key], desired=self.desired.get(key, self.live[key]))
            raise unplannable(changed, f"{user} divides its table into partitions, which would lose every row")
        self.again[Key("table", *user.owner)] = None
        todo.append(Key("table", *user.owner))

    def _place(self, user: Key, key: Key) -> dict[Key, None]:
        """How something in the way gets out of it."""
        item = self.live[user]
        if isinstance(item, Type) and key in self.anew:
            return self.anew
        if isinstance(item, Type):
            if not types.can_loosen(item, self.context):
                changed = Difference(key=user, live=item, desired=self.desired.get(user, item))
                raise unplannable(changed, f"it needs {key}, which has to be made anew, and arrays or rows hold it")
            return self.loose
        if isinstance(item, Publication) or (isinstance(item, Column) and not item.generated):
            return self.loose
        return self.again

    def _disturbs(self, key: Key) -> bool:
        item = self.differences[key]
        return isinstance(item.desired, Column) and item.verdict == "changed" and columns.disturbs(item)

    def _is_in_the_way(self, user: Key, key: Key) -> bool:
        """Whether *user* has to go while *key* goes or changes; PostgreSQL sees to some itself."""
        difference = self.differences.get(user)
        dropped = key in self.gone or key in self.again
        if key in self.gone and difference and not self._is_replaced(key):
            freed = key not in self.context.desired.needs.get(user, frozenset())
            if freed and difference.verdict == "changed" and user.kind not in _REBUILT:
                return False  # it is changed in place first, and needs *key* no longer
        if user.kind == "table":
            return key in self.again
        if key.kind == "table" and user.owner == key.owner:
            return False
        if key.kind == "column" and not dropped and user.kind in _REBUILT:
            item = self.live[user]
            return difference is not None or (isinstance(item, Constraint) and item.kind == "f")
        if user.kind == "column" and key in self.anew:
            # Its type is changed with the type; of a generated column that is not possible.
            item = self.live[user]
            return isinstance(item, Column) and bool(item.generated)
        return True

    def _is_replaced(self, key: Key) -> bool:
        """Whether something else takes the name of what goes."""
        parts = self.context.live.by_owner[key.owner] if key.kind == "table" else (self.live[key],)
        return any(name in self._claimed for part in parts for name in self._names(part))

    def _names(self, item: Object) -> Iterator[object]:
        if item.key not in self.live or item.key not in self.desired:
            yield from claimed(item)
        elif isinstance(item, Column) and item.identity:
            yield item.schema, identity_sequence(item)

    # ---- what is let go at first

    def _lets_go(self, item: Difference) -> bool:
        if isinstance(item.live, Table):
            return tables.detaches(item)
        if isinstance(item.live, Sequence) and item.live.owner:
            owner = Key("table", *item.live.owner.owner)
            return owner in self.gone and self._is_replaced(owner)
        if isinstance(item.live, Column) and isinstance(item.desired, Column):
            return bool(item.live.identity) and not item.desired.identity
        return False

    def _untype(self) -> None:
        """A table of a type that changes is of none meanwhile."""
        for key in [key for key, item in self.differences.items() if key.kind == "type" and item.verdict == "changed"]:
            for user in self.context.live.needed_by.get(key, ()):
                live, new = self.live[user], self.desired.get(user)
                if isinstance(live, Table) and isinstance(new, Table) and live.row_type and user not in self.again:
                    self.loose[user] = None

    def _move(self) -> None:
        """A column that is moved to a type made anew gets its default on the way."""
        for key in {user for each in self.anew for user in self.context.live.needed_by.get(each, ())}:
            item = self.differences.get(key)
            live, new = (item.live, item.desired) if item else (None, None)
            if item and isinstance(live, Column) and isinstance(new, Column):
                kept = live.default if new.generated or live.type != new.type else new.default
                self._predict(item, live._replace(default=kept))

    def _predict(self, item: Difference, live: Object) -> None:
        """State what an object will be like before its own change."""
        self.differences.pop(item.key, None)
        if live != item.desired:
            self.differences[item.key] = Difference(key=item.key, live=live, desired=item.desired)

    def _reinstate(self) -> None:
        """What a table is told by an index that goes, it is told again."""
        for key in [*self.again, *(key for key in self.differences if key.kind == "index")]:
            for relation in (Key(kind, *key.owner) for kind in ("table", "view") if key.kind in _REBUILT):
                known = self.differences.get(relation)
                item = known.live if known else self.live.get(relation)
                new = self.desired.get(relation)
                if isinstance(item, Table | View) and isinstance(new, Table | View) and relation not in self.again:
                    if key in self.gone and tables.without_index(new, key.part) == new:
                        continue
                    both = Difference(key=relation, live=item, desired=new)
                    self._predict(both, tables.without_index(item, key.part))
