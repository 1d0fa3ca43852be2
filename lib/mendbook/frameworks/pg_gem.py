"""The gem `pg`, Ruby's driver on libpq."""

from __future__ import annotations

from mendbook.frameworks import Framework, Wording

FRAMEWORK = Framework(
    name="pg-gem",
    title="ruby-pg",
    home="https://deveiate.org/code/pg/ and lib/pg of ged/ruby-pg",
    marks=("PG::", "/gems/pg-", "pg (", "`exec_params'"),
    wordings=(
        Wording(text="PQconsumeInput() {}", kind="connection_lost"),
        Wording(text="PQsocket() can't get socket descriptor", kind="connection_lost"),
        Wording(text="connection is closed", kind="connection_lost", own=False),
    ),
)
