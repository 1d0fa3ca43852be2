"""node-pg-migrate, the migration tool for Node.js."""

from __future__ import annotations

from mendbook.frameworks import Framework, Wording

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
