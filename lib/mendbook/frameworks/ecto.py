"""Ecto, the database wrapper for Elixir, and its migrations."""

from __future__ import annotations

from mendbook.frameworks import Framework, Wording

FRAMEWORK = Framework(
    name="ecto",
    title="Ecto",
    home="https://hexdocs.pm/ecto_sql and lib/ecto of elixir-ecto/ecto_sql",
    over=("postgrex",),
    only=False,
    marks=("(ecto ", "(ecto_sql ", "lib/ecto/", "mix ecto.", "(phoenix_ecto "),
    shapes=(r"\bEcto\.[A-Z]",),
    wordings=(
        Wording(text="there are pending migrations for repo: {}. {}", kind="migration_pending"),
        Wording(
            text="could not lookup Ecto repo {} because it was not started or it does not exist",
            kind="pool_closed",
            own=False,
        ),
    ),
    frames=("ecto", "ecto_sql", "phoenix_ecto"),
    qualifies_by="alias",
)
