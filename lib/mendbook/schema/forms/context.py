"""What a form may look at: the schema as it is, and as it should be."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import LiteralString

from psycopg import sql

from mendbook.errors import Refused
from mendbook.schema import creation, definition, privileges
from mendbook.schema.drift import Difference
from mendbook.schema.key import Key, qualified
from mendbook.schema.locks import Lock
from mendbook.schema.objects import Function, Grant, Object, Type
from mendbook.schema.relations import Column, Constraint, Index, Part, Table, View
from mendbook.schema.snapshot import Snapshot
from mendbook.schema.step import Step
from mendbook.schema.text import text


@dataclass(frozen=True, kw_only=True)
class Context:
    """Both sides of a drift."""

    live: Snapshot
    desired: Snapshot
    drops: bool  # what exists only in the live database goes
    going: set[Key] = field(default_factory=set)  # what is dropped, made again or not
    again: set[Key] = field(default_factory=set)  # what is dropped and made again
    renamed: dict[Key, Index | Constraint] = field(default_factory=dict)  # what is there under another name
    apart: set[Key] = field(default_factory=set)  # what is dropped by a step of its own

    def relation(self, key: Key) -> Table | View | None:
        """The table or view that *key* is or belongs to, as it is now."""
        found = self.live.objects.get(Key("table", *key.owner)) or self.live.objects.get(Key("view", *key.owner))
        return found if isinstance(found, Table | View) else None

    def table(self, key: Key) -> Table | None:
        """The table that *key* is or belongs to, as it is now."""
        found = self.live.objects.get(Key("table", *key.owner))
        return found if isinstance(found, Table) else None

    def exists(self, name: str | None) -> bool:
        """Whether there is a table of that qualified name now."""
        return name in self.live.by_name

    def descendants(self, name: str) -> list[str]:
        """The partitions and inheriting tables below a table: ALTER TABLE changes and locks them with it."""
        return [each for child in self.live.children.get(name, ()) for each in (child, *self.descendants(child))]

    def family(self, key: Key) -> list[str]:
        """The relation that *key* is or belongs to with all below it, where it exists now."""
        if self.relation(key) is None:
            return []
        name = qualified(*key.owner)
        return [name, *self.descendants(name)]

    def lock(self, key: Key, lock: Lock = Lock.ACCESS_EXCLUSIVE) -> dict[str, Lock]:
        """The lock on the relation of *key* and all below it; a relation that is new blocks nobody."""
        return dict.fromkeys(self.family(key), lock)


def step(item: Object, verb: str, forward: Iterable[str], undo: Iterable[str], **cost: object) -> Step:
    """A Step that does *verb* to *item*."""
    return Step(title=f"{verb} {item.key}", forward=tuple(forward), undo=tuple(undo), **cost)  # type: ignore[arg-type]


def altered(
    new: Column, forward: Iterable[str], undo: Iterable[str], context: Context, lock: Lock = Lock.ACCESS_EXCLUSIVE
) -> Step:
    """A Step that changes a column, of its table and all below it."""
    return step(new, "Change", forward, undo, locks=context.lock(new.key, lock))


def comment_lock(item: Object, context: Context) -> dict[str, Lock]:
    """What COMMENT takes: the relation is locked, not those below it."""
    if not isinstance(item, Column | Constraint | Index | Table | View | Part):
        return {}
    return {qualified(*item.key.owner): Lock.SHARE_UPDATE_EXCLUSIVE} if context.relation(item.key) else {}


def comments(item: Difference, context: Context) -> list[Step]:
    """The change of a comment, where that is what differs."""
    live, new = item.both
    if getattr(live, "comment", None) == getattr(new, "comment", None):
        return []
    forward, undo = definition.comment(new, new.comment), definition.comment(new, live.comment)  # type: ignore[union-attr]
    return [step(new, "Comment on", [forward], [undo], locks=comment_lock(new, context))]


def unplannable(item: Difference, why: str = "") -> Refused:
    """The refusal of a difference that has no Step, by its name."""
    detail = f" ({', '.join(item.fields)})" if item.fields else ""
    return Refused(
        f"{item.key} is {item.verdict}{detail}, and there is no safe step for that yet{why and f': {why}'}; nothing "
        f"was changed. Make that change by hand, then run this again."
    )


def again(key: Key, context: Context) -> list[str] | None:
    """The statements that make *key* anew as it is live, and all that needs it; None where that cannot be."""
    ordered: dict[Key, None] = {}
    todo = [key]
    while todo:
        each = todo.pop()
        ordered.pop(each, None)
        ordered[each] = None
        todo += [one for one in sorted(context.live.needed_by.get(each, ())) if one not in context.going]
    owners = {each.owner for each in ordered if each.kind in ("view", "function")}
    items = [context.live.objects[each] for each in ordered if each.owner not in owners or each.kind not in _PARTS]
    if any(isinstance(each, Table | Column | Type) for each in items):
        return None
    gone = [line for each in reversed(items) for line in definition.drop(each)]
    return [*gone, *(line for each in items for line in whole(each, context.live))]


_PARTS = ("trigger", "rule", "index", "grant")


def whole(item: Object, side: Snapshot) -> list[str]:
    """The statements that make anything but a table or a column, with all that belongs to it."""
    parts = (line for part in belonging(item, side) for line in creation.create(part))
    clustered = [creation.cluster(item)] if isinstance(item, View) and item.clustered else []
    return [*creation.create(item), *parts, *clustered]


def rename(old: Index | Constraint, new: Index | Constraint, context: Context) -> Step:
    """Give an index, and the constraint that stands on it, another name."""
    template: LiteralString = "ALTER INDEX {old} RENAME TO {new}"
    there, back = (
        text(template, old=sql.Identifier(one.schema, one.name), new=sql.Identifier(other.name))
        for one, other in ((old, new), (new, old))
    )
    said = [] if old.comment == new.comment else [definition.comment(new, new.comment)]
    unsaid = [] if old.comment == new.comment else [definition.comment(old, old.comment)]
    return step(new, "Rename to", [there, *said], [back, *unsaid], locks=comment_lock(new, context) if said else {})


def naming(item: Constraint | Index, context: Context) -> list[str]:
    """What a table says by the name of an index, to be said again once the index is back."""
    relation = context.relation(item.key)
    if relation is None:
        return []
    identified = isinstance(relation, Table) and relation.replica_identity == f"index {item.name}"
    identity = [creation.replica_identity(relation)] if isinstance(relation, Table) and identified else []
    return [*identity, *([creation.cluster(relation)] if relation.clustered == item.name else [])]


def belonging(owner: Object, side: Snapshot) -> list[Object]:
    """What comes and goes with a relation, type or function: its parts, their grants."""
    words = _GRANTED.get(owner.key.kind, ())
    return [item for item in side.by_owner.get(owner.key.owner, ()) if _belongs(item, owner, words)]


def _belongs(item: Object, owner: Object, words: tuple[str, ...]) -> bool:
    if isinstance(item, Grant):
        part = {Function: "arguments", Column: "name"}.get(type(owner), "")
        return item.object in words and (not part or item.part == getattr(owner, part))
    return isinstance(item, Part) and isinstance(owner, Table | View)


# What GRANT calls each kind.
_GRANTED = {
    "table": ("TABLE", "COLUMN"),
    "column": ("COLUMN",),
    "view": ("TABLE", "COLUMN"),
    "function": ("ROUTINE",),
    "type": ("TYPE", "DOMAIN"),
    "sequence": ("SEQUENCE",),
    **{kind: (word,) for kind, word in privileges.OUTSIDE.items()},
}
