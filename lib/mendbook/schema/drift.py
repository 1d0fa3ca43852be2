"""Drift: the difference of two Snapshots, object by object."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mendbook.schema.key import Key
from mendbook.schema.objects import Object
from mendbook.schema.relations import Column
from mendbook.schema.snapshot import Snapshot


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
        """(verdict, object, live, desired) of each difference, for people."""
        return [
            (item.verdict, str(item.key), item.describe(item.live), item.describe(item.desired))
            for item in self.differences
        ]

    def _repr_html_(self) -> str:
        from mendbook import render

        return render.table_html(_HEAD, self.rows(), marks=_MARKS, empty="No difference.")

    def __str__(self) -> str:
        from mendbook import render

        return render.table_text(_HEAD, self.rows(), marks=_MARKS, empty="No difference.")


_HEAD = ("", "object", "live", "desired")
_MARKS = {"missing": "bad", "extra": "note", "changed": "warn"}


def compare(live: Snapshot, desired: Snapshot) -> Drift:
    """Return what has to change in *live* to make it *desired*."""
    return Drift(differences=tuple(sorted(_compare(live, desired), key=_place)))


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
