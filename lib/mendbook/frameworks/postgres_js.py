"""Postgres.js: the driver `postgres` for Node.js, Deno and Bun."""

from __future__ import annotations

from mendbook.frameworks import Framework, Wording

FRAMEWORK = Framework(
    name="postgres.js",
    title="Postgres.js",
    home="https://github.com/porsager/postgres: src/errors.js, src/connection.js",
    marks=("node_modules/postgres/", "node_modules\\postgres\\", "severity_local"),
    shapes=(r"\bPostgresError: ",),
    introductions=(r"\bPostgresError: ",),
    wordings=(
        Wording(text="write CONNECTION_CLOSED {}", kind="connection_lost"),
        Wording(text="write CONNECTION_ENDED {}", kind="pool_closed"),
        Wording(text="write CONNECTION_DESTROYED {}", kind="connection_lost"),
        Wording(text="write CONNECT_TIMEOUT {}", kind="connection_refused"),
        Wording(text="Auth type {} not implemented", kind="authentication", own=False),
    ),
    codes={
        "CONNECTION_CLOSED": "connection_lost",
        "CONNECTION_DESTROYED": "connection_lost",
        "CONNECTION_ENDED": "pool_closed",
        "CONNECT_TIMEOUT": "connection_refused",
        "SASL_SIGNATURE_MISMATCH": "authentication",
    },
)
