"""Knex, the query builder for Node.js, and its migrations."""

from __future__ import annotations

from mendbook.frameworks import Framework, Wording
from mendbook.origin import Command, Origin, Program, folder

FRAMEWORK = Framework(
    name="knex",
    title="Knex",
    home="https://knexjs.org/guide/ and lib/client.js, lib/migrations of knex/knex",
    over=("node-postgres",),
    only=False,
    marks=("node_modules/knex/", "node_modules\\knex\\", "knex_migrations"),
    shapes=(
        r"\berror: (?i:select|insert|update|delete|with|alter|create|drop|truncate)\b[^\n]{0,2000}? - \S",
        r"\bKnexTimeoutError\b",
        r"migration file \"[^\"\n]+\" failed",
        r"migration failed with error: ",
    ),
    wordings=(
        Wording(text="Knex: Timeout acquiring a connection. The pool is probably full.…", kind="pool_exhausted"),
        Wording(text="Unable to acquire a connection", kind="pool_closed", own=False),
        Wording(text="Defined query timeout of {}ms exceeded when running query.", kind="statement_timeout"),
        Wording(
            text="The migration directory is corrupt, the following files are missing: {}", kind="migration_history"
        ),
        Wording(text="Migration table is already locked", kind="lock_timeout"),
    ),
    statements=(
        r"(?P<sql>\b(?i:select|insert|update|delete|with|alter|create|drop|truncate|call|merge|comment)\b"
        r"(?:[^\n]|\n(?!\s*at )){1,8000}?) - {message}",
    ),
)


def _command(place: str) -> Command:
    return Command(folder=folder(place, "knex").resolve(), words=("knex", "migrate:latest"))


EXPECTATION = Origin(
    prefix="knex",
    form="DIR",
    means=Program(
        language="Node",
        command=_command,
        install="npm install knex pg",
        announces=r'migration file "([^"]+)" failed',
    ),
)
