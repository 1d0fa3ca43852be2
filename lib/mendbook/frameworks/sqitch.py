"""Sqitch, which deploys the changes of a plan."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from mendbook.frameworks import Framework, Wording
from mendbook.ledger import Ledger
from mendbook.migrations import Layout, Named, digest
from mendbook.origin import Origin

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
    """The changes of a plan: the form of one that is reworked later stands under the tag that follows it."""
    said = re.findall(r"^\s*\+?\s*(@?[^\s%@#+-][^\s\[]*)", text, re.MULTILINE)
    times: Counter[str] = Counter()
    for at, name in enumerate(said):
        if not name.startswith("@"):
            times[name] += 1
            tags = [each for each in said[at:] if each.startswith("@")] if name in said[at + 1 :] else []
            number = f" ({times[name]})" if times[name] > 1 else ""
            yield Named(name=f"{name}{number}", file=f"deploy/{name}{''.join(tags[:1])}.sql")


# lib/App/Sqitch/Engine/pg.sql, lib/App/Sqitch/Plan/Change.pm and "sqitchtutorial" of sqitchers/sqitch. A change that
# was reworked has a row for each of its forms. What records a change are rows of four tables, with people's names.
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
    name="""change || coalesce(' (' || nullif((
    SELECT count(*) FROM {table} AS form
    WHERE (form.project, form.change) = (entry.project, entry.change) AND form.planned_at <= entry.planned_at
), 1) || ')', '')""",
    at="committed_at",
    checksum="script_hash",
    layout=Layout(file=r"sqitch\.plan", mark=r"^%project\b", names=_names, order=None),
    computes=digest("sha1"),
    row=None,
    by_hand="sqitch deploy --log-only",
)


EXPECTATION = Origin(prefix="sqitch", form="DIR", means=LEDGER.layout)
