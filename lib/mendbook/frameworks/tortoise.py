"""Tortoise ORM, the asynchronous ORM for Python."""

from __future__ import annotations

from mendbook.frameworks import Framework, Wording

FRAMEWORK = Framework(
    name="tortoise",
    title="Tortoise ORM",
    home="https://tortoise.github.io and tortoise/exceptions.py, tortoise/backends",
    over=("asyncpg", "psycopg3"),
    only=False,
    marks=("tortoise.exceptions", "site-packages/tortoise/"),
    wordings=(
        Wording(text="Can't connect to Database {}", kind="connection_refused", own=False),
        Wording(text="Can't establish connection to database {database}", kind="missing_database", own=False),
    ),
    qualifies_by="table",
)
