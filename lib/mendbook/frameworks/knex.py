"""Knex, the query builder for Node.js, and its migrations."""

from __future__ import annotations

from collections.abc import Mapping

from mendbook.formats import Change, Format, javascript
from mendbook.frameworks import Framework, Wording
from mendbook.ledger import Ledger
from mendbook.migrations import Layout
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


# lib/migrations/migrate/table-creator.js and migration-list-resolver.js of knex/knex; it also keeps a lock beside it.
LEDGER = Ledger(
    table="knex_migrations",
    columns=("id", "name", "batch", "migration_time"),
    create="CREATE TABLE {table} (id serial PRIMARY KEY, name varchar(255), batch integer, migration_time timestamptz)",
    name="name",
    at="migration_time",
    layout=Layout(file=r"(?P<name>[^/]+(?<!\.d)\.[cm]?[jt]s)"),
    row={
        "name": "{name}",
        "batch": "(SELECT coalesce(max(batch), 0) + 1 FROM {table})",
        "migration_time": "now()",
    },
)


def _files(change: Change) -> Mapping[str, str]:
    up, down = (
        "".join(f"  await knex.raw({javascript(each.replace('?', _QUESTION))});\n" for each in statements)
        for statements in (change.forward, change.backward)
    )
    config = "" if change.transaction else "\nexports.config = { transaction: false };\n"
    text = f"exports.up = async (knex) => {{\n{up}}};\n\nexports.down = async (knex) => {{\n{down}}};\n{config}"
    return {f"{change.stamp}_{change.title}.cjs": text}


_QUESTION = "\\?"  # a bare question mark stands for a value
MIGRATION = Format(files=_files)


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
