"""TypeORM, the ORM for TypeScript, and its migrations."""

from __future__ import annotations

from mendbook.frameworks import Framework, Wording

FRAMEWORK = Framework(
    name="typeorm",
    title="TypeORM",
    home="https://typeorm.io and src/error, src/migration of typeorm/typeorm",
    over=("node-postgres",),
    only=False,
    marks=("node_modules/typeorm/", "node_modules\\typeorm\\"),
    shapes=(r"\bQueryFailedError\b", r"\bdriverError: ", r"PostgresQueryRunner", r"\[TypeOrmModule\]"),
    wordings=(
        Wording(text="Cannot connect to the Postgres database.…", kind="connection_refused", own=False),
        Wording(text="Driver not Connected", kind="pool_closed", own=False),
        Wording(text='Migration "{}" failed, error: {}', kind="other", own=False),
    ),
    qualifies_by="alias",
)
