"""Liquibase, the migration tool for Java."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mendbook.frameworks import Framework, Wording
from mendbook.ledger import Ledger
from mendbook.migrations import Layout, Named
from mendbook.origin import Origin, Scripts

FRAMEWORK = Framework(
    name="liquibase",
    title="Liquibase",
    home="https://docs.liquibase.com and liquibase-standard/src/main/java/liquibase/exception",
    over=("spring", "hibernate", "hikari", "jdbc"),
    only=False,
    marks=("liquibase.", "Liquibase", "databasechangelog", "DATABASECHANGELOG"),
    wordings=(
        Wording(text="Validation Failed:…", kind="migration_history", own=False),
        Wording(text="{} was: {} but is now: {}", kind="migration_history"),
        Wording(text="Could not acquire change log lock.  Currently locked by {}", kind="lock_timeout"),
        Wording(text="Could not acquire change log lock. Currently locked by {}", kind="lock_timeout"),
        Wording(text="{} changesets have not been applied to {}", kind="migration_pending"),
        Wording(text="{} changeset has not been applied to {}", kind="migration_pending"),
    ),
    statements=(r"\[Failed SQL: (?:\(\d+\) )?(?P<sql>(?:.|\n){1,20000}?)\](?=\n|$|\s*at |\")",),
    frames=("liquibase.",),
)


def _names(_match: re.Match[str], text: str) -> Iterator[Named]:
    _, *parts = re.split(r"^[ \t]*--[ \t]*changeset[ \t]+([^:\s]+:\S+)", text, flags=re.MULTILINE | re.IGNORECASE)
    for name, part in zip(parts[::2], parts[1::2], strict=True):
        yield Named(name=name, text=part.partition("\n")[2])


# liquibase-standard/src/main/java/liquibase/changelog: StandardChangeLogHistoryService.java. Its checksum is over the
# change as Liquibase parsed it, so it is not computed here; of the formats of a changelog, only SQL is read.
LEDGER = Ledger(
    table="databasechangelog",
    columns=("id", "author", "filename", "dateexecuted", "orderexecuted", "exectype", "md5sum"),
    create="""CREATE TABLE {table} (
    id varchar(255) NOT NULL,
    author varchar(255) NOT NULL,
    filename varchar(255) NOT NULL,
    dateexecuted timestamp NOT NULL,
    orderexecuted integer NOT NULL,
    exectype varchar(10) NOT NULL,
    md5sum varchar(35),
    description varchar(255),
    comments varchar(255),
    tag varchar(255),
    liquibase varchar(20),
    contexts varchar(255),
    labels varchar(255),
    deployment_id varchar(10)
)""",
    name="author || ':' || id",
    state="CASE WHEN exectype = 'FAILED' THEN 'failed' ELSE 'done' END",
    at="dateexecuted",
    checksum="md5sum",
    layout=Layout(file=r"(?:.*/)?[^/]+\.sql", names=_names, order=None),
    row=None,
    by_hand="liquibase changelog-sync",
)


_CHANGESET = re.compile(r"--\s*changeset\b(?P<attributes>.*)", re.IGNORECASE)


def _forward(text: str) -> str:
    """What runs on PostgreSQL; rollbacks and preconditions are comments already.

    https://docs.liquibase.com/concepts/changelogs/sql-format.html
    """
    lines, ours, delimiter = [], True, ""
    for line in text.splitlines():
        changeset = _CHANGESET.match(line)
        if changeset:
            ours = _runs_here(changeset["attributes"])
            delimiter = _attribute("endDelimiter", changeset["attributes"])
        elif delimiter and line.rstrip().endswith(delimiter):
            line = line.rstrip().removesuffix(delimiter) + ";"
        lines.append(line if ours else "")
    return "\n".join(lines)


def _runs_here(attributes: str) -> bool:
    names = _attribute("dbms", attributes).lower().split(",")
    return names == [""] or "postgresql" in names or ("all" in names) or _excludes_others(names)


def _excludes_others(names: list[str]) -> bool:
    return all(name.startswith("!") for name in names) and "!postgresql" not in names


def _attribute(name: str, attributes: str) -> str:
    found = re.search(rf"\b{name}:(?:\"([^\"]*)\"|(\S+))", attributes, re.IGNORECASE)
    return (found[1] or found[2]).replace(" ", "") if found else ""


EXPECTATION = Origin(
    prefix="liquibase",
    form="DIR",
    means=Scripts(
        file=r".+\.sql",
        mark=r"\A\s*--\s*liquibase formatted sql\b",
        forward=_forward,
    ),
)
