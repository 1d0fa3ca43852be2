"""Alembic, SQLAlchemy's migrations."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from mendbook.errors import Refused, Usage
from mendbook.formats import Change, Format, python
from mendbook.frameworks import Framework, Wording
from mendbook.ledger import Ledger
from mendbook.migrations import Layout, Named, assigned
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


def _names(_match: re.Match[str], text: str) -> Iterator[Named]:
    said = assigned(text)
    if isinstance(said.get("revision"), str):
        before = [said.get("down_revision"), said.get("depends_on")]
        follows = [name for each in before for name in ([each] if isinstance(each, str) else each or ())]
        yield Named(name=said["revision"], follows=tuple(follows))


# alembic/runtime/migration.py: the table holds the newest revision of each branch.
LEDGER = Ledger(
    table="alembic_version",
    columns=("version_num",),
    create="""CREATE TABLE {table} (
    version_num VARCHAR(32) NOT NULL,
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
)""",
    name="version_num",
    heads=True,
    layout=Layout(file=r"(?:.*/)?(?!env\.py)[^/]+\.py", names=_names),
    row={"version_num": "{name}"},
    by_hand="alembic stamp",
)


def _files(change: Change) -> Mapping[str, str]:
    revision = hashlib.sha256(f"{change.title} {change.at}".encode()).hexdigest()[:12]
    followed = {name for each in change.before for name in each.follows}
    heads = [each.name for each in change.before if each.name not in followed]
    if len(heads) > 1:
        raise Refused(
            f"The revisions have several heads ({', '.join(heads)}), so a new one cannot follow them; nothing was "
            f"changed. Join them with alembic merge heads, then run this again."
        )
    down = heads[0] if heads else None
    return {
        f"{change.folder}{revision}_{change.title}.py": (
            f'"""{change.title.replace("_", " ")}\n\nRevision ID: {revision}\nRevises: {down or ""}\n'
            f'Create Date: {change.at:%Y-%m-%d %H:%M:%S}\n"""\n\nfrom alembic import op\n\n'
            f"revision = {revision!r}\ndown_revision = {down!r}\nbranch_labels = None\ndepends_on = None\n\n\n"
            f"def upgrade():\n{_body(change.forward, change.transaction)}\n\n"
            f"def downgrade():\n{_body(change.backward, change.transaction)}"
        )
    }


def _body(statements: Iterable[str], transaction: bool) -> str:
    calls = [f"op.execute({python(_BIND.sub(_COLON, each))})" for each in statements] or ["pass"]
    if transaction:
        return "".join(f"    {call}\n" for call in calls)
    return "    with op.get_context().autocommit_block():\n" + "".join(f"        {call}\n" for call in calls)


_BIND = re.compile(r"(?<![:\w\\]):(?=\w)")  # what SQLAlchemy's text() takes for the name of a value
_COLON = r"\\:"
MIGRATION = Format(files=_files)


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
