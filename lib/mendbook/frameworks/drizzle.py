"""Drizzle, the query builder for TypeScript, and drizzle-kit."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from mendbook.errors import Usage
from mendbook.frameworks import Framework, Wording
from mendbook.ledger import Ledger
from mendbook.migrations import Layout, Named, digest
from mendbook.origin import Command, Origin, Program

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


def _names(_match: re.Match[str], text: str) -> Iterator[Named]:
    try:
        listed = [(str(entry["when"]), f"{entry['tag']}.sql") for entry in json.loads(text)["entries"]]
    except (ValueError, KeyError, TypeError) as error:
        raise Usage(f"meta/_journal.json is none that drizzle-kit writes ({error}); nothing was started.") from None
    for when, file in listed:
        yield Named(name=when, file=file)


# drizzle-orm/src/migrator.ts and pg-core/dialect.ts of drizzle-team/drizzle-orm: migrations run in the order of
# drizzle-kit's journal, and a row names its migration by the time that the journal gives it.
LEDGER = Ledger(
    table="__drizzle_migrations",
    schema="drizzle",
    columns=("id", "hash", "created_at"),
    create="CREATE TABLE {table} (id SERIAL PRIMARY KEY, hash text NOT NULL, created_at bigint)",
    name="created_at",
    checksum="hash",
    layout=Layout(file=r"meta/_journal\.json", mark='"entries"', names=_names, order=None),
    computes=digest("sha256"),
    row={"hash": "{checksum}", "created_at": "{name}"},
)


def _export(place: str) -> Command:
    path = Path(place).resolve()
    words = ("drizzle-kit", "export", "--dialect", "postgresql", "--schema", path.name)
    return Command(folder=path.parent, words=words)


EXPECTATION = Origin(
    prefix="drizzle",
    form="DIR or FILE",
    means=LEDGER.layout,
    file=Program(language="Node", command=_export, install="npm install --save-dev drizzle-kit", prints=True),
)
