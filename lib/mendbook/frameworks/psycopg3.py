"""Psycopg 3, the driver for Python on libpq, and its pool."""

from __future__ import annotations

from mendbook.frameworks import Framework, Wording

FRAMEWORK = Framework(
    name="psycopg3",
    title="Psycopg 3",
    home="https://www.psycopg.org/psycopg3/docs/ and psycopg, psycopg_pool of psycopg/psycopg",
    marks=(
        "site-packages/psycopg/",
        "psycopg.errors.",
        "psycopg_pool",
        "psycopg_binary",
        "psycopg.Error",
        "psycopg_c",
    ),
    shapes=(r"\bpsycopg\.\w+Error\b", r"\bpsycopg3\b"),
    hints=(r"\bUndefined(?:Column|Table|Function|Object)\(", r"^LINE \d+: [^\n]*\$\d"),
    wordings=(
        Wording(text="couldn't get a connection after {} sec", kind="pool_exhausted"),
        Wording(text="the pool '{}' has already {} requests waiting", kind="pool_exhausted"),
        Wording(text="the pool '{}' is already closed", kind="pool_closed"),
        Wording(text="the pool '{}' is not open yet", kind="pool_closed"),
        Wording(text="pool initialization incomplete after {} sec", kind="connection_refused"),
        Wording(text="the connection is closed", kind="connection_lost", own=False),
        Wording(text="the connection is lost", kind="connection_lost", own=False),
        Wording(text="connection is bad: {}", kind="connection_refused"),
        Wording(text="connection timeout expired", kind="connection_refused", own=False),
        Wording(text="failed to resolve host '{}': {}", kind="connection_refused"),
        Wording(text="the query has {} placeholders but {} parameters were passed", kind="other"),
        Wording(text="the query has {} placeholder but {} parameters were passed", kind="other"),
    ),
    # Run with 3.3.9; prepared statements: https://www.psycopg.org/psycopg3/docs/advanced/prepare.html
    stale=(
        "fails each time on that connection until it is closed: let the pool replace its connections, or connect with "
        "prepare_threshold=None"
    ),
)
