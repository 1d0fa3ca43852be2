"""Sequelize, the ORM for Node.js, and its command line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mendbook.formats import Change, Format, javascript
from mendbook.frameworks import Framework, Wording
from mendbook.ledger import Ledger
from mendbook.migrations import Layout
from mendbook.origin import Command, Origin, Program, folder

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


# As umzug's SequelizeStorage makes it for sequelize-cli 6: PostgreSQL keeps one index for UNIQUE and PRIMARY KEY.
LEDGER = Ledger(
    table="SequelizeMeta",
    columns=("name",),
    create="CREATE TABLE IF NOT EXISTS {table} (name varchar(255) NOT NULL UNIQUE, PRIMARY KEY (name))",
    name="name",
    layout=Layout(file=r"(?P<name>[^/]+(?<!\.d)\.[cm]?[jt]s)"),
    row={"name": "{name}"},
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


def _migrate(place: str) -> Command:
    """Migrations by the command line, whose own configuration --url replaces; .sequelizerc says where they are."""
    words = ("sequelize-cli", "db:migrate", "--debug", "--url", "{url}")
    return Command(folder=folder(place, "sequelize").resolve(), words=words)


def _sync(place: str) -> Command:
    """Models: the module exports its Sequelize instance, alone or as `sequelize`, as the generated index.js does."""
    return Command(folder=Path(place).resolve().parent, words=("run_sequelize.cjs", Path(place).name))


_INSTALL = "npm install --save-dev sequelize-cli pg"

EXPECTATION = Origin(
    prefix="sequelize",
    form="DIR or FILE",
    means=Program(language="Node", command=_migrate, announces=r"== (\S+): migrating", install=_INSTALL),
    file=Program(language="Node", command=_sync, install=_INSTALL),
)
