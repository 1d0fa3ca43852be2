"""TypeORM, the ORM for TypeScript, and its migrations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from mendbook.errors import Usage
from mendbook.formats import Change, Format, javascript
from mendbook.frameworks import Framework, Wording
from mendbook.ledger import Ledger, Values
from mendbook.migrations import Layout, Migration, Named
from mendbook.origin import Command, Origin, Program

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


def _names(match: re.Match[str], text: str) -> Iterator[Named]:
    named = re.search(r"""^\s*name\s*=\s*["']([^"'\n]+)["']""", text, re.MULTILINE)
    found = named or re.search(r"\bclass\s+(\w+\d{13})\b", text)
    yield Named(name=found[1] if found else f"{match['title']}{match['stamp']}")


def _values(migration: Migration) -> Values:
    return {"stamp": migration.name[-13:]}


# src/migration/MigrationExecutor.ts of typeorm/typeorm: the name is the class's, and ends in its time.
LEDGER = Ledger(
    table="migrations",
    columns=("id", "timestamp", "name"),
    create="""CREATE TABLE {table} (
    id SERIAL NOT NULL,
    "timestamp" bigint NOT NULL,
    name character varying NOT NULL,
    CONSTRAINT "PK_8c82d7f526340ab734260ea46be" PRIMARY KEY (id)
)""",
    name="name",
    layout=Layout(
        file=r"(?P<stamp>\d{13})-(?P<title>[^/]+?)(?<!\.d)\.[cm]?[jt]s",
        names=_names,
        order=lambda name: (name[-13:], name),
    ),
    values=_values,
    row={"timestamp": "{stamp}", "name": "{name}"},
)


def _files(change: Change) -> Mapping[str, str]:
    suffix = change.suffix(".ts")
    name, typed = f"{change.camel}{change.milliseconds}", suffix == ".ts"
    up, down = (
        "".join(f"    await runner.query({javascript(each)});\n" for each in statements)
        for statements in (change.forward, change.backward)
    )
    head, runner = f"module.exports = class {name} {{", "runner"
    if typed:
        head = f'import {{ MigrationInterface, QueryRunner }} from "typeorm";\n\nexport class {name} implements '
        head, runner = f"{head}MigrationInterface {{", "runner: QueryRunner"
    single = "" if change.transaction else _SINGLE
    methods = f"  async up({runner}) {{\n{up}  }}\n\n  async down({runner}) {{\n{down}  }}\n"
    return {f"{change.milliseconds}-{change.camel}{suffix}": f"{head}\n  name = '{name}';\n{single}\n{methods}}}\n"}


# src/migration/MigrationExecutor.ts: the class decides for one direction only.
_SINGLE = """  // Run it with --transaction each, and revert it with --transaction none.
  transaction = false;
"""
MIGRATION = Format(files=_files)


def _command(place: str) -> Command:
    path = Path(place)
    if not path.is_file():
        raise Usage(f"{place} is no file; nothing was started. Name the one that exports the DataSource: typeorm:FILE.")
    # The second is the command line under ts-node, for a data source that is not compiled.
    tool = "typeorm" if path.suffix in (".js", ".cjs", ".mjs") else "typeorm-ts-node-commonjs"
    return Command(folder=path.resolve().parent, words=(tool, "migration:run", "--dataSource", path.name))


EXPECTATION = Origin(
    prefix="typeorm",
    form="FILE",
    means=Program(language="Node", command=_command, install="npm install typeorm pg"),
)
