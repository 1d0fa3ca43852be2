"""Diesel, the ORM for Rust, and its migrations."""

from __future__ import annotations

from mendbook.frameworks import Framework, Wording
from mendbook.origin import Origin, Scripts

FRAMEWORK = Framework(
    name="diesel",
    title="Diesel",
    home="https://docs.diesel.rs and diesel/src/result.rs, diesel_cli of diesel-rs/diesel",
    over=("tokio-postgres",),
    only=False,
    marks=(
        "diesel::",
        "diesel migration",
        "DatabaseError(",
        "__diesel_schema_migrations",
        "diesel_migrations",
        "/diesel-",
        "BadConnection(",
    ),
    shapes=(r"Failed to run [\w-]+ with: ",),
    wordings=(
        Wording(text="timed out waiting for connection", kind="pool_exhausted", own=False),
        Wording(text="timed out waiting for connection: {}", kind="connection_refused", own=False),
        Wording(text="Unable to find migration version {} in the migrations directory.", kind="migration_history"),
    ),
    qualifies_by="table",
)

EXPECTATION = Origin(prefix="diesel", form="DIR", means=Scripts(file=r"(?P<version>[0-9-]+)[^/]*/up\.sql"))
