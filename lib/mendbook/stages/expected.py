"""What a runbook expects of the catalog, held against a Snapshot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mendbook.runbook import plain
from mendbook.runbook_text import Expected, Value
from mendbook.schema.key import Key, qualified
from mendbook.schema.relations import Column, Constraint, Index
from mendbook.schema.snapshot import Snapshot


def title(fact: Expected, values: Mapping[str, Value]) -> str:
    """Say in words what is expected."""
    table = ".".join(name for each in (fact.schema_, fact.table) if (name := plain(each, values)))
    if fact.column:
        kind = f" of type {plain(fact.type, values)}" if fact.type else ""
        null = {None: "", True: ", NOT NULL", False: ", nullable"}[fact.not_null]
        return f"{table} has the column {plain(fact.column, values)}{kind}{null}"
    if fact.index:
        return f"{table} has the index {plain(fact.index, values)}"
    if fact.references:
        return f"{table} has a foreign key to {plain(fact.references, values)}"
    return f"{table} exists"


def problem(fact: Expected, found: Snapshot, values: Mapping[str, Value], schemas: Sequence[str]) -> str:
    """Say what is wrong; empty where the fact holds. *schemas* is the effective search_path."""
    table = plain(fact.table, values)
    named = plain(fact.schema_, values)
    places = [named] if named else schemas
    schema = next((each for each in places if Key("table", each, table) in found.objects), None)
    if schema is None:
        return f"there is no table {table} in {', '.join(places)}"
    parts = found.by_owner[schema, table]
    if fact.column:
        wanted = plain(fact.column, values)
        column = next((each for each in parts if isinstance(each, Column) and each.name == wanted), None)
        return _column(fact, column, values)
    if fact.index:
        names = [each.name for each in parts if isinstance(each, Index | Constraint)]
        return "" if plain(fact.index, values) in names else f"it has {', '.join(names) or 'none'}"
    if fact.references:
        other = plain(fact.references, values)
        targets = [each.references for each in parts if isinstance(each, Constraint) and each.references]
        return "" if any(qualified(place, other) in targets for place in places) else "it has no such foreign key"
    return ""


def _column(fact: Expected, column: Column | None, values: Mapping[str, Value]) -> str:
    if column is None:
        return "there is no such column"
    kind = plain(fact.type, values)
    if kind and column.type != kind:
        return f"its type is {column.type}"
    if fact.not_null is not None and column.not_null != fact.not_null:
        return "it is NOT NULL" if column.not_null else "it is nullable"
    return ""
