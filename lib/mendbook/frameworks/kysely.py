"""Kysely, the query builder for TypeScript."""

from __future__ import annotations

from mendbook.frameworks import Framework, Wording

FRAMEWORK = Framework(
    name="kysely",
    title="Kysely",
    home="https://kysely.dev and src/ of kysely-org/kysely",
    over=("node-postgres", "postgres.js"),
    only=False,
    marks=("node_modules/kysely/", "node_modules\\kysely\\", "kysely_migration", "node_modules/kysely-ctl/"),
    wordings=(
        Wording(
            text="corrupted migrations: previously executed migration {} is missing",
            kind="migration_history",
            own=False,
        ),
        Wording(text="corrupted migrations: {}", kind="migration_history"),
        Wording(text="driver has already been destroyed", kind="pool_closed", own=False),
    ),
)
