"""Drift: the difference of two Snapshots, object by object."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from psycopg import sql

from mendbook.schema.key import Key
from mendbook.schema.objects import Object, Sequence
from mendbook.schema.relations import Column, Table
from mendbook.schema.snapshot import Snapshot
from mendbook.schema.text import text


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """One object that is not the same on both sides."""

    key: Key
    live: Object | None  # None: it is missing
    desired: Object | None  # None: it exists only in the live database

    @property
    def verdict(self) -> str:
        """``missing``, ``extra`` or ``changed``, as seen from the live side."""
        if self.live is None:
            return "missing"
        return "extra" if self.desired is None else "changed"

    @property
    def both(self) -> tuple[Object, Object]:
        """The two sides of a changed object."""
        assert self.live is not None  # noqa: S101  by verdict
        assert self.desired is not None  # noqa: S101  by verdict
        return self.live, self.desired

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of the fields that differ, for a changed object."""
        if self.live is None or self.desired is None:
            return ()
        pairs = zip(self.live._fields, self.live, self.desired, strict=True)
        return tuple(name for name, live, desired in pairs if live != desired)

    def describe(self, item: Object | None) -> str:
        """Say in one line what one side holds."""
        if item is None:
            return "—"
        if self.fields:
            return ", ".join(f"{name}: {getattr(item, name)}" for name in self.fields)
        return summary(item)


@dataclass(frozen=True, kw_only=True, slots=True)
class Drift:
    """How a live schema differs from the desired one; false when they are equal."""

    differences: tuple[Difference, ...]

    def __bool__(self) -> bool:
        return bool(self.differences)

    def __len__(self) -> int:
        return len(self.differences)

    def rows(self) -> list[tuple[str, str, str, str]]:
        """(verdict, object, live, desired) of each difference, for people; a table stands for all that is in it."""
        whole = {item.key.owner for item in self.differences if item.key.kind in _WHOLE and item.verdict != "changed"}
        return [
            (item.verdict, str(item.key), item.describe(item.live), item.describe(item.desired))
            for item in self.differences
            if item.key.kind in _WHOLE or item.verdict == "changed" or not whole & {item.key.owner, _owner(item)}
        ]

    def _repr_html_(self) -> str:
        from mendbook import render

        return render.table_html(HEAD, self.rows(), marks=_MARKS, empty=SAME)

    def __str__(self) -> str:
        from mendbook import render

        return render.table_text(HEAD, self.rows(), marks=_MARKS, empty=SAME)


_WHOLE = ("table", "view")
HEAD = ("", "object", "live", "desired")
SAME = "No difference."
_MARKS = {"missing": "bad", "extra": "note", "changed": "warn"}


def compare(live: Snapshot, desired: Snapshot) -> Drift:
    """Return what has to change in *live* to make it *desired*."""
    return Drift(differences=tuple(sorted(_compare(live, desired), key=_place)))


def _owner(item: Difference) -> tuple[str, str]:
    """The table whose column a sequence serves."""
    found = item.live or item.desired
    return (found.owner_schema or "", found.owner_table or "") if isinstance(found, Sequence) else ("", "")


def renames(found: Drift, live: Snapshot, desired: Snapshot) -> list[str]:
    """The statements that rename what is extra into what is missing, where both look alike.

    Whether they are the same thing, only a person knows.
    """
    extra = [each for each in found.differences if each.verdict == "extra"]
    missing = [each for each in found.differences if each.verdict == "missing"]
    pairs = [(old.live, new.desired) for old in extra for new in missing]
    return [said for old, new in pairs if (said := _rename(old, new, live, desired))]


def _rename(old: Object | None, new: Object | None, live: Snapshot, desired: Snapshot) -> str:
    match old, new:
        case Column(), Column():
            alike = old._replace(name=new.name) == new
            table = sql.Identifier(old.schema, old.table)
            said = text("ALTER TABLE {t} RENAME COLUMN {old} TO {new}", t=table, old=_quoted(old), new=_quoted(new))
            return said if alike else ""
        case Table(), Table():
            columns = [
                [each[2:] for each in side.columns(*item.key.owner)] for side, item in ((live, old), (desired, new))
            ]
            alike = old._replace(name=new.name) == new and columns[0] == columns[1] != []
            table = sql.Identifier(old.schema, old.name)
            return text("ALTER TABLE {t} RENAME TO {new}", t=table, new=_quoted(new)) if alike else ""
    return ""


def _quoted(item: Column | Table) -> sql.Identifier:
    return sql.Identifier(item.name)


def _place(item: Difference) -> tuple[str, str, str]:
    """By name, whatever order the server read them in; the columns and grants of a table stay in its order."""
    return item.key.schema, item.key.name, "" if item.key.kind in ("column", "grant") else item.key.part


def _compare(live: Snapshot, desired: Snapshot) -> Iterable[Difference]:
    for key, item in desired.objects.items():
        found = live.objects.get(key)
        if found != item:
            yield Difference(key=key, live=found, desired=item)
    for key, item in live.objects.items():
        if key not in desired.objects:
            yield Difference(key=key, live=item, desired=None)


def summary(item: Object) -> str:
    """Say in one line what an object is."""
    if isinstance(item, Column):
        words = [item.type, "NOT NULL" if item.not_null else "", f"DEFAULT {item.default}" if item.default else ""]
        return " ".join(word for word in words if word)
    return str(getattr(item, "definition", None) or "exists")
