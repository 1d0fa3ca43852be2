"""SQL scripts, run statement by statement in a scratch database as psql or a migration tool would run them.

What the scratch server lacks and a schema can do without is made or left out, and said: roles, extensions, settings
of other versions, other databases. Anything else that fails ends the run, with file, line and SQLSTATE.
"""

from __future__ import annotations

import contextlib
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus

from mendbook import lexer, migrations
from mendbook.errors import Surroundings, Usage
from mendbook.lexer import Piece
from mendbook.migrations import Migration
from mendbook.origin import Dump
from mendbook.target import Target

_NO_ROLE = re.compile(r'role "(.+)" does not exist', re.DOTALL)
_FROM_STDIN = re.compile(r"\bFROM\s+STDIN\b", re.IGNORECASE)
_NO_EXTENSION = re.compile(r'extension "|could not open extension control file')
_NO_DATABASE = "3D000"
_IN_TRANSACTION = frozenset({"25001", "55P04"})  # not in a transaction block; an enum value that is not committed yet
_OTHER_DATABASES = frozenset({"CREATE DATABASE", "DROP DATABASE"})
_EXTENSIONS = frozenset({"CREATE EXTENSION", "ALTER EXTENSION", "COMMENT"})
_INCLUDES = frozenset({"i", "include", "ir", "include_relative"})
_DECISIONS = frozenset({"if", "elif", "else", "endif", "gexec", "gset"})


@dataclass(frozen=True, kw_only=True, slots=True)
class _Statement:
    """One statement with its place."""

    path: Path
    line: int
    text: str
    verb: str
    rows: str | None = None  # of a COPY … FROM stdin

    def __str__(self) -> str:
        return f"{self.verb} in {self.path.name}:{self.line}"  # not the text, which can hold a password

    def failed(self, error: psycopg.Error, notes: Sequence[str]) -> Usage:
        """What to tell people about *error*; the *notes* of what was left out before may explain it."""
        position = int(error.diag.statement_position or 1)
        line = self.line + self.text.count("\n", 0, position - 1)
        said = [error.diag.message_primary or str(error), error.diag.message_detail, error.diag.message_hint]
        return Usage(
            f"{self.path}:{line} fails on the scratch database ({error.diag.sqlstate}): "
            f"{' '.join(each.rstrip('.') + '.' for each in said if each)} What comes after it was not run, so it is "
            f"not known which schema is expected. Repair {self.path.name}, then run this again."
            + "".join(f"\n{note}" for note in notes)
        )


_BEGIN = _Statement(path=Path(), line=0, text="BEGIN", verb="BEGIN")
_COMMIT = _Statement(path=Path(), line=0, text="COMMIT", verb="COMMIT")


def dump(target: Target, place: Path, kind: Dump) -> list[str]:
    """Run a script for psql, or the scripts of a folder; return what was left out or made."""
    with session(target) as run:
        for path in _dumps(place, kind):
            run.script(path, migrations.read(path))
        return run.notes


def migrate(target: Target, found: Sequence[Migration]) -> list[str]:
    """Run the migrations of a folder; return what was left out or made."""
    programs = [each.path for each in found if each.program]
    if programs:
        raise Usage(
            f"{programs[0]} is no SQL, so only its own tool can run it, and it is not known which schema is expected. "
            f"Let the tool migrate an empty database, and name that one instead, as in env:EXPECTED_URL."
        )
    with session(target) as run:
        for each in found:
            run.migration(each)
        return run.notes


def printed(target: Target, place: str, text: str) -> list[str]:
    """Run a script that a program printed for *place*; return what was left out or made."""
    with session(target) as run:
        run.script(Path(f"the SQL of {place}"), text)
        return run.notes


@contextlib.contextmanager
def session(target: Target) -> Iterator[Session]:
    """Yield a session in a scratch database."""
    with target.connect() as conn:
        yield Session(conn, target)


def _dumps(place: Path, kind: Dump) -> list[Path]:
    if place.is_dir() and kind.default:
        place = place / kind.default
    if place.is_file():
        return [place]
    found = sorted(place.glob("*.sql"), key=lambda path: migrations.by_number(path.name))
    if found:
        return found
    raise Usage(f"{place} is neither a file nor a folder with .sql files in it; nothing was started. Check the path.")


def _statements(
    path: Path, text: str, notes: list[str], *, rows: bool, within: tuple[Path, ...] = ()
) -> Iterator[_Statement]:
    """The statements of a script and of those that it includes; *within* are the scripts that include this one."""
    pieces = lexer.split(text)
    for piece, after in itertools.zip_longest(pieces, pieces[1:]):
        if piece.kind == "meta":
            other = _included(path, piece, notes)
            if other in (path, *within):
                raise Usage(
                    f"{path}:{piece.line} includes a script in itself; nothing was compared. Take that line out."
                )
            if other:
                yield from _statements(other, migrations.read(other), notes, rows=rows, within=(path, *within))
        elif piece.kind == "sql":
            copied = _copied(piece, after)
            if copied is None or rows:
                yield _Statement(path=path, line=piece.line, text=piece.text, verb=piece.verb, rows=copied)
            else:
                _say(notes, f"The rows that {path.name} copies in were left out.")


