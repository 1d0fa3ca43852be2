"""The tables that statements name, as they are on the target: for people, at a glance."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from mendbook import render
from mendbook.schema.key import Key, qualified
from mendbook.schema.relations import View
from mendbook.schema.snapshot import Snapshot


@dataclass(frozen=True, kw_only=True, slots=True)
class Tables:
    """(exists or missing, name, number of columns, estimated rows, size) of each."""

    rows: tuple[tuple[str, str, str, str, str], ...]

    def _repr_html_(self) -> str:
        return render.table_html(_HEAD, self.rows, marks=_MARKS, empty="The statements name no table.")

    def __str__(self) -> str:
        return render.table_text(_HEAD, self.rows, marks=_MARKS, empty="The statements name no table.")


_HEAD = ("", "relation", "columns", "rows (estimate)", "size")
_MARKS = {"missing": "bad", "exists": "good"}


def describe(
    conn: psycopg.Connection[Any], live: Snapshot, names: Iterable[tuple[str | None, str]], schemas: Sequence[str]
) -> Tables:
    """Describe relations by (schema or None, name); None is looked up along *schemas*, the effective search_path."""
    return Tables(rows=tuple(_row(conn, live, schema, name, schemas) for schema, name in dict.fromkeys(names)))


def _row(
    conn: psycopg.Connection[Any], live: Snapshot, schema: str | None, name: str, schemas: Sequence[str]
) -> tuple[str, str, str, str, str]:
    places = [schema] if schema else schemas
    for place in places:
        if Key("table", place, name) in live.objects or Key("view", place, name) in live.objects:
            found = conn.execute(
                "SELECT reltuples::bigint, pg_table_size(oid) FROM pg_class WHERE oid = to_regclass(%s)",
                [qualified(place, name)],
            ).fetchone() or (-1, 0)
            view = live.objects.get(Key("view", place, name))
            columns = len(view.columns) if isinstance(view, View) else len(live.columns(place, name))
            # -1: never analyzed
            rows = "not known" if found[0] < 0 else f"{found[0]:,}"
            return "exists", f"{place}.{name}", str(columns), rows, f"{found[1] / 1024:,.0f} kB"
    return "missing", ".".join(each for each in (schema, name) if each), "", "", ""
