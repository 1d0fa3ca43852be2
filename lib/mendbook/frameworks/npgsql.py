"""Npgsql, the driver for .NET."""

from __future__ import annotations

from mendbook.frameworks import Framework, Wording

FRAMEWORK = Framework(
    name="npgsql",
    title="Npgsql",
    home="https://www.npgsql.org/doc/ and src/Npgsql/PostgresException.cs, PoolingDataSource.cs of npgsql/npgsql",
    marks=("Npgsql.", "PostgresException", "NpgsqlException"),
    introductions=(r"PostgresException \(0x80004005\): (?:[0-9A-Z]{5}: )?",),
    wordings=(
        Wording(
            text="The connection pool has been exhausted, either raise 'Max Pool Size' (currently {}) or 'Timeout' …",
            kind="pool_exhausted",
        ),
        Wording(
            text="The connection pool has been exhausted, either raise MaxPoolSize (currently {}) or Timeout …",
            kind="pool_exhausted",
        ),
        Wording(text="Exception while reading from stream", kind="connection_lost"),
        Wording(text="Exception while writing to stream", kind="connection_lost"),
        Wording(text="Timeout during reading attempt", kind="statement_timeout"),
        Wording(text="Failed to connect to {}", kind="connection_refused", own=False),
        Wording(text="No password has been provided but the backend requires one (in {})", kind="authentication"),
        Wording(text="The connection is broken and recovery is not possible.", kind="connection_lost", own=False),
        Wording(text="Connection is not open", kind="pool_closed", own=False),
        Wording(text="A command is already in progress: {}", kind="other", own=False),
    ),
    frames=("Npgsql.", "Dapper."),
)
