"""migrate, the migration tool for Go."""

from __future__ import annotations

from collections.abc import Mapping

from mendbook.formats import Change, Format, script
from mendbook.frameworks import Framework, Wording
from mendbook.ledger import Ledger
from mendbook.migrations import Layout, by_number
from mendbook.origin import Origin

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


# database/postgres/postgres.go and source/parse.go of golang-migrate/migrate: one row, the version that it stands at.
LEDGER = Ledger(
    table="schema_migrations",
    columns=("version", "dirty"),
    create="CREATE TABLE {table} (version bigint not null primary key, dirty boolean not null)",
    name="version",
    state="CASE WHEN dirty THEN 'failed' ELSE 'done' END",
    heads=True,
    layout=Layout(file=r"0*(?P<name>[0-9]+)_[^/]*\.up\.[^/]*", order=by_number),
    row={"version": "{name}", "dirty": "false"},
    by_hand="migrate force",
)


def _files(change: Change) -> Mapping[str, str]:
    name = f"{change.number}_{change.title}"
    return {f"{name}.up.sql": script(change.forward), f"{name}.down.sql": script(change.backward)}


MIGRATION = Format(files=_files, alone=True)

EXPECTATION = Origin(prefix="golang-migrate", form="DIR", means=LEDGER.layout)
