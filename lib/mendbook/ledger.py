"""The migration ledger: what every tool that keeps one has in common."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from psycopg import sql

from mendbook.errors import Usage

Values = Mapping[str, sql.Composable]


@dataclass(frozen=True, kw_only=True, slots=True)
class Migration:
    """One migration of a folder."""

    name: str  # as the ledger records it
    path: Path  # the file
    text: str  # its SQL


@dataclass(frozen=True, kw_only=True, slots=True)
class Ledger:
    """How a tool records the migrations that it ran."""

    table: str
    create: str  # the table as the tool makes it, once formatted with {table}
    name_column: str  # the column that holds a migration's name
    applied: str  # condition on a row that counts as done
    files: Callable[[Path], Iterator[Migration]]  # a folder's migrations, in the order in which the tool runs them
    row: Callable[[str, str], Values]  # (name, SQL) -> the row that the tool writes

    def select(self, schema: str) -> sql.Composed:
        """Query the names of the migrations that are done."""
        return sql.SQL("SELECT {name}::text FROM {table} WHERE {applied}").format(
            name=sql.Identifier(self.name_column),
            table=sql.Identifier(schema, self.table),
            applied=sql.SQL(self.applied),  # type: ignore[arg-type]  # the framework's own constant
        )

    def creation(self, schema: str) -> str:
        """The statement that makes the ledger where it is missing."""
        template = sql.SQL(self.create)  # type: ignore[arg-type]  # the framework's own constant
        return template.format(table=sql.Identifier(schema, self.table)).as_string(None)

    def record(self, schema: str, name: str, text: str) -> tuple[str, str]:
        """The statement that records a migration as done, and the one that takes the record back."""
        values = self.row(name, text)
        table = sql.Identifier(schema, self.table)
        insert = sql.SQL("INSERT INTO {table} ({columns}) VALUES ({values})").format(
            table=table,
            columns=sql.SQL(", ").join(map(sql.Identifier, values)),
            values=sql.SQL(", ").join(values.values()),
        )
        delete = sql.SQL("DELETE FROM {table} WHERE {name} = {value}").format(
            table=table, name=sql.Identifier(self.name_column), value=sql.Literal(name)
        )
        return insert.as_string(None), delete.as_string(None)


def of(framework: str) -> Ledger:
    """The ledger of a framework, from its file in ``frameworks/``; raises `Usage` where it keeps none."""
    try:
        found = importlib.import_module(f"mendbook.frameworks.{framework}").LEDGER
    except (ImportError, AttributeError):
        raise Usage(f"{framework!r} is no framework whose migrations can be read; nothing was started.") from None
    if not isinstance(found, Ledger):
        raise TypeError(f"frameworks.{framework}.LEDGER is no Ledger")
    return found
