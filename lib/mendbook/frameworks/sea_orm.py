"""SeaORM, the ORM on SQLx for Rust."""

from __future__ import annotations

from mendbook.frameworks import Framework, Wording

FRAMEWORK = Framework(
    name="sea-orm",
    title="SeaORM",
    home="https://www.sea-ql.org/SeaORM/ and src/error.rs of SeaQL/sea-orm",
    over=("sqlx",),
    only=False,
    marks=("sea_orm", "sea-orm", "SqlxError(", "seaql_migrations"),
    shapes=(r"\b(?:Query|Execution|Exec) Error: error returned from database",),
    wordings=(
        Wording(text="Failed to acquire connection from pool: {}", kind="pool_exhausted", own=False),
        Wording(
            text="Migration file of version '{}' is missing, this migration has been applied but its file is missing",
            kind="migration_history",
        ),
    ),
    qualifies_by="table",
)
