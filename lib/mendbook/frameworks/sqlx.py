"""SQLx, the toolkit for Rust, and its migrations."""

from __future__ import annotations

from mendbook.frameworks import Framework, Wording
from mendbook.origin import Origin, Scripts

FRAMEWORK = Framework(
    name="sqlx",
    title="SQLx",
    home="https://docs.rs/sqlx and sqlx-core/src/error.rs, sqlx-core/src/migrate/error.rs of launchbadge/sqlx",
    only=False,
    marks=(
        "sqlx::",
        "sqlx-core",
        "sqlx-postgres",
        "PgDatabaseError",
        "sqlx_core",
        "sqlx_postgres",
        "_sqlx_migrations",
    ),
    shapes=(r"error returned from database: ", r"error communicating with database: "),
    introductions=(r"error returned from database: (?!\(code|\d+ \()",),
    wordings=(
        Wording(text="pool timed out while waiting for an open connection", kind="pool_exhausted"),
        Wording(text="attempted to acquire a connection on a closed pool", kind="pool_closed"),
        Wording(text="PoolTimedOut", kind="pool_exhausted", own=False),
        Wording(text="PoolClosed", kind="pool_closed", own=False),
        Wording(
            text="error communicating with database: Connection refused (os error {})",
            kind="connection_refused",
            own=False,
        ),
        Wording(text="error communicating with database: {}", kind="connection_lost", own=False),
        Wording(
            text="migration {} was previously applied but is missing in the resolved migrations",
            kind="migration_history",
        ),
        Wording(text="migration {} was previously applied but has been modified", kind="migration_history"),
        Wording(
            text="migration {} is partially applied; fix and remove row from `_sqlx_migrations` table",
            kind="migration_history",
        ),
    ),
)

EXPECTATION = Origin(
    prefix="sqlx",
    form="DIR",
    means=Scripts(file=r"(?P<version>[0-9]+)_(?:(?!\.down\.)[^/])+\.sql"),
)
