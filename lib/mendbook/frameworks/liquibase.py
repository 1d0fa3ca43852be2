"""Liquibase, the migration tool for Java."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mendbook.frameworks import Framework, Wording
from mendbook.ledger import Ledger
from mendbook.migrations import Layout, Named
from mendbook.origin import Origin

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


_HEADER = r"\A\ufeff?\s*--\s*liquibase\s*formatted\b"
_CHANGESET = re.compile(
    r"""[ \t]*--\s*changeset\s+(?P<author>"[^"]+"|[^:]+):\s*(?P<id>"[^"]+"|\S+)(?P<attributes>.*)""", re.IGNORECASE
)


def _names(match: re.Match[str], text: str) -> Iterator[Named]:
    """The changesets of a file that run on PostgreSQL; a file that is no changelog is one of its own.

    https://docs.liquibase.com/concepts/changelogs/sql-format.html and SqlChangeLogParser.java. Rollbacks and
    preconditions are comments already.
    """
    if not re.search(_HEADER, text, re.IGNORECASE):
        yield Named(name=_name(match[0], "raw", "includeAll"))
        return
    lines = text.split("\n")
    begins = [(at, said) for at, line in enumerate(lines) if (said := _CHANGESET.match(line))]
    for (at, said), end in zip(begins, [*(at for at, _ in begins), len(lines)][1:], strict=True):
        attributes = said["attributes"]
        if _runs_here(attributes):
            delimiter = _attribute("endDelimiter", attributes)
            part = [_ended(line, delimiter) for line in lines[at + 1 : end]]
            file = _attribute("logicalFilePath", attributes) or _attribute("logicalFilePath", lines[0]) or match[0]
            name = _name(file, said["id"].strip('"'), said["author"].strip('"'))
            yield Named(name=name, text="\n".join([*[""] * (at + 1), *part]))


def _name(file: str, number: str, author: str) -> str:
    """As Liquibase writes it, save that it knows the whole path of the file, which depends on where it is started."""
    return f"{file.rpartition('/')[2]}::{number}::{author}"


def _ended(line: str, delimiter: str) -> str:
    own = delimiter and line.rstrip().endswith(delimiter)
    return f"{line.rstrip().removesuffix(delimiter)};" if own else line


def _runs_here(attributes: str) -> bool:
    names = _attribute("dbms", attributes).lower().split(",")
    return names == [""] or "postgresql" in names or ("all" in names) or _excludes_others(names)


def _excludes_others(names: list[str]) -> bool:
    return all(name.startswith("!") for name in names) and "!postgresql" not in names


def _attribute(name: str, attributes: str) -> str:
    found = re.search(rf"\b{name}:(?:\"([^\"]*)\"|(\S+))", attributes, re.IGNORECASE)
    return (found[1] or found[2]).replace(" ", "") if found else ""


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
    name="regexp_replace(filename, '.*/', '') || '::' || id || '::' || author",
    state="CASE WHEN exectype = 'FAILED' THEN 'failed' ELSE 'done' END",
    at="dateexecuted",
    checksum="md5sum",
    layout=Layout(file=r".+\.sql", mark=_HEADER, names=_names, order=None),
    row=None,
    by_hand="liquibase changelog-sync",
)


EXPECTATION = Origin(prefix="liquibase", form="DIR", means=LEDGER.layout)
