"""Flyway, the migration tool for Java."""

from __future__ import annotations

from mendbook.frameworks import Framework, Wording

FRAMEWORK = Framework(
    name="flyway",
    title="Flyway",
    home="https://documentation.red-gate.com/flyway and flyway-core/src/main/java/org/flywaydb/core/internal",
    over=("spring", "hibernate", "hikari", "jdbc"),
    only=False,
    marks=("org.flywaydb.", "Flyway", "flyway_schema_history", "flyway:"),
    wordings=(
        Wording(text="Validate failed: Migrations have failed validation…", kind="migration_history"),
        Wording(text="Migration checksum mismatch for migration version {}", kind="migration_history"),
        Wording(text="Detected resolved migration not applied to database: {}", kind="migration_pending"),
        Wording(text="Detected applied migration not resolved locally: {}", kind="migration_history"),
        Wording(text="Detected failed migration to version {}", kind="migration_history"),
        Wording(text="Detected failed repeatable migration: {}", kind="migration_history"),
        Wording(text="Found non-empty schema(s) {} but no schema history table. {}", kind="migration_history"),
        Wording(text="Schema {} contains a failed migration to version {}", kind="migration_history"),
        Wording(text="Unable to obtain connection from database{}", kind="connection_refused", own=False),
    ),
    statements=(r"^Statement\s*: (?P<sql>(?:[^\n]|\n(?!\n|\s+at |Caused|\t\.\.\.)){1,20000})",),
    frames=("org.flywaydb.",),
)
