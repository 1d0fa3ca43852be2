"""From a Drift to Steps: what has to be made, changed, dropped, or dropped and made again, in an order that works."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mendbook.errors import Refused
from mendbook.schema import creation, order
from mendbook.schema.drift import Difference, Drift
from mendbook.schema.forms import columns, constraints, indexes, others, tables, types, views
from mendbook.schema.forms.context import Context, belonging, unplannable
from mendbook.schema.key import Key, qualified
from mendbook.schema.objects import Function, Grant, Object, Other, Schema, Sequence, Type
from mendbook.schema.order import Work
from mendbook.schema.relations import Column, Constraint, Index, Part, Table, View
from mendbook.schema.snapshot import Snapshot
from mendbook.schema.step import Step

__all__ = ["Left", "Repair", "Step", "repair"]

# The module that knows the forms of a kind; all have create, change, drop and recreates.
_FORMS: Mapping[type, Any] = {
    Table: tables,
    Column: columns,
    Constraint: constraints,
    Index: indexes,
    View: views,
    Function: views,
    Type: types,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Left:
    """A difference that is left as it is, and why."""

    difference: Difference
    reason: str

    def __str__(self) -> str:
        return f"{self.difference.key} is left as it is: {self.reason}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Repair:
    """What makes one schema into another."""

    steps: tuple[Step, ...]
    left: tuple[Left, ...]


def repair(drift: Drift, live: Snapshot, desired: Snapshot, *, drops: bool) -> Repair:
    """Return the Steps that make *live* into *desired*, in an order in which they can run.

    Without *drops*, what exists only in the live database and what would lose data is left alone and listed. Raises
    `Refused` for differences that have no Step, by their names. What a step rewrites is stated where it always does;
    `measure` knows it for sure.
    """
    made = _Repair(drift, Context(live=live, desired=desired, drops=drops))
    return Repair(steps=tuple(step for work in made.work() for step in work.steps), left=tuple(made.left))


def script(whole: Snapshot) -> Iterator[tuple[Key, str]]:
    """Every statement that builds *whole* in a new database, each with the object it makes, in an order that works."""
    # A new database has the schema public; what is only named cannot be made.
    public = Schema(name="public", comment="standard public schema")
    empty = Snapshot(objects={public.key: public}, major=whole.major)
    known = [item for item in whole.objects.values() if not isinstance(item, Other)]
    drift = Drift(
        differences=tuple(Difference(key=each.key, live=None, desired=each) for each in known if each.key != public.key)
    )
    for work in _Repair(drift, Context(live=empty, desired=whole, drops=True)).work():
        for step in work.steps:
            yield from ((work.key, statement) for statement in step.forward)


class _Repair:
    """The work of one repair."""

    def __init__(self, drift: Drift, context: Context) -> None:
        self.context = context
        self.live = context.live.objects
        self.desired = context.desired.objects
        self.left: list[Left] = []
        self.differences = {item.key: item for item in drift.differences if not self._is_left(item)}
        self.gone = {key for key, item in self.differences.items() if item.verdict == "extra"}
        self.again = {
            key: None
            for key, item in self.differences.items()
            if item.verdict == "changed" and self._form(item).recreates(item, context)
        }
        self._close()

    def _form(self, item: Difference) -> Any:
        return _FORMS.get(type(item.desired or item.live), others)

    def _is_left(self, item: Difference) -> bool:
        if self.context.drops:
            return False
        reason = "it exists only in the live database" if item.verdict == "extra" else ""
        loses = getattr(self._form(item), "loses", None)
        if item.verdict == "changed" and loses:
            lost = loses(item, self.context)
            reason = f"the change would lose {lost}" if lost else ""
        whole = item.verdict == "extra" and self._comes_with(item)
        if reason and not whole:
            self.left.append(Left(difference=item, reason=reason))
        return bool(reason)

    def _comes_with(self, item: Difference) -> bool:
        """Whether an extra object is part of another extra one, which stands for both."""
        owners = [Key(kind, *item.key.owner) for kind in ("table", "view", "type", "sequence")]
        return any(key != item.key and key in self.live and key not in self.desired for key in owners)

    # ---- what stands in the way

    def _close(self) -> None:
        """Find what has to be dropped and made again because of what it needs."""
        todo = [*self.gone, *self.again, *(key for key, item in self.differences.items() if self._disturbs(item))]
        while todo:
            key = todo.pop()
            for user in sorted(self.context.live.needed_by.get(key, ())) + self._expressed(key):
                if user not in self.again and user not in self.gone and self._is_in_the_way(user, key):
                    if user.kind != "column" or not self._is_moved(key, user):
                        self.again[user] = None
                    todo.append(user)

    def _disturbs(self, item: Difference) -> bool:
        if item.verdict != "changed":
            return False
        form = self._form(item)
        return form in (columns, types) and bool(form.disturbs(item))

    def _is_moved(self, key: Key, user: Key) -> bool:
        item = self.differences.get(key)
        return key.kind == "type" and item is not None and item.verdict == "changed" and types.is_moved(item, user)

    def _is_in_the_way(self, user: Key, key: Key) -> bool:
        """Whether *user* has to go while *key* goes or changes; PostgreSQL sees to some itself."""
        if user.owner == key.owner and key.kind == "table":
            return False
        if key.kind == "column":
            if user.kind in ("constraint", "index", "statistics"):
                return key in self.again and user.owner != key.owner
            return True
        if user.kind == "column":
            return self._is_moved(key, user) or (
                key in self.again and key in self.context.desired.needs.get(user, frozenset())
            )
        if user.kind == "table":
            return key in self.again or key in self.gone
        return True

    def _expressed(self, key: Key) -> list[Key]:
        """The generated columns of the same table whose expression names a column."""
        if key.kind != "column":
            return []
        siblings = self.context.live.columns(*key.owner)
        return [
            each.key
            for each in siblings
            if each.generated and each.key != key and key.part in (each.default or "") and each.key in self.desired
        ]

    # ---- the work

    def work(self) -> Iterator[Work]:
        """All work, in order; raises `Refused` naming what has no Step."""
        problems: list[str] = []
        going = [key for key in (*self.gone, *self.again) if key in self.live and not self._goes_with(key)]
        work = [self._work("drop", key, self.live[key], problems) for key in going]
        for key, item in self._wanted():
            if not self._comes_new(key, item):
                work.append(self._work("create", key, item, problems))
        for key, difference in self.differences.items():
            if difference.verdict == "changed" and key not in self.again and not self._is_made_again(key):
                work.append(self._work("change", key, difference, problems))
                if work[-1].disturbs and key.kind == "column":
                    work.append(Work(verb="settle", key=key, steps=columns.settle(difference, self.context)))
        if problems:
            raise Refused("\n".join(problems))
        yield from order.arrange(work, self.context.live, self.context.desired, set(self.again))

    def _work(self, verb: order.Verb, key: Key, what: Object | Difference, problems: list[str]) -> Work:
        form = _FORMS.get(type(what.desired if isinstance(what, Difference) else what), others)
        made: list[Step] = []
        disturbs = isinstance(what, Difference) and self._disturbs(what)
        try:
            if isinstance(what, Difference):
                made = form.change(what, self.context)
            elif isinstance(what, Other):
                raise unplannable(self._difference(key))
            else:
                made = getattr(form, verb)(what, self.context)
                made = self._owned(what, made) if verb == "create" else made
        except Refused as error:
            problems.append(str(error))
        return Work(verb=verb, key=key, steps=made, disturbs=disturbs)

    def _difference(self, key: Key) -> Difference:
        return Difference(key=key, live=self.live.get(key), desired=self.desired.get(key))

    def _owned(self, item: Object, made: list[Step]) -> list[Step]:
        """A sequence for a column that is there already is given to it."""
        if isinstance(item, Sequence) and item.owner_table:
            column = Key("column", item.owner_schema or "", item.owner_table, item.owner_column or "")
            if column in self.live:
                given = Step(title=f"Give {item.key} to {column}", forward=(creation.own_sequence(item),), undo=())
                return [*made, given]
        return made

    def _wanted(self) -> Iterator[tuple[Key, Object]]:
        """What has to be created: what is missing, and what is made again with all that belongs to it."""
        for key, difference in self.differences.items():
            if difference.desired is not None and difference.verdict == "missing":
                yield key, difference.desired
        for key in self.again:
            kept = self.desired.get(key) or self.live[key]
            yield key, kept
            for part in self._parts(key, kept):
                if part.key not in self.again and (part.key in self.live or part.key in self.desired):
                    known = self.differences.get(part.key)
                    if known is None or known.verdict != "missing":
                        yield part.key, part

    def _parts(self, key: Key, item: Object) -> list[Object]:
        """What belongs to an object that is made again: as desired, and what is left alone."""
        parts = {each.key: each for each in belonging(self.live[key], self.context.live)}
        parts = {name: each for name, each in parts.items() if name not in self.gone and name not in self.desired}
        return (
            [*belonging(item, self.context.desired), *parts.values()] if key in self.desired else list(parts.values())
        )

    def _is_made_again(self, key: Key) -> bool:
        """Whether a part is made anew with what it belongs to."""
        return any(key != owner and key.owner == owner.owner and self._is_part(key, owner) for owner in self.again)

    def _is_part(self, key: Key, owner: Key) -> bool:
        found = self.live.get(owner) or self.desired.get(owner)
        side = self.context.live if owner in self.live else self.context.desired
        return found is not None and any(each.key == key for each in belonging(found, side))

    def _goes_with(self, key: Key) -> bool:
        """Whether dropping something else takes *key* with it."""
        item = self.live[key]
        dropped = self.gone | set(self.again)
        if isinstance(item, Column | Constraint) and not item.local:
            return True
        if isinstance(item, Index) and item.parent and self._parent_goes(item, dropped):
            return True
        if isinstance(item, Sequence) and item.owner_table:
            owner = (item.owner_schema or "", item.owner_table)
            return {Key("table", *owner), Key("column", *owner, item.owner_column or "")} & dropped != set()
        if isinstance(item, Constraint) and item.kind == "f" and self._points_at(item, dropped):
            return False
        if isinstance(item, Part | Grant):
            owners = [Key(kind, *key.owner) for kind in ("table", "view", "type", "sequence")]
            owners += [each for each in dropped if each.kind == "function" and each.owner == key.owner]
            owners += [Key("schema", "", key.name)] if isinstance(item, Grant) and item.object == "SCHEMA" else []
            column = Key("column", *key.owner, item.part) if isinstance(item, Grant) else None
            return any(each != key and each in dropped for each in owners) or column in dropped
        return False

    def _parent_goes(self, item: Index, dropped: set[Key]) -> bool:
        for key in dropped:
            if key.kind == "index" and qualified(key.schema, key.part) == item.parent:
                return True
        return Key("table", *item.key.owner) in dropped

    def _points_at(self, item: Constraint, dropped: set[Key]) -> bool:
        """A foreign key between two tables that go is dropped first: they may point at each other."""
        return any(
            each.kind == "table"
            and qualified(each.schema, each.name) == item.references
            and each.owner != item.key.owner
            for each in dropped
        )

    def _comes_new(self, key: Key, item: Object) -> bool:
        """Whether creating something else makes *item* as well."""
        table = self.desired.get(Key("table", *key.owner))
        if isinstance(item, Sequence) and item.owner_table:
            table = self.desired.get(Key("table", item.owner_schema or "", item.owner_table))
        created = isinstance(table, Table) and (table.key not in self.live or table.key in self.again)
        if isinstance(item, Column | Constraint) and not item.local and not created:
            return True  # it comes with the parent's
        return created and isinstance(table, Table) and table.key != key and tables.covers(table, item)
