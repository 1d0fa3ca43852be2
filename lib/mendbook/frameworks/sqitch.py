"""Sqitch, which deploys the changes of a plan."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

from mendbook.frameworks import Framework, Wording
from mendbook.ledger import Ledger
from mendbook.migrations import Layout, Migration, Named
from mendbook.origin import Origin, Scripts

FRAMEWORK = Framework(
    name="sqitch",
    title="Sqitch",
    home="https://sqitch.org/docs/ and lib/App/Sqitch of sqitchers/sqitch",
    over=("psql",),
    only=False,
    marks=("sqitch",),
    shapes=(r"\b(?:Deploying|Reverting) changes (?:to|from) \S+",),
    wordings=(
        Wording(text="Deploy failed", kind="other", own=False),
        Wording(text="Cannot find this change in {}", kind="migration_history", own=False),
    ),
)


def _names(_match: re.Match[str], text: str) -> Iterator[Named]:
    """A line of the plan that is no pragma, comment or tag begins with the change's name."""
    for name in re.findall(r"^\s*\+?\s*([^\s%@#+-][^\s\[]*)", text, re.MULTILINE):
        yield Named(name=name, file=f"deploy/{name}.sql")


def _checksum(migration: Migration) -> str:
    return hashlib.sha1(migration.text.encode(), usedforsecurity=False).hexdigest()


# lib/App/Sqitch/Engine/pg.sql, lib/App/Sqitch/Plan/Change.pm and "sqitchtutorial" of sqitchers/sqitch. What records a
# change are rows of four tables, with the names and addresses of people.
LEDGER = Ledger(
    table="changes",
    schema="sqitch",
    columns=("change_id", "script_hash", "change", "project", "committed_at", "planned_at"),
    create="""CREATE TABLE {table} (
    change_id TEXT PRIMARY KEY,
    script_hash TEXT NULL,
    change TEXT NOT NULL,
    project TEXT NOT NULL,
    note TEXT NOT NULL DEFAULT '',
    committed_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
    committer_name TEXT NOT NULL,
    committer_email TEXT NOT NULL,
    planned_at TIMESTAMPTZ NOT NULL,
    planner_name TEXT NOT NULL,
    planner_email TEXT NOT NULL,
    UNIQUE (project, script_hash)
)""",
    name="change",
    at="committed_at",
    checksum="script_hash",
    layout=Layout(file=r"sqitch\.plan", names=_names, order=None),
    computes=_checksum,
    row=None,
    by_hand="sqitch deploy --log-only",
)


def _listed(text: str) -> list[str]:
    """The scripts of a plan: a change that was reworked keeps its first form under the tag that followed it."""
    lines = [line.split("#")[0].split() for line in text.splitlines() if not line.startswith("%")]
    names = [words[0] for words in lines if words]
    changes = [(at, name) for at, name in enumerate(names) if not name.startswith("@")]
    scripts = []
    for at, name in changes:
        reworked = name in names[at + 1 :]
        tag = next((each for each in names[at:] if each.startswith("@")), "") if reworked else ""
        scripts.append(f"deploy/{name}{tag}.sql")
    return scripts


EXPECTATION = Origin(
    prefix="sqitch",
    form="DIR",
    means=Scripts(file=r"deploy/.+\.sql", index="sqitch.plan", listed=_listed),
)
