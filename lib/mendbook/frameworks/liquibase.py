"""Liquibase, the migration tool for Java."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mendbook.frameworks import Framework, Wording
from mendbook.ledger import Ledger
from mendbook.migrations import Layout, Named

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
