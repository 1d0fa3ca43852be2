"""MikroORM, the ORM for TypeScript."""

from __future__ import annotations

from mendbook.frameworks import Framework

FRAMEWORK = Framework(
    name="mikro-orm",
    title="MikroORM",
    home="https://mikro-orm.io/docs and packages/core/src/exceptions.ts of mikro-orm/mikro-orm",
    over=("knex", "kysely", "node-postgres"),
    only=False,
    marks=("node_modules/@mikro-orm/", "node_modules\\@mikro-orm\\", "mikro_orm_migrations"),
    shapes=(
        r"\b(?:InvalidFieldName|TableNotFound|TableExists|SyntaxError|NotNullConstraintViolation|NonUniqueFieldName)"
        r"Exception: (?:[a-z]+ |column|relation|null)",
        r"\bPostgreSqlExceptionConverter\b",
    ),
    statements=(
        r"Exception: (?P<sql>\b(?i:select|insert|update|delete|with|alter|create|drop|truncate)\b"
        r"(?:[^\n]|\n(?!\s*at )){1,8000}?) - {message}",
    ),
    qualifies_by="alias",
)
