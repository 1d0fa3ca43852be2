"""Prisma: the client with any of its engines, and `prisma migrate`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mendbook.formats import Change, Format, script
from mendbook.frameworks import Framework, Wording
from mendbook.ledger import Ledger
from mendbook.migrations import Layout, digest
from mendbook.origin import Command, Origin, Program

FRAMEWORK = Framework(
    name="prisma",
    title="Prisma",
    home="https://www.prisma.io/docs/orm/reference/error-reference and user-facing-errors of prisma/prisma-engines",
    over=("node-postgres", "tokio-postgres"),
    only=False,
    marks=("node_modules/@prisma/", "node_modules\\@prisma\\", "node_modules/.prisma/", "npx prisma", "pris.ly/d/"),
    shapes=(
        r"\bPrismaClient\w*Error\b",
        r"Invalid `[^`\n]{1,200}` invocation",
        r"\bPrisma schema loaded from\b",
        r"\bprisma (?:migrate|db) \w+",
        r"(?:Error|code)\W{1,5}P[1-6]\d{3}\b",
        r"\bclientVersion\b",
        r"\b_prisma_migrations\b",
        r"\bschema-engine/",
        r"\bDriverAdapterError\b",
    ),
    wordings=(
        Wording(
            text="The column `{column} of relation {table}` does not exist in the current database.",
            kind="missing_column",
        ),
        Wording(
            text="The column `{schema}.{table}.{column}` does not exist in the current database.",
            kind="missing_column",
        ),
        Wording(text="The column `{table}.{column}` does not exist in the current database.", kind="missing_column"),
        Wording(text="The column `(not available)` does not exist in the current database.", kind="missing_column"),
        Wording(text="The column `{column}` does not exist in the current database.", kind="missing_column"),
        Wording(text="The table `{relation}` does not exist in the current database.", kind="missing_table"),
        Wording(text="The table `(not available)` does not exist in the current database.", kind="missing_table"),
        Wording(text="No such table: {relation}", kind="missing_table"),
        Wording(text="The underlying table for model `{relation}` does not exist.", kind="missing_table"),
        Wording(text="Null constraint violation on the fields: (`{column}`)", kind="not_null_violation"),
        Wording(text="Null constraint violation on the (not available)", kind="not_null_violation"),
        Wording(text="Null constraint violation on the {}", kind="not_null_violation"),
        Wording(text="Unique constraint failed on the {}", kind="other"),
        Wording(text="Foreign key constraint violated on the {}", kind="other"),
        Wording(text="Foreign key constraint violated: {}", kind="other"),
        Wording(text="Foreign key constraint failed on the field: {}", kind="other"),
        Wording(text="Raw query failed. Code: `{sqlstate}`. Message: `…", kind="other"),
        Wording(text="Raw query failed. Code: `N/A`. Message: `…", kind="other"),
        Wording(text="Database error. Code: `{sqlstate}`. Message: `…", kind="other"),
        Wording(text="Database error code: {sqlstate}", kind="other"),
        Wording(text="Can't reach database server at `{}`", kind="connection_refused"),
        Wording(text="Can't reach database server at {}", kind="connection_refused"),
        Wording(text="Authentication failed against the database server, {}", kind="authentication"),
        Wording(text="Authentication failed against database server at {}", kind="authentication"),
        Wording(text="Database `{database}` does not exist on the database server…", kind="missing_database"),
        Wording(text="Database `{database}` does not exist", kind="missing_database"),
        Wording(text="User `{role}` was denied access on the database `{database}`", kind="authentication"),
        Wording(text="User was denied access on the database `{database}`", kind="authentication"),
        Wording(text="Too many database connections opened: {}", kind="pool_exhausted"),
        Wording(text="Timed out fetching a new connection from the connection pool.…", kind="pool_exhausted"),
        Wording(text="Unable to start a transaction in the given time.", kind="pool_exhausted"),
        Wording(text="Transaction already closed: {}", kind="other", own=False),
        Wording(text="A query cannot be executed on an expired transaction.…", kind="other"),
        Wording(text="Server has closed the connection.", kind="connection_lost", own=False),
        Wording(
            text="Transaction failed due to a write conflict or a deadlock. Please retry your transaction",
            kind="deadlock",
        ),
        Wording(text="Following migration have not yet been applied:", kind="migration_pending"),
        Wording(text="Following migrations have not yet been applied:", kind="migration_pending"),
        Wording(
            text="Your local migration history and the migrations table from your database are different:",
            kind="migration_history",
        ),
        Wording(text="migrate found failed migrations in the target database, {}", kind="migration_history"),
        Wording(text="The current database is not managed by Prisma Migrate.…", kind="migration_history"),
        Wording(text="The database schema is not empty.…", kind="migration_history"),
        Wording(
            text="Drift detected: Your database schema is not in sync with your migration history.",
            kind="migration_history",
        ),
        Wording(text="The migration `{}` was modified after it was applied.", kind="migration_history"),
    ),
    codes={
        "P1000": "authentication",
        "P1001": "connection_refused",
        "P1002": "connection_refused",
        "P1003": "missing_database",
        "P1008": "statement_timeout",
        "P1009": "duplicate_object",
        "P1010": "authentication",
        "P1011": "connection_refused",
        "P1014": "missing_table",
        "P1017": "connection_lost",
        "P2000": "other",
        "P2002": "other",
        "P2003": "other",
        "P2004": "other",
        "P2005": "type_mismatch",
        "P2006": "type_mismatch",
        "P2007": "type_mismatch",
        "P2010": "other",
        "P2011": "not_null_violation",
        "P2014": "other",
        "P2018": "other",
        "P2020": "other",
        "P2021": "missing_table",
        "P2022": "missing_column",
        "P2023": "type_mismatch",
        "P2024": "pool_exhausted",
        "P2025": "other",
        "P2028": "other",
        "P2034": "deadlock",
        "P2037": "pool_exhausted",
        "P2039": "other",
        "P3000": "missing_database",
        "P3003": "migration_history",
        "P3004": "migration_history",
        "P3005": "migration_history",
        "P3006": "migration_history",
        "P3008": "migration_history",
        "P3009": "migration_history",
        "P3011": "migration_history",
        "P3012": "migration_history",
        "P3014": "migration_history",
        "P3015": "migration_history",
        "P3016": "migration_history",
        "P3017": "migration_history",
        "P3018": "migration_history",
        "P3019": "migration_history",
        "P3022": "migration_history",
    },
    qualifies_by="table",
)


# As `prisma migrate deploy` 6.19 leaves it: schema-engine, sql_migration_persistence.rs and flavour/postgres.rs.
LEDGER = Ledger(
    table="_prisma_migrations",
    columns=("migration_name",),
    create="""CREATE TABLE {table} (
    id varchar(36) PRIMARY KEY NOT NULL,
    checksum varchar(64) NOT NULL,
    finished_at timestamptz,
    migration_name varchar(255) NOT NULL,
    logs text,
    rolled_back_at timestamptz,
    started_at timestamptz NOT NULL DEFAULT now(),
    applied_steps_count integer NOT NULL DEFAULT 0
)""",
    name="migration_name",
    state="""CASE
    WHEN rolled_back_at IS NOT NULL THEN 'rolled back'
    WHEN finished_at IS NULL THEN 'failed'
    ELSE 'done'
