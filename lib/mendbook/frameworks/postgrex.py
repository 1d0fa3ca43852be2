"""Postgrex, the driver for Elixir."""

from __future__ import annotations

from mendbook.frameworks import Framework

FRAMEWORK = Framework(
    name="postgrex",
    title="Postgrex",
    home="https://hexdocs.pm/postgrex and lib/postgrex/error.ex",
    marks=("Postgrex", "(postgrex ", "lib/postgrex/"),
    statements=(
        r"\n\s*query: (?P<sql>(?:[^\n]|\n(?=\s*(?:FROM|WHERE|ORDER|LEFT|INNER|JOIN|GROUP|LIMIT)\b)){1,20000})",
    ),
    frames=("postgrex", "db_connection"),
)
