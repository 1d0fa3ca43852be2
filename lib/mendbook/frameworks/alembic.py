"""Alembic, SQLAlchemy's migrations."""

from __future__ import annotations

from pathlib import Path

from mendbook.errors import Usage
from mendbook.frameworks import Framework, Wording
from mendbook.origin import Command, Origin, Program

FRAMEWORK = Framework(
    name="alembic",
    title="Alembic",
    home="https://alembic.sqlalchemy.org and alembic/util/exc.py, alembic/command.py",
    over=("sqlalchemy", "psycopg2", "psycopg3", "asyncpg", "pg8000"),
    only=False,
    marks=(
        "site-packages/alembic/",
        "alembic.util.exc",
        "[alembic.",
        "bin/alembic",
        "alembic upgrade",
        "alembic check",
    ),
    wordings=(
        Wording(text="Target database is not up to date.", kind="migration_pending"),
        Wording(text="Can't locate revision identified by '{}'", kind="migration_history"),
        Wording(text="No such revision or branch '{}'", kind="migration_history"),
        Wording(text="Requested revision {} overlaps with other requested revisions {}", kind="migration_history"),
        Wording(
            text="Multiple head revisions are present for given argument '{}'; …",
            kind="migration_history",
        ),
        Wording(text="Multiple heads are present; {}", kind="migration_history"),
        Wording(text="Can't proceed with --autogenerate option; {}", kind="migration_history"),
        Wording(text="New upgrade operations detected: {}", kind="migration_pending"),
    ),
)


def _command(place: str) -> Command:
    path = Path(place)
    folder, file = (path.parent, path) if path.is_file() else (path, path / "alembic.ini")
    if not file.is_file():
        raise Usage(f"{folder} has no alembic.ini; nothing was started. Name the folder or the file: alembic:DIR.")
    return Command(folder=folder.resolve(), words=("run_sqlalchemy.py", "alembic", file.name))


EXPECTATION = Origin(
    prefix="alembic",
    form="DIR",
    means=Program(language="Python", command=_command, install="pip install alembic psycopg[binary]"),
)
