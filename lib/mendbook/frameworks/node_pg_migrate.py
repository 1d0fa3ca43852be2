"""node-pg-migrate, the migration tool for Node.js."""

from __future__ import annotations

from mendbook.frameworks import Framework, Wording
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
