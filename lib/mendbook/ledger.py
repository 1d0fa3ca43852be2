"""The migration ledger: the table in which a migration tool records what it ran."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, LiteralString

from psycopg import sql

from mendbook import described
from mendbook.errors import Refused, Usage
from mendbook.migrations import Layout, Migration

Values = Mapping[str, object]
State = Literal["done", "failed", "rolled back", "baseline"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """What one row records."""

    name: str  # of the migration
    state: State  # failed: it broke off, and its tool does not go on from there; baseline: nothing up to it is run
    at: str | None  # when, as PostgreSQL writes it; None: the tool does not record it
    checksum: str | None  # None: the tool records none


def _no_values(_migration: Migration) -> Values:
    return {}


@dataclass(frozen=True, kw_only=True, slots=True)
class Ledger:
    """How a tool records the migrations that it ran.

    SQL is formatted with {table}, the qualified name of the ledger; that of a row also with the {name} and the
    {checksum} of the migration, and what `values` gives.
    """

    table: str
    schema: str = ""  # where the tool keeps it; empty: the first schema of the search_path
    columns: tuple[str, ...]  # by these the table is told from that of another tool
    create: LiteralString  # the table as the tool makes it
    name: LiteralString  # expression: the name of the migration that a row is about
    rows: LiteralString = "true"  # condition on the rows that are about migrations and not outdated by another row
    state: LiteralString = ""  # expression: a State; empty: every row is of a migration that is done
    at: LiteralString = "NULL"  # expression: when it was done
    checksum: LiteralString = "NULL"  # expression: the checksum, as text
    heads: bool = False  # a row stands for a migration and all that go before it
    group: Callable[[str], str] | None = None  # (name) -> whose it is, where one ledger serves several applications
    layout: Layout
    computes: Callable[[Migration], str] | None = None  # the checksum of a file; None: it cannot be computed here
    values: Callable[[Migration], Values] = _no_values  # what its row also says of a migration
    row: Mapping[str, LiteralString] | None  # by column: expressions of what the tool writes; None: it takes more
    by_hand: str = ""  # the tool's own command that records a migration as done, where Mendbook does not know the row

    def migrations(self, folder: Path) -> list[Migration]:
        """The migrations of *folder* in the order in which the tool runs them; raises `Usage`."""
        found = self.layout.read(folder)
        if self.heads and not any(each.follows for each in found):
            before: tuple[str, ...] = ()
            for at, each in enumerate(found):
                found[at] = replace(each, follows=before)
                before = (each.name,)
        return found

    def done(self, entries: Sequence[Entry], migrations: Sequence[Migration]) -> set[str]:
        """The names of the migrations that count as done."""
        names = {entry.name for entry in entries if entry.state == "done"}
        for entry in entries:
            if entry.state == "baseline" and self.layout.order:
                order = self.layout.order
                names |= {each.name for each in migrations if order(each.name) <= order(entry.name)}
        if not self.heads:
            return names
        follows = {each.name: each.follows for each in migrations}
        reached = {name for entry in entries for name in follows.get(entry.name, ())} | names
        todo = list(reached)
        while todo:
            new = set(follows.get(todo.pop(), ())) - reached
            reached |= new
            todo += new
        return reached

    def lost(self, entries: Sequence[Entry], migrations: Sequence[Migration]) -> list[str]:
        """The names that stand for all that go before them and are in no file, so that it is unknown which do."""
        known = {each.name for each in migrations}
        return [entry.name for entry in entries if self.heads and entry.name not in known]

    def select(self, schema: str) -> sql.Composed:
        """Query what the rows record, as the fields of an `Entry`."""
        table = self.place(schema)
        return sql.SQL(
            "SELECT ({name})::text AS name, {state} AS state, ({at})::text AS at, ({checksum})::text AS checksum "
            "FROM {table} AS entry WHERE ({name}) IS NOT NULL AND {rows} ORDER BY 1"
        ).format(
            name=sql.SQL(self.name).format(table=table),
            state=sql.SQL(self.state or "'done'").format(table=table),
            at=sql.SQL(self.at).format(table=table),
            checksum=sql.SQL(self.checksum).format(table=table),
            table=table,
            rows=sql.SQL(self.rows).format(table=table),
        )

    def place(self, schema: str) -> sql.Identifier:
        """The qualified name of the table."""
        return sql.Identifier(schema, self.table)

    def creation(self, schema: str) -> str:
        """The SQL that makes the ledger where it is missing, and the schema that its tool keeps it in."""
        made = sql.SQL("CREATE SCHEMA IF NOT EXISTS {};\n").format(sql.Identifier(schema)).as_string(None)
        table = sql.SQL(self.create).format(table=self.place(schema)).as_string(None)
        return made + table if schema == self.schema else table

    def record(self, schema: str, migration: Migration) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The statements that record a migration as done, and those that take the record back.

        A row that does not count as done, such as that of an attempt that failed, stays as it is. Raises `Refused`
        where a row alone does not record it.
        """
        if self.row is None:
            raise Refused(
                f"No row alone records {migration.title} as done; nothing was changed. Record it with {self.by_hand}."
            )
        table = self.place(schema)
        insert, delete = self._insert(table, migration), self._delete(table, migration.name)
        if not self.heads:
            return (insert,), (delete,)
        before = [replace(migration, name=name) for name in migration.follows]
        return (
            (*(self._delete(table, each.name) for each in before), insert),
            (delete, *(self._insert(table, each) for each in before)),
        )

    def _insert(self, table: sql.Composable, migration: Migration) -> str:
        assert self.row  # noqa: S101
        checksum = self.computes(migration) if self.computes else None
        said = {"name": migration.name, "checksum": checksum, **self.values(migration)}
        literals = {name: sql.Literal(value) for name, value in said.items()}
        values = (sql.SQL(each).format(table=table, **literals) for each in self.row.values())
        return (
            sql.SQL("INSERT INTO {table} ({columns}) VALUES ({values})")
            .format(
                table=table,
                columns=sql.SQL(", ").join(map(sql.Identifier, self.row)),
                values=sql.SQL(", ").join(values),
            )
            .as_string(None)
        )

    def _delete(self, table: sql.Composable, name: str) -> str:
        statement = "DELETE FROM {table} AS entry WHERE ({name})::text = {value}"
        if self.state:
            statement += " AND {state} = 'done'"
        return (
            sql.SQL(statement)
            .format(
                table=table,
                name=sql.SQL(self.name).format(table=table),
                value=sql.Literal(name),
                state=sql.SQL(self.state).format(table=table),
            )
            .as_string(None)
        )


def of(framework: str) -> Ledger:
    """The ledger of a framework, from its file in ``frameworks/``; raises `Usage` where it keeps none."""
    found = known().get(framework.replace("-", "_"))
    if found:
        return found
    raise Usage(
        f"{framework!r} is no framework whose migrations can be recorded; nothing was started. Name one of "
        f"{', '.join(known())}; numbered is a folder of numbered .sql files."
    )


def known() -> Mapping[str, Ledger]:
    """The ledger of every framework that keeps one, by the name of its file."""
    return described.every("LEDGER")
