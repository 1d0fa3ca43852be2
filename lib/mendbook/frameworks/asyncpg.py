"""asyncpg, the asynchronous driver for Python."""

from __future__ import annotations

from mendbook.frameworks import Framework, Wording

FRAMEWORK = Framework(
    name="asyncpg",
    title="asyncpg",
    home="https://magicstack.github.io/asyncpg/ and asyncpg/pool.py, asyncpg/exceptions of MagicStack/asyncpg",
    marks=("asyncpg.exceptions", "site-packages/asyncpg/", "asyncpg/protocol/", "asyncpg.pool", "postgresql.asyncpg"),
    introductions=(r"postgresql\.asyncpg\.\w*Error\) ",),
    wordings=(
        Wording(text="pool is closed", kind="pool_closed", own=False),
        Wording(text="pool is closing", kind="pool_closed", own=False),
        Wording(text="connection is closed", kind="connection_lost", own=False),
        Wording(text="connection was closed in the middle of operation", kind="connection_lost", sqlstate="08003"),
        Wording(text="unexpected connection_lost() call", kind="connection_lost"),
        Wording(text="cannot perform operation: another operation is in progress", kind="other"),
        Wording(text="cannot call {}: connection has been released back to the pool", kind="pool_closed"),
        Wording(
            text="cached statement plan is invalid due to a database schema or configuration change…",
            kind="stale_plan",
            sqlstate="0A000",
        ),
        Wording(text="invalid input for query argument {}: {}", kind="type_mismatch"),
        Wording(text="the server expects {} argument{} for this query, {} was passed", kind="other"),
        Wording(text="the server expects {} arguments for this query, {} were passed", kind="other"),
        Wording(text="Connect call failed ('{}', 5432)", kind="connection_refused"),
        Wording(text="Multiple exceptions: {}Connect call failed (…", kind="connection_refused", own=False),
    ),
    codes={"TimeoutError": "statement_timeout"},
    # asyncpg/connection.py, at InvalidCachedStatementError; run with 0.32.0
    stale=(
        "prepares it anew by itself; inside a transaction that one fails once: run the transaction again, or connect "
        "with statement_cache_size=0"
    ),
)
