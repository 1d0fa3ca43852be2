"""The migration ledger: what every tool that keeps one has in common."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString

from psycopg import sql

from mendbook.errors import Usage

Values = Mapping[str, sql.Composable]


@dataclass(frozen=True, kw_only=True, slots=True)
class Migration:
    """One migration of a folder."""

    name: str  # as the ledger records it
    path: Path  # the file
    text: str  # its SQL
    program: bool  # it is no SQL, and only its own tool can run it


@dataclass(frozen=True, kw_only=True, slots=True)
class Ledger:
    """How a tool records the migrations that it ran."""

    table: str
    create: LiteralString  # the table as the tool makes it, once formatted with {table}
    name_column: str  # the column that holds a migration's name
    applied: LiteralString  # condition on a row that counts as done
    file: str  # regular expression of a migration's path in its folder; the group "name" is what the ledger records
    row: Callable[[str, str], Values]  # (name, SQL) -> the row that the tool writes

    def migrations(self, folder: Path) -> list[Migration]:
        """The migrations of *folder* in the order of their names, in which the tool runs them; raises `Usage`."""
        found = []
        for path in folder.rglob("*"):
            match = re.fullmatch(self.file, path.relative_to(folder).as_posix())
            if match:
                program = path.suffix != ".sql"
                text = "" if program else _read(path)
                found.append(Migration(name=match["name"], path=path, text=text, program=program))
        return sorted(found, key=lambda each: each.name)

    def select(self, schema: str) -> sql.Composed:
        """Query the names of the migrations that are done."""
        return sql.SQL("SELECT {name}::text FROM {table} WHERE {applied}").format(
            name=sql.Identifier(self.name_column),
            table=sql.Identifier(schema, self.table),
            applied=sql.SQL(self.applied),
        )

    def creation(self, schema: str) -> str:
        """The statement that makes the ledger where it is missing."""
        return sql.SQL(self.create).format(table=sql.Identifier(schema, self.table)).as_string(None)

    def record(self, schema: str, name: str, text: str) -> tuple[str, str]:
        """The statement that records a migration as done, and the one that takes the record back.

        A row that does not count as done, such as that of an attempt that failed, stays as it is.
        """
        values = self.row(name, text)
        table = sql.Identifier(schema, self.table)
        insert = sql.SQL("INSERT INTO {table} ({columns}) VALUES ({values})").format(
            table=table,
            columns=sql.SQL(", ").join(map(sql.Identifier, values)),
            values=sql.SQL(", ").join(values.values()),
        )
        delete = sql.SQL("DELETE FROM {table} WHERE {name} = {value} AND {applied}").format(
            table=table,
            name=sql.Identifier(self.name_column),
            value=sql.Literal(name),
            applied=sql.SQL(self.applied),
        )
        return insert.as_string(None), delete.as_string(None)


def of(framework: str) -> Ledger:
    """The ledger of a framework, from its file in ``frameworks/``; raises `Usage` where it keeps none."""
    place = importlib.import_module("mendbook.frameworks").__path__
    names = [found.name for found in pkgutil.iter_modules(place)]
    if framework in names:
        found = getattr(importlib.import_module(f"mendbook.frameworks.{framework}"), "LEDGER", None)
        if isinstance(found, Ledger):
            return found
    raise Usage(
        f"{framework!r} is no framework whose migrations can be recorded; nothing was started. Name one that has a "
        f"ledger, such as prisma or sequelize, or numbered for a folder of numbered .sql files."
    )


def _read(path: Path) -> str:
    """The text of a file with its line ends as they are, since checksums are over them."""
    try:
        return path.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        raise Usage(f"The migration {path} cannot be read as text ({error}); nothing was started.") from None
