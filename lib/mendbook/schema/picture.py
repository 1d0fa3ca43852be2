"""The picture of the tables that an incident is about, with what is missing marked."""

from __future__ import annotations

from collections.abc import Iterable

from mendbook.render import Box, Picture
from mendbook.schema.key import Key, qualified
from mendbook.schema.objects import Object
from mendbook.schema.relations import Column, Constraint, Table
from mendbook.schema.snapshot import Snapshot

MOST_COLUMNS = 25  # of one table; a wider one is cut, with the missing columns kept


def draw(live: Snapshot, desired: Iterable[Object]) -> Picture:
    """Draw the tables that *desired* objects belong to, and those that their foreign keys point to."""
    wanted = {item.key: item for item in desired}
    owners = dict.fromkeys(
        key.owner for key in wanted if key.kind in ("table", "column", "constraint", "index", "trigger")
    )
    parts = {owner: _parts(owner, live, wanted) for owner in owners}
    links = [
        (".".join(owner), part.references.replace('"', ""), part.name)
        for owner, items in parts.items()
        for part in items
        if isinstance(part, Constraint) and part.references
    ]
    for table in live.tables():
        owner = (table.schema, table.name)
        if owner not in parts and any(qualified(*owner).replace('"', "") == to for _, to, _ in links):
            parts[owner] = list(live.by_owner[owner])
    return Picture(boxes=tuple(_box(owner, items, live) for owner, items in parts.items()), links=tuple(links))


def _parts(owner: tuple[str, str], live: Snapshot, wanted: dict[Key, Object]) -> list[Object]:
    new = {key: item for key, item in wanted.items() if key.owner == owner}
    kept = [new.pop(item.key, item) for item in live.by_owner.get(owner, ())]
    return [*kept, *new.values()]


def _box(owner: tuple[str, str], items: list[Object], live: Snapshot) -> Box:
    columns = [(item.type, item.name, _mark(item, live)) for item in items if isinstance(item, Column)]
    shown = [each for at, each in enumerate(columns) if at < MOST_COLUMNS or each[2]]
    missing = any(isinstance(item, Table) and _mark(item, live) for item in items)
    cut = (("…", f"{len(columns) - len(shown)} more", ""),) if len(shown) < len(columns) else ()
    return Box(name=".".join(owner), mark="MISSING" if missing else "", columns=(*shown, *cut))


def _mark(item: Object, live: Snapshot) -> str:
    found = live.objects.get(item.key)
    if found is None:
        return "MISSING"
    return "" if found == item else "CHANGED"