def _copied(piece: Piece, after: Piece | None) -> str | None:
    """The rows that a statement copies in; None where it is no COPY … FROM stdin."""
    if piece.verb != "COPY" or not _FROM_STDIN.search(piece.text):
        return None
    return after.text if after and after.kind == "data" else ""


def _included(path: Path, piece: Piece, notes: list[str]) -> Path | None:
    """The script that a meta-command of psql includes; None where it can be left out."""
    name, _, rest = piece.text.lstrip("\\").partition(" ")
    if name in _INCLUDES:
        return (path.parent if name in ("ir", "include_relative") else Path()) / rest.strip().strip("'\"")
    if name in _DECISIONS:
        raise Usage(
            f"{path}:{piece.line} has \\{name}, which only psql can carry out, so it is not known which schema is "
            f"expected. Let psql run it in an empty database, and name that one instead, as in env:EXPECTED_URL."
        )
    _say(notes, f"psql's \\{name} in {path.name} was left out.")
    return None


class _OutsideOnlyError(Exception):
    """The server runs a migration outside of a transaction only."""


class Session:
    """A session that runs scripts, and remembers what it had to make or leave out."""

    def __init__(self, conn: psycopg.Connection[Any], target: Target) -> None:
        self.made: list[str] = []
        self.left_out: list[str] = []
        self._conn = conn
        self._target = target

    @property
    def notes(self) -> list[str]:
        """What was made or left out, one sentence each."""
        return [*self.made, *self.left_out]

    def script(self, path: Path, text: str) -> None:
        """Run each statement on its own, as psql does, without the rows that are copied in.

        Raises `Usage` where one fails.
        """
        self._whole(list(_statements(path, text, self.left_out, rows=False)))

    def migration(self, migration: Migration) -> None:
        """Run in one transaction, and where the server says that this cannot be, without one; raises `Usage`."""
        statements = list(_statements(migration.path, migration.text, self.left_out, rows=True))
        try:
            end = replace(_COMMIT, path=migration.path, line=migration.text.count("\n") + 1)
            self._whole([_BEGIN, *statements, end])
        except _OutsideOnlyError:
            self._whole(statements)

    def _whole(self, statements: Sequence[_Statement]) -> None:
        """Run a script; what it leaves open or set ends with it."""
        self._all(statements)
        self._conn.rollback()
        self._conn.execute("DISCARD ALL")

    def _all(self, statements: Sequence[_Statement]) -> None:
        """Run in order; after a failure that could be cleared away, go on where its transaction began."""
        at = restart = 0
        left_out: set[int] = set()
        while at < len(statements):
            if self._conn.info.transaction_status == TransactionStatus.IDLE:
                restart = at
            try:
                if at not in left_out:
                    self._one(statements[at])
                at += 1
            except psycopg.Error as error:
                if self._conn.closed:
                    raise Surroundings(f"The embedded server ended while {statements[at].path} ran: {error}") from None
                self._conn.execute("ROLLBACK")
                if statements[0] is _BEGIN and error.diag.sqlstate in _IN_TRANSACTION:
                    raise _OutsideOnlyError from None
                if not self._made_role(error):
                    self._leave_out(error, statements[at])
                    left_out.add(at)
                at = restart

    def _one(self, statement: _Statement) -> None:
        if statement.verb in _OTHER_DATABASES:
            _say(self.left_out, f"{statement} was left out: all of it was run in one scratch database.")
        elif statement.rows is None:
            self._conn.execute(statement.text.encode())
        else:
            with self._conn.cursor().copy(statement.text.encode()) as copy:
                copy.write(statement.rows)

    def _made_role(self, error: psycopg.Error) -> bool:
        """Make the role that a statement misses, so that it can own and be granted things."""
        missing = _NO_ROLE.fullmatch(error.diag.message_primary or "")
        if missing is None:
            return False
        # Without the rights of a superuser, SET ROLE would end the script where the real role has rights of its own.
        create = sql.SQL("CREATE ROLE {} NOLOGIN SUPERUSER").format(sql.Identifier(missing[1]))
        try:
            with self._target.connect() as conn:
                conn.execute(create)
        except psycopg.Error:  # the script drops it itself, or its name is reserved
            return False
        _say(self.made, f"The role {missing[1]} was made without login, since it is not on the scratch server.")
        return True

    def _leave_out(self, error: psycopg.Error, statement: _Statement) -> None:
        """Note that *statement* is left out, or raise what people are told where it cannot be."""
        state, said = error.diag.sqlstate, error.diag.message_primary
        tolerated = (
            state == _NO_DATABASE
            or (statement.verb in _EXTENSIONS and _NO_EXTENSION.match(said or ""))
            or (statement.verb == "SET" and state == "42704")
            or (statement.verb in ("CREATE ROLE", "CREATE USER", "CREATE GROUP") and state == "42710")
        )
        if not tolerated:
            raise statement.failed(error, self.notes)
        _say(self.left_out, f"{statement} was left out: {said}.")


def _say(notes: list[str], note: str) -> None:
    if note not in notes:
        notes.append(note)
