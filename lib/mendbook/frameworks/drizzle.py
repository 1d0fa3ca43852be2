"""Drizzle, the query builder for TypeScript, and drizzle-kit."""

from __future__ import annotations

import json
from pathlib import Path

from mendbook.frameworks import Framework, Wording
from mendbook.origin import Command, Origin, Program, Scripts

FRAMEWORK = Framework(
    name="drizzle",
    title="Drizzle ORM",
    home="https://orm.drizzle.team and src/errors.ts of drizzle-team/drizzle-orm",
    over=("node-postgres", "postgres.js"),
    only=False,
    marks=("node_modules/drizzle-orm/", "node_modules/drizzle-kit/", "node_modules\\drizzle-orm\\"),
    shapes=(
        r"\bDrizzle(?:Query)?Error\b",
        r"\bdrizzle-kit\b",
        r"__drizzle_migrations",
        r"Failed query: [^\n]+\nparams: ",
    ),
    wordings=(Wording(text="Failed query: …", kind="other", own=False),),
    statements=(r"Failed query: (?P<sql>(?:.|\n){1,20000}?)\n\s*params: ",),
    qualifies_by="table",
)


def _listed(text: str) -> list[str]:
    return [entry["tag"] + ".sql" for entry in json.loads(text)["entries"]]


def _export(place: str) -> Command:
    path = Path(place).resolve()
    words = ("drizzle-kit", "export", "--dialect", "postgresql", "--schema", path.name)
    return Command(folder=path.parent, words=words)


# The journal that drizzle-kit keeps is the order in which migrate() of drizzle-orm runs them: src/migrator.ts.
EXPECTATION = Origin(
    prefix="drizzle",
    form="DIR or FILE",
    means=Scripts(file=r"[^/]+\.sql", index="meta/_journal.json", listed=_listed),
    file=Program(language="Node", command=_export, install="npm install --save-dev drizzle-kit", prints=True),
)
