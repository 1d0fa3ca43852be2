"""TypeORM, the ORM for TypeScript, and its migrations."""

from __future__ import annotations

from pathlib import Path

from mendbook.errors import Usage
from mendbook.frameworks import Framework, Wording
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
