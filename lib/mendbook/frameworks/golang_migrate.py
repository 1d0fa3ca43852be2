"""migrate, the migration tool for Go."""

from __future__ import annotations

from mendbook.frameworks import Framework, Wording
from mendbook.origin import Origin, Scripts

FRAMEWORK = Framework(
    name="golang-migrate",
    title="golang-migrate",
    home="https://github.com/golang-migrate/migrate: migrate.go, database/error.go",
    over=("pgx", "lib-pq"),
    only=False,
    marks=("golang-migrate", "/migrate/v4"),
    shapes=(
        r"\bmigration failed(?: in line \d+)?: ",
        r"\(details: p[qg][x: ]",
        r"\bschema_migrations\b.{0,80}\bdirty\b",
    ),
    wordings=(
        Wording(text="Dirty database version {}. Fix and force version.", kind="migration_history"),
        Wording(text="no migration found for version {}: {}", kind="migration_history"),
        Wording(text="can't acquire database lock", kind="lock_timeout", own=False),
    ),
    statements=(r"migration failed[^\n]*? in line \d+: (?P<sql>(?:.|\n){1,20000}?) \(details: ",),
)

EXPECTATION = Origin(
    prefix="golang-migrate",
    form="DIR",
    means=Scripts(file=r"(?P<version>[0-9]+)_[^/]*\.up\.sql"),
)
