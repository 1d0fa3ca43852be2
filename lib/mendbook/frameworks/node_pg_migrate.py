"""node-pg-migrate, the migration tool for Node.js."""

from __future__ import annotations

from collections.abc import Mapping

from mendbook.formats import Change, Format, javascript
from mendbook.frameworks import Framework, Wording
from mendbook.ledger import Ledger
from mendbook.migrations import Layout, by_number
from mendbook.origin import Command, Origin, Program, folder

FRAMEWORK = Framework(
    name="node-pg-migrate",
    title="node-pg-migrate",
    home="https://salsita.github.io/node-pg-migrate/ and src/runner.ts of salsita/node-pg-migrate",
    over=("node-postgres",),
    marks=("node_modules/node-pg-migrate/", "node-pg-migrate", "pgmigrations"),
    wordings=(
        Wording(text="Not run migration {} is preceding already run migration {}", kind="migration_history"),
        Wording(text="Another migration is already running", kind="lock_timeout"),
    ),
)


# src/runner.ts, src/migration.ts and src/sqlMigration.ts of salsita/node-pg-migrate
LEDGER = Ledger(
    table="pgmigrations",
    columns=("id", "name", "run_on"),
    create="CREATE TABLE {table} (id SERIAL PRIMARY KEY, name varchar(255) NOT NULL, run_on timestamp NOT NULL)",
    name="name",
    at="run_on",
    layout=Layout(
        file=r"(?P<name>[^/.][^/]*?)(?<!\.d)\.(?:[cm]?[jt]s|sql)",
        order=by_number,
        up=r"\s*--[\s-]*up\s+migration",
        down=r"\s*--[\s-]*down\s+migration",
    ),
    row={"name": "{name}", "run_on": "now()"},
)


def _files(change: Change) -> Mapping[str, str]:
    up, down = (
        "".join(f"  pgm.sql({javascript(each)});\n" for each in statements)
        for statements in (change.forward, change.backward)
    )
    single = "" if change.transaction else "  pgm.noTransaction();\n"
    text = f"exports.up = (pgm) => {{\n{single}{up}}};\n\nexports.down = (pgm) => {{\n{single}{down}}};\n"
    return {f"{change.milliseconds}_{change.title.replace('_', '-')}.cjs": text}


MIGRATION = Format(files=_files)


def _command(place: str) -> Command:
    return Command(folder=folder(place, "node-pg-migrate").resolve(), words=("node-pg-migrate", "up"))


EXPECTATION = Origin(
    prefix="node-pg-migrate",
    form="DIR",
    means=Program(
        language="Node",
        command=_command,
        install="npm install --save-dev node-pg-migrate pg",
        announces=r"### MIGRATION (\S+) \(UP\)",
    ),
)
