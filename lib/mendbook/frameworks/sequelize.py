"""Sequelize, the ORM for Node.js, and its command line."""

from __future__ import annotations

from collections.abc import Mapping

from psycopg import sql

from mendbook.formats import Change, Format, javascript
from mendbook.frameworks import Framework, Wording
from mendbook.ledger import Ledger, Values
from mendbook.migrations import Layout, Migration

FRAMEWORK = Framework(
    name="sequelize",
    title="Sequelize",
    home="https://sequelize.org/docs/v6/ and lib/errors, lib/dialects/postgres of sequelize/sequelize",
    over=("node-postgres",),
    only=False,
    marks=(
        "node_modules/sequelize/",
        "node_modules/@sequelize/",
        "node_modules\\sequelize\\",
        "node_modules/sequelize-cli/",
    ),
    shapes=(
        r"\bSequelize[A-Z]\w*Error\b",
        r"Sequelize CLI \[",
        r"\bSequelizeMeta\b",
        r"\bConnectionAcquireTimeoutError\b",
    ),
    wordings=(
        Wording(text="SequelizeConnectionAcquireTimeoutError: Operation timeout", kind="pool_exhausted"),
        Wording(
            text="ConnectionManager.getConnection was called after the connection manager was closed!",
            kind="pool_closed",
        ),
        Wording(text="ResourceRequest timed out", kind="pool_exhausted"),
    ),
    codes={
        "ConnectionAcquireTimeoutError": "pool_exhausted",
        "SequelizeConnectionRefusedError": "connection_refused",
        "SequelizeHostNotFoundError": "connection_refused",
        "SequelizeHostNotReachableError": "connection_refused",
        "SequelizeConnectionTimedOutError": "connection_refused",
        "SequelizeAccessDeniedError": "authentication",
        "SequelizeUnknownConstraintError": "missing_constraint",
    },
    qualifies_by="alias",
)


def _row(migration: Migration, _table: sql.Composable) -> Values:
    return {"name": sql.Literal(migration.name)}


# As umzug's SequelizeStorage makes it for sequelize-cli 6: PostgreSQL keeps one index for UNIQUE and PRIMARY KEY.
LEDGER = Ledger(
    table="SequelizeMeta",
    columns=("name",),
    create="CREATE TABLE IF NOT EXISTS {table} (name varchar(255) NOT NULL UNIQUE, PRIMARY KEY (name))",
    name="name",
    layout=Layout(file=r"(?P<name>[^/]+(?<!\.d)\.[cm]?[jt]s)"),
    row=_row,
)


def _files(change: Change) -> Mapping[str, str]:
    up, down = (
        "".join(f"    await queryInterface.sequelize.query({javascript(each)});\n" for each in statements)
        for statements in (change.forward, change.backward)
    )
    text = (
        "'use strict';\n\n/** @type {import('sequelize-cli').Migration} */\nmodule.exports = {\n"
        f"  async up(queryInterface) {{\n{up}  }},\n\n  async down(queryInterface) {{\n{down}  }},\n}};\n"
    )
    return {f"{change.stamp}-{change.title.replace('_', '-')}.cjs": text}


# It opens no transaction of its own.
MIGRATION = Format(files=_files)
