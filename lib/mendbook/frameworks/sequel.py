"""Sequel, the database toolkit for Ruby."""

from __future__ import annotations

from mendbook.frameworks import Framework, Wording

FRAMEWORK = Framework(
    name="sequel",
    title="Sequel",
    home="https://sequel.jeremyevans.net and lib/sequel/exceptions.rb of jeremyevans/sequel",
    over=("pg-gem",),
    only=False,
    marks=("Sequel::", "/gems/sequel-"),
    wordings=(
        Wording(text="timeout: {}, elapsed: {}", kind="pool_exhausted", own=False),
        Wording(text="migrator is not current", kind="migration_pending"),
        Wording(text="Applied migration files not in file system: {}", kind="migration_history"),
    ),
    qualifies_by="table",
)
