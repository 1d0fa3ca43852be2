"""tokio-postgres, the asynchronous driver for Rust, with the pools deadpool and bb8."""

from __future__ import annotations

from mendbook.frameworks import Framework, Wording

FRAMEWORK = Framework(
    name="tokio-postgres",
    title="tokio-postgres",
    home="https://docs.rs/tokio-postgres and tokio-postgres/src/error/mod.rs of sfackler/rust-postgres",
    marks=("tokio_postgres", "tokio-postgres", "deadpool_postgres", "bb8_postgres", "SqlState(", "postgres::error"),
    shapes=(r"\bdb error: (?:ERROR|FATAL|[^\W\d_a-z]+): ", r"Error \{ kind: Db, cause: Some\("),
    introductions=(r"\bdb error: (?:ERROR|FATAL): ",),
    wordings=(
        Wording(text="error connecting to server: {}", kind="connection_refused", own=False),
        Wording(text="error communicating with the server: {}", kind="connection_lost", own=False),
        Wording(text="connection closed", kind="connection_lost", own=False),
        Wording(text="Timeout occurred while waiting for a slot to become available", kind="pool_exhausted", own=False),
        Wording(text="Timed out in bb8", kind="pool_exhausted", own=False),
        Wording(text="Pool has been closed", kind="pool_closed", own=False),
        Wording(text="invalid configuration: {}", kind="authentication", own=False),
        Wording(text="error serializing parameter {}", kind="type_mismatch", own=False),
        Wording(text="error deserializing column {}", kind="type_mismatch", own=False),
    ),
)
