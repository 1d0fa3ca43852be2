"""Postgrex, the driver for Elixir, and DBConnection's pool."""

from __future__ import annotations

from mendbook.frameworks import Framework, Wording

FRAMEWORK = Framework(
    name="postgrex",
    title="Postgrex",
    home="https://hexdocs.pm/postgrex and lib/postgrex/error.ex; lib/db_connection of elixir-ecto/db_connection",
    marks=("Postgrex", "(postgrex ", "lib/postgrex/"),
    wordings=(
        Wording(
            text="connection not available and request was dropped from queue after {}ms.…",
            kind="pool_exhausted",
            own=False,
        ),
        Wording(text="tcp connect ({}): connection refused - :econnrefused", kind="connection_refused", own=False),
        Wording(text="tcp connect ({}): {}", kind="connection_refused", own=False),
        Wording(text="tcp recv: closed…", kind="connection_lost", own=False),
        Wording(text="ssl recv: closed…", kind="connection_lost", own=False),
        Wording(text="tcp recv (idle): closed…", kind="connection_lost", own=False),
        Wording(
            text="connection is closed because of an error, disconnect or timeout", kind="connection_lost", own=False
        ),
        Wording(
            text="client {} timed out because it queued and checked out the connection for longer than {}ms…",
            kind="statement_timeout",
            own=False,
        ),
    ),
    statements=(
        r"\n\s*query: (?P<sql>(?:[^\n]|\n(?=\s*(?:FROM|WHERE|ORDER|LEFT|INNER|JOIN|GROUP|LIMIT)\b)){1,20000})",
    ),
    frames=("postgrex", "db_connection"),
)
