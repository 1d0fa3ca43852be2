"""Flyway, the migration tool for Java."""

from __future__ import annotations

from mendbook.frameworks import Framework, Wording
from mendbook.origin import Origin, Scripts

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

# Versioned migrations by their numbers, then repeatable ones by their descriptions:
# https://documentation.red-gate.com/flyway/flyway-concepts/migrations
EXPECTATION = Origin(
    prefix="flyway",
    form="DIR",
    means=Scripts(
        file=r"(?:.*/)?(?:V(?P<version>[0-9]+(?:[._][0-9]+)*)|R)__[^/]+\.sql",
        program=r"(?:.*/)?[VR][0-9._]*__[^/]+\.(?:java|kt)",
    ),
)
