"""SQLx, the toolkit for Rust, and its migrations."""

from __future__ import annotations

import re

from mendbook.frameworks import Framework, Wording
from mendbook.ledger import Ledger, Values
from mendbook.migrations import Layout, Migration, by_number, digest
from mendbook.origin import Origin

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


def _values(migration: Migration) -> Values:
    title = re.sub(r"^\d+_|(?:\.up)?\.sql$", "", migration.path.name)
    return {"title": title.replace("_", " ")}


# sqlx-postgres/src/migrate.rs and sqlx-core/src/migrate/source.rs of launchbadge/sqlx
LEDGER = Ledger(
    table="_sqlx_migrations",
    columns=("version", "description", "installed_on", "success", "checksum", "execution_time"),
    create="""CREATE TABLE IF NOT EXISTS {table} (
    version BIGINT PRIMARY KEY,
    description TEXT NOT NULL,
    installed_on TIMESTAMPTZ NOT NULL DEFAULT now(),
    success BOOLEAN NOT NULL,
    checksum BYTEA NOT NULL,
    execution_time BIGINT NOT NULL
)""",
    name="version",
    state="CASE WHEN success THEN 'done' ELSE 'failed' END",
    at="installed_on",
    checksum="encode(checksum, 'hex')",
    layout=Layout(file=r"0*(?P<name>[0-9]+)_[^/]*(?<!\.down)\.sql", order=by_number),
    computes=digest("sha384"),
    values=_values,
    row={
        "version": "{name}",
        "description": "{title}",
        "success": "true",
        "checksum": "decode({checksum}, 'hex')",
        "execution_time": "0",
    },
)

EXPECTATION = Origin(prefix="sqlx", form="DIR", means=LEDGER.layout)
