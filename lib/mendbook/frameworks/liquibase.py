"""Liquibase, the migration tool for Java."""

from __future__ import annotations

from mendbook.frameworks import Framework, Wording

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
