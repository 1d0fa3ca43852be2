"""SQLAlchemy, engine and ORM."""

from __future__ import annotations

from pathlib import Path

from mendbook.frameworks import Framework, Wording
from mendbook.origin import Command, Origin, Program

FRAMEWORK = Framework(
    name="sqlalchemy",
    title="SQLAlchemy",
    home="https://docs.sqlalchemy.org/en/21/errors.html and lib/sqlalchemy/exc.py, pool/impl.py",
    over=("psycopg2", "psycopg3", "asyncpg", "pg8000"),
    only=False,
    marks=(
        "sqlalchemy.exc.",
        "site-packages/sqlalchemy/",
        "sqlalche.me/e/",
        "sqlalchemy.orm.exc",
        "sqlalchemy.dialects",
    ),
    shapes=(r"\[SQL: ", r"\(psycopg2?\.(?:errors\.)?\w+\) "),
    wordings=(
        Wording(
            text="QueuePool limit of size {} overflow {} reached, connection timed out, timeout {}",
            kind="pool_exhausted",
        ),
        Wording(text="This Connection is closed", kind="pool_closed"),
        Wording(text="Can't reconnect until invalid transaction is rolled back.…", kind="aborted_transaction"),
        Wording(
            text="This Session's transaction has been rolled back due to a previous exception during flush.…",
            kind="aborted_transaction",
        ),
    ),
    statements=(
        r"\[SQL: (?P<sql>(?:.|\n){1,20000}?)\]\s*?(?:\n|$)\s*(?:\[parameters: |\(Background on|$)",
        r"\[SQL: (?P<sql>[^\n]{1,20000})\]\s*(?:\n|$|'\))",
    ),
    qualifies_by="table",
)


def _command(place: str) -> Command:
    module, _, name = place.partition(":")
    return Command(folder=Path.cwd(), words=("run_sqlalchemy.py", "metadata", module, name or "metadata"))


EXPECTATION = Origin(
    prefix="sqlalchemy",
    form="MODULE:METADATA",
    means=Program(language="Python", command=_command, install="pip install sqlalchemy psycopg[binary]"),
)
