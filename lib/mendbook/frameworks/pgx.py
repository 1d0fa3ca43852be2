"""pgx, the driver for Go, and its pool."""

from __future__ import annotations

from mendbook.frameworks import Framework, Wording

FRAMEWORK = Framework(
    name="pgx",
    title="pgx",
    home="https://github.com/jackc/pgx: pgconn/errors.go, pgxpool",
    marks=("github.com/jackc/pgx", "jackc/pgx", "pgconn.PgError", "pgxpool", "jackc/pgconn", "pgconn."),
    shapes=(r"\((?:SQLSTATE) [0-9A-Z]{5}\)", r"failed to connect to `(?:host|user)="),
    introductions=(r"ERROR: (?=[^\n]{1,500}? \(SQLSTATE [0-9A-Z]{5}\))",),
    wordings=(
        Wording(text="closed pool", kind="pool_closed", own=False),
        Wording(text="conn closed", kind="connection_lost", own=False),
        Wording(text="conn busy", kind="other", own=False),
        Wording(text="cannot connect: {}", kind="connection_refused", own=False),
        Wording(text="failed to connect to `{}`: dial error ({})", kind="connection_refused"),
        Wording(text="failed to connect to `{}`: dial error: {}", kind="connection_refused"),
        Wording(text="failed to connect to `{}`: hostname resolving error{}", kind="connection_refused"),
        Wording(text="dial tcp {}:5432: connect: connection refused", kind="connection_refused"),
        Wording(text="unexpected EOF", kind="connection_lost", own=False),
        Wording(text="timeout: context deadline exceeded", kind="statement_timeout", own=False),
        Wording(text="context deadline exceeded", kind="statement_timeout", own=False),
        Wording(text="expected {} arguments, got {}", kind="other", own=False),
    ),
    # https://github.com/jackc/pgx/issues/927, and #841
    stale=(
        "fails once on each connection, which then forgets it: run the statement again, or set "
        "default_query_exec_mode=exec"
    ),
)
