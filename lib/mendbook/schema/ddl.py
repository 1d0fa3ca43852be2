"""From a Drift to Steps: what has to be made, changed, dropped, or dropped and made again, in an order that works."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from mendbook import lexer
from mendbook.errors import Refused
from mendbook.schema import order, privileges
from mendbook.schema.claims import circular, claimed
from mendbook.schema.drift import Difference, Drift
from mendbook.schema.forms import anew, columns, constraints, sequences, tables, views
from mendbook.schema.forms.catalogue import form_of
from mendbook.schema.forms.context import Context, belonging, unplannable
from mendbook.schema.key import Key, qualified
from mendbook.schema.objects import DefaultPrivilege, Grant, Object, Other, Schema, Sequence
from mendbook.schema.relations import Column, Constraint, Index, Part, Policy, Rule, Table, Trigger, View
from mendbook.schema.scope import Scope
from mendbook.schema.snapshot import Snapshot
from mendbook.schema.step import Step
from mendbook.schema.work import Work

__all__ = ["Left", "Repair", "Step", "repair"]


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
    context = Context(live=live, desired=desired, drops=drops)
    left = [] if drops else list(_left(drift, context))
    spared = {each.difference.key for each in left}
    work = _Work(Scope((item for item in drift.differences if item.key not in spared), context), context)
    shown = tuple(each for each in left if not _comes_with(each.difference, context))
    return Repair(steps=tuple(step for each in work.ordered() for step in each.steps), left=shown)


def script(whole: Snapshot) -> Iterator[tuple[Key, str]]:
    """Every statement that builds *whole* in a new database, each with the object it makes, in an order that works."""
    # A new database has the schema public; what is only named cannot be made.
    public = Schema(name="public", comment="standard public schema")
    empty = Snapshot(objects={public.key: public}, major=whole.major, volatile=whole.volatile)
    known = [item for item in whole.objects.values() if not isinstance(item, Other)]
    missing = (Difference(key=each.key, live=None, desired=each) for each in known if each.key != public.key)
    context = Context(live=empty, desired=whole, drops=True)
    for work in _Work(Scope(missing, context), context).ordered():
        for each in work.steps:
            yield from ((work.key, statement) for statement in each.forward)


# ---- what is left alone


def _left(drift: Drift, context: Context) -> Iterator[Left]:
    """What exists only in the live database, what would lose data, and what cannot be without these."""
    differences = {item.key: item for item in drift.differences}
    left = {key: reason for key, item in differences.items() if (reason := _loses(item, context))}
    kept = {name for key in left for name in claimed(context.live.objects[key])}
    for key, item in differences.items():
        if item.desired and item.verdict == "missing" and kept & set(claimed(item.desired)):
            left[key] = "something of that name is left in its place"
    for key, item in differences.items():
        primary = _primary(item, left, context)
        if primary:
            left[key] = f"it is in {primary}, which is left as it is"
    todo = [key for key in left if differences[key].desired is not None]
    while todo:
        key = todo.pop()
        for user in sorted(context.desired.needed_by.get(key, ())):
            if user in differences and user not in left:
                left[user] = f"it needs {key}, which is left as it is"
                todo.append(user)
    yield from (Left(difference=differences[key], reason=reason) for key, reason in left.items())


def _primary(item: Difference, left: Mapping[Key, str], context: Context) -> Key | None:
    """The primary key that stays, because of which a column cannot become nullable."""
    live, new = item.live, item.desired
    if not isinstance(live, Column) or not isinstance(new, Column) or not live.not_null or new.not_null:
        return None
    for each in context.live.by_owner[item.key.owner]:
        if isinstance(each, Constraint) and each.kind == "p" and each.key in left:
            names = {token.text.strip('"') for token in lexer.significant(each.definition)}
            return each.key if live.name in names else None
    return None


def _loses(item: Difference, context: Context) -> str:
    if item.verdict == "extra":
        return "it exists only in the live database"
    loses = getattr(form_of(item), "loses", None)
    lost = loses(item, context) if item.verdict == "changed" and loses else ""
    return f"the change would lose {lost}" if lost else ""


def _comes_with(item: Difference, context: Context) -> bool:
    """Whether an extra object is part of another extra one, which stands for both."""
    owners = [Key(kind, *item.key.owner) for kind in ("table", "view", "type", "sequence")]
    live, desired = context.live.objects, context.desired.objects
    return item.verdict == "extra" and any(key != item.key and key in live and key not in desired for key in owners)


class _Work:
    """The work of one repair."""

    def __init__(self, scope: Scope, context: Context) -> None:
        self.scope = scope
        self.context = context
        self.live = context.live.objects
        self.desired = context.desired.objects
        self.dropped = scope.gone | set(scope.again)
        self.tables = {qualified(*key.owner): key for key in self.dropped if key.kind == "table"}
        self.indexes = {qualified(key.schema, key.part) for key in self.dropped if key.kind in ("index", "constraint")}
        self.defaults = [each for each in self.live.values() if isinstance(each, DefaultPrivilege)]
        self.problems: list[str] = []

    def ordered(self) -> Iterator[Work]:
        """All work, in order; raises `Refused` naming what has no Step."""
        work = [*self._dropped(), *self._created(), *self._changed()]
        if self.problems:
            raise Refused("\n".join(self.problems))
        again = {*self.scope.again, *self.scope.loose}
        yield from order.arrange(work, self.context.live, self.context.desired, again)

    def _steps(self, key: Key, form: object, verb: str, what: Object | Difference | anew.Group) -> list[Step]:
        try:
            if isinstance(what, Other):
                raise unplannable(self._difference(key))
            made: list[Step] = getattr(form, verb)(what, self.context)
            if verb == "change" and not made and not hasattr(form, "settle"):
                raise unplannable(self._difference(key))
        except Refused as error:
            self.problems.append(str(error))
            return []
        return made

    def _difference(self, key: Key) -> Difference:
        return Difference(key=key, live=self.live.get(key), desired=self.desired.get(key))

    def _dropped(self) -> Iterator[Work]:
        self.context.apart.update(key for key in self.dropped if key in self.live and not self._goes_with(key))
        for key in self.context.apart:
            item = self.live[key]
            made = self._steps(key, form_of(item), "drop", item)
            granted = {each.grantee for each in belonging(item, self.context.live) if isinstance(each, Grant)}
            said = privileges.usual(item, (each for each in self.defaults if each.grantee not in granted))
            back = [replace(made[0], undo=(*made[0].undo, *said)), *made[1:]] if made and said else made
            yield Work(verb="drop", key=key, steps=back)
        for key in self.scope.loose:
            item = self.live[key]
            yield Work(verb="drop", key=key, steps=self._steps(key, form_of(item), "loosen", item), lets_go=True)

    def _created(self) -> Iterator[Work]:
        for key, item in self._wanted():
            if self._comes_new(key, item):
                continue
            form = form_of(item)
            made = self._usual(item, self._steps(key, form, "create", item))
            if made and len(made) > 1 and hasattr(form, "is_preparation") and form.is_preparation(made[0]):
                yield Work(verb="prepare", key=key, steps=[made.pop(0)])
            yield Work(verb="create", key=key, steps=made)
            if isinstance(item, Sequence) and item.owner in self.live and item.owner not in self.dropped:
                yield Work(verb="settle", key=key, steps=sequences.give(item, self.context))
            if isinstance(item, Constraint) and self._is_apart(item):
                yield Work(verb="settle", key=key, steps=[constraints.attach(item, self.context)])
            if isinstance(item, View) and item.clustered:
                yield Work(verb="settle", key=key, steps=views.give(item, self.context))

    def _changed(self) -> Iterator[Work]:
        if self.scope.anew:
            first, *others = self.scope.anew
            steps = self._steps(first, anew, "change", anew.arrange(self.scope.anew, self.context))
            yield Work(verb="change", key=first, together=tuple(others), steps=steps, disturbs=True)
        parts = {part.key for key in self.scope.again for part in self._parts(key)}
        parts |= {part.key for key in self.scope.anew for part in belonging(self.live[key], self.context.live)}
        for key, item in self.scope.differences.items():
            if item.verdict != "changed" or key in self.scope.again or key in self.scope.anew or key in parts:
                continue
            form = form_of(item)
            disturbs = form is columns and columns.disturbs(item)
            refused = len(self.problems)
            made = self._steps(key, form, "change", item)
            yield Work(verb="change", key=key, steps=made, disturbs=disturbs)
            if hasattr(form, "settle"):
                settled = self._steps(key, form, "settle", item)
                yield Work(verb="settle", key=key, steps=settled)
                if not made and not settled and len(self.problems) == refused:
                    self.problems.append(str(unplannable(item)))

    def _usual(self, item: Object, made: list[Step]) -> list[Step]:
        """Default privileges give a new object, and the sequences that are made with it, what it should not have."""
        served = self.context.desired.sequences.get(item.key.owner, ()) if isinstance(item, Table) else ()
        made_with = [each for each in served if each.key not in self.live or each.key in self.dropped]
        said = [line for each in (item, *made_with) for line in privileges.usual(each, self.defaults)]
        return [replace(made[0], forward=(*made[0].forward, *said)), *made[1:]] if made and said else made

    def _wanted(self) -> Iterator[tuple[Key, Object]]:
        """What has to be created: what is missing, and what is made again with all that belongs to it."""
        yielded: set[Key] = set()
        for key, difference in self.scope.differences.items():
            if difference.desired is not None and difference.verdict == "missing":
                yielded.add(key)
                yield key, difference.desired
                for part in belonging(difference.desired, self.context.desired):
                    # What it replaces had the same.
                    new = part.key not in self.live or part.key in yielded or part.key in self.scope.again
                    if not new and self._goes_with(part.key):
                        yielded.add(part.key)
                        yield part.key, part
        for key in self.scope.again:
            yielded.add(key)
            yield key, self.desired.get(key) or self.live[key]
        for key in self.scope.again:
            for part in self._parts(key):
                known = self.scope.differences.get(part.key)
                if part.key not in yielded and (known is None or known.verdict != "missing"):
                    yielded.add(part.key)
                    yield part.key, part

    def _parts(self, key: Key) -> list[Object]:
        """What belongs to an object that is made again: as desired, and what is left alone."""
        kept = [each for each in belonging(self.live[key], self.context.live) if each.key not in self.desired]
        kept = [each for each in kept if each.key not in self.scope.gone]
        return [*belonging(self.desired[key], self.context.desired), *kept] if key in self.desired else kept

    def _goes_with(self, key: Key) -> bool:
        """Whether dropping something else takes *key* with it."""
        item = self.live[key]
        table = Key("table", *key.owner)
        if isinstance(item, Column | Constraint) and not item.local:
            return self._stays(key) or table in self.dropped
        if isinstance(item, Index | Constraint) and item.parent in self.indexes:
            return self._stays(key) or table not in self.scope.loose
        if isinstance(item, Sequence) and item.owner:
            return bool({Key("table", *item.owner.owner), item.owner} & self.dropped)
        if isinstance(item, Constraint) and item.kind == "f" and self._points_at(item):
            return False
        if isinstance(item, Part | Grant):
            if table in self.dropped and circular(item, self.context.live):
                return False
            if isinstance(item, Trigger | Policy | Rule) and self._holds(item):
                return False
            return any(each != key and each in self.dropped for each in _owners(item))
        return False

    def _holds(self, item: Trigger | Policy | Rule) -> bool:
        """Whether something else that goes cannot go before *item*: two tables may hold each other so."""
        needs = self.context.live.needs.get(item.key, frozenset())
        return any(each.owner != item.key.owner for each in needs & self.dropped)

    def _is_apart(self, item: Constraint) -> bool:
        """Whether a new key of a partition has to be told that it is part of an index: of a new key, it is at once."""
        parent = self.context.desired.indexes.get(item.parent or "")
        return (
            parent is not None
            and item.key not in self.context.renamed
            and (parent.kind == "index" or (parent in self.live and parent not in self.dropped))
        )

    def _stays(self, key: Key) -> bool:
        """Whether the table that *key* belongs to is below the same tables before and after."""
        live, new = (side.get(Key("table", *key.owner)) for side in (self.live, self.desired))
        return isinstance(live, Table) and isinstance(new, Table) and live.parents == new.parents

    def _is_above(self, key: Key) -> bool:
        """Whether a table that stays above that of *key* has a part of that name."""
        live, new = (side.get(Key("table", *key.owner)) for side in (self.live, self.desired))
        if not isinstance(live, Table) or not isinstance(new, Table):
            return False
        known = self.context.desired.by_name
        above = (known[each].key for each in new.parents if each in live.parents and each in known)
        return any(each._replace(kind=key.kind, part=key.part) in self.desired for each in above)

    def _points_at(self, item: Constraint) -> bool:
        """A foreign key between two tables that go is dropped first: they may point at each other."""
        other = self.tables.get(item.references or "")
        return other is not None and other.owner != item.key.owner

    def _comes_new(self, key: Key, item: Object) -> bool:
        """Whether creating something else makes *item* as well."""
        owner = item.owner if isinstance(item, Sequence) and item.owner else key
        table = self.desired.get(Key("table", *owner.owner))
        created = isinstance(table, Table) and (table.key not in self.live or table.key in self.scope.again)
        inherited = isinstance(item, Column | Constraint) and not item.local and not getattr(item, "parent", None)
        if inherited and not created and (self._stays(key) or self._is_above(key)):
            return True  # it comes with the parent's
        if created and isinstance(table, Table) and table.key != key:
            return tables.covers(table, item, self.context.desired)
        return False


def _owners(item: Part | Grant) -> Iterable[Key]:
    """What takes a part or a grant with it when it goes."""
    yield from (Key(kind, *item.key.owner) for kind in ("table", "view", "type", "sequence"))
    if isinstance(item, Grant):
        yield from (Key(kind, "", item.name) for kind, word in privileges.OUTSIDE.items() if word == item.object)
        yield Key("column", *item.key.owner, item.part)
        yield Key("function", *item.key.owner, item.part)
