"""Ecto, the database wrapper for Elixir: its migrations and the pool that it has from DBConnection."""

from __future__ import annotations

from mendbook.frameworks import Framework, Wording
from mendbook.ledger import Ledger
from mendbook.migrations import Layout, by_number

FRAMEWORK = Framework(
    name="ecto",
    title="Ecto",
    home="https://hexdocs.pm/ecto_sql and lib/ecto of elixir-ecto/ecto_sql",
    over=("postgrex",),
    only=False,
    marks=("(ecto ", "(ecto_sql ", "lib/ecto/", "mix ecto.", "(phoenix_ecto "),
    shapes=(r"\bEcto\.[A-Z]",),
    wordings=(
        Wording(
            text="connection not available and request was dropped from queue after {}ms.…",
            kind="pool_exhausted",
        ),
        Wording(text="tcp connect ({}): connection refused - :econnrefused", kind="connection_refused"),
        Wording(text="tcp connect ({}): {}", kind="connection_refused"),
        Wording(text="tcp recv: closed…", kind="connection_lost"),
        Wording(text="ssl recv: closed…", kind="connection_lost"),
        Wording(text="tcp recv (idle): closed…", kind="connection_lost"),
        Wording(text="connection is closed because of an error, disconnect or timeout", kind="connection_lost"),
        Wording(
            text="client {} timed out because it queued and checked out the connection for longer than {}ms…",
            kind="statement_timeout",
        ),
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


# lib/ecto/migration/schema_migration.ex and lib/ecto/migrator.ex of elixir-ecto/ecto_sql
LEDGER = Ledger(
    table="schema_migrations",
    columns=("version", "inserted_at"),
    create="CREATE TABLE {table} (version bigint PRIMARY KEY, inserted_at timestamp(0))",
    name="version",
    at="inserted_at",
    layout=Layout(file=r"(?:.*/)?0*(?P<name>[0-9]+)_[^/]+\.exs", order=by_number),
    row={"version": "{name}", "inserted_at": "now() AT TIME ZONE 'UTC'"},
)
