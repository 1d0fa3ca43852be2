"""Diesel, the ORM for Rust, and its migrations."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mendbook.frameworks import Framework, Wording
from mendbook.ledger import Ledger
from mendbook.migrations import Layout, Named
from mendbook.origin import Origin

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


def _names(match: re.Match[str], _text: str) -> Iterator[Named]:
    yield Named(name=match["version"].replace("-", ""))


# diesel/src/migration/setup_migration_table.sql and diesel_migrations of diesel-rs/diesel
LEDGER = Ledger(
    table="__diesel_schema_migrations",
    columns=("version", "run_on"),
    create="""CREATE TABLE IF NOT EXISTS {table} (
    version VARCHAR(50) PRIMARY KEY NOT NULL,
    run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
)""",
    name="version",
    at="run_on",
    layout=Layout(file=r"(?P<version>[^/_]+)(?:_[^/]*)?/up\.sql", names=_names),
    row={"version": "{name}"},
)

EXPECTATION = Origin(prefix="diesel", form="DIR", means=LEDGER.layout)