END""",
    at="finished_at",
    checksum="checksum",
    layout=Layout(file=r"(?:migrations/)?(?P<name>[^/]+)/migration\.sql"),
    computes=digest("sha256"),
    row={
        "id": "gen_random_uuid()::text",
        "checksum": "{checksum}",
        "finished_at": "clock_timestamp()",
        "migration_name": "{name}",
        "started_at": "now()",
        "applied_steps_count": "1",
    },
)


def _files(change: Change) -> Mapping[str, str]:
    above, slash, _ = change.folder.rstrip("/").rpartition("/")
    name = f"{above}{slash}{change.stamp}_{change.title}"
    return {f"{name}/migration.sql": script(change.forward), f"{name}/down.sql": script(change.backward)}


# "Generating down migrations" of the documentation puts the way back beside it.
MIGRATION = Format(files=_files, alone=True)


def _diff(place: str) -> Command:
    path = Path(place).resolve()
    arguments = ("migrate", "diff", "--from-empty", "--to-schema-datamodel", path.name, "--script")
    return Command(folder=path.parent, words=("prisma", *arguments))


EXPECTATION = Origin(
    prefix="prisma",
    form="DIR or FILE",
    means=LEDGER.layout,
    file=Program(
        language="Node",
        command=_diff,
        install="npm install --save-dev prisma@6",
        prints=True,
        keeps=("PRISMA_SCHEMA_ENGINE_BINARY", "PRISMA_QUERY_ENGINE_LIBRARY"),
    ),
)
