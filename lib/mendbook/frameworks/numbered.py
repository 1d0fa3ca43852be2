"""A folder of numbered .sql files and the small runner that an application keeps for them."""

from __future__ import annotations

from collections.abc import Mapping

from mendbook.formats import Change, Format, script
from mendbook.frameworks import Framework
from mendbook.ledger import Ledger
from mendbook.migrations import Layout, by_number
from mendbook.origin import Origin

FRAMEWORK = Framework(
    name="numbered",
    title="numbered SQL files",
    home="no tool of its own: such a runner lets the driver's errors through",
)


def _order(name: str) -> tuple[bool, tuple[int, str]]:
    """By name, as most runners sort; but whoever numbers without zeros in front has one that puts 2 before 10."""
    return not name.startswith("0"), by_number(name)


# Runners of this kind differ; this is the common core: the file's name, and when it ran.
LEDGER = Ledger(
    table="schema_migrations",
    columns=("name",),
    create="CREATE TABLE {table} (name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())",
    name="name",
    at="to_jsonb(entry) ->> 'applied_at'",
    layout=Layout(file=r"(?P<name>[0-9](?:(?!\.down\.)[^/])*\.sql)", order=_order),
    row={"name": "{name}", "applied_at": "now()"},
)


def _files(change: Change) -> Mapping[str, str]:
    name = f"{change.number}_{change.title}"
    return {f"{name}.sql": script(change.forward), f"{name}.down.sql": script(change.backward)}


MIGRATION = Format(files=_files, alone=True)

EXPECTATION = Origin(prefix="numbered", form="DIR", means=LEDGER.layout)
