"""dbmate, the migration tool for any language."""

from __future__ import annotations

from collections.abc import Mapping

from mendbook.formats import Change, Format, script
from mendbook.frameworks import Framework, Wording
from mendbook.ledger import Ledger
from mendbook.migrations import Layout
from mendbook.origin import Origin

FRAMEWORK = Framework(
    name="dbmate",
    title="dbmate",
    home="https://github.com/amacneil/dbmate: pkg/dbmate",
    over=("lib-pq",),
    only=False,
    marks=("dbmate",),
    shapes=(r"^Applying: \d+\w*\.sql$",),
    wordings=(
        Wording(text="can't find migration file", kind="migration_history", own=False),
        Wording(text="can't rollback: no migrations have been applied", kind="migration_history"),
        Wording(text="migration `{}` is out of order with already applied migrations, …", kind="migration_history"),
    ),
)


# pkg/driver/postgres/postgres.go, pkg/dbmate/db.go and migration.go of amacneil/dbmate, which sorts the files' names.
LEDGER = Ledger(
    table="schema_migrations",
    columns=("version",),
    create="CREATE TABLE IF NOT EXISTS {table} (version character varying NOT NULL PRIMARY KEY)",
    name="version",
    layout=Layout(
        file=r"(?P<name>[0-9]+)[^/]*\.sql",
        mark=r"^--\s*migrate:up\b",
        order=None,
        up=r"--\s*migrate:up\b",
        down=r"--\s*migrate:down\b",
    ),
    row={"version": "{name}"},
)


def _files(change: Change) -> Mapping[str, str]:
    single = "" if change.transaction else " transaction:false"
    text = f"-- migrate:up{single}\n{script(change.forward)}\n-- migrate:down{single}\n{script(change.backward)}"
    return {f"{change.stamp}_{change.title}.sql": text}


MIGRATION = Format(files=_files, alone=True)

EXPECTATION = Origin(prefix="dbmate", form="DIR", means=LEDGER.layout)
