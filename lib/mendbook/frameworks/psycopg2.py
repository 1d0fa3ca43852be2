"""psycopg2, the driver for Python on libpq."""

from __future__ import annotations

from mendbook.frameworks import Framework, Wording

FRAMEWORK = Framework(
    name="psycopg2",
    title="psycopg2",
    home="https://www.psycopg.org/docs/ and lib/pool.py of psycopg/psycopg2",
    marks=("psycopg2",),
    wordings=(
        Wording(text="connection pool exhausted", kind="pool_exhausted"),
        Wording(text="connection pool is closed", kind="pool_closed"),
        Wording(text="trying to put unkeyed connection", kind="other"),
        Wording(text="connection already closed", kind="connection_lost", own=False),
        Wording(text="cursor already closed", kind="other", own=False),
    ),
)
