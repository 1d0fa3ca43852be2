"""`Subject`: what is said not to exist, and what the catalog has under its name and under others."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from psycopg import sql as composing

from mendbook.symptom import missing, parsing
from mendbook.symptom.facts import Column, Constraint, Named
from mendbook.symptom.finding import listed, written
from mendbook.symptom.inquiry import Change, Inquiry, exchange
from mendbook.symptom.statements import Statement, Table

_ARGUMENTS = re.compile(r"\(((?:[^()]|\([^()]*\))*)\)")
_QUOTED = re.compile('["„«»“「]([^"„“”«»「」]+)["“”»«」]')  # in any language's quotation marks
_RECURSIVE = re.compile(r"\s*WITH\s+RECURSIVE\b", re.IGNORECASE)
_WITH = re.compile(r"\s*WITH\s", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Alternative:
    """Another name that the catalog has."""

    name: str
    shown: str  # qualified, for people
    change: Change  # of the statement, to see whether it is the one that is meant


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """One object that an error says is missing."""

    kind: str  # table, column, constraint, function, type, label, schema, database
    name: str
    label: str  # for people: "the column updated_at of orders"
    schemas: tuple[str, ...]  # that the statement names; none: it leaves that to search_path
    tables: tuple[Table, ...] = ()  # of a column or constraint: those that it may belong to, as the statement has them
    named: tuple[Named, ...]  # everything of the same name, in any schema; for parts of tables and enums, of theirs
    found: tuple[Named, ...]  # of these what the name stands for in this session
    holders: tuple[Named, ...]  # of these what is sought, or what has it
    alternatives: tuple[Alternative, ...]
    parts: tuple[str, ...] = ()  # of a column or constraint: those of the tables that were found, for people

    @property
    def parsed(self) -> bool:
        """Whether Parse looks it up; values are looked at when they come."""
        return self.kind != "label"

    @property
    def present(self) -> tuple[Named, ...]:
        """What is sought, where this session finds it."""
        return tuple(each for each in self.found if each in self.holders)

    def along(self, path: Sequence[str]) -> tuple[Named, ...]:
        """What is sought, where a session with another search_path would find it."""
        order = [each for schema in path for each in self.named if each.schema == schema and each.usable]
        first = {each.name: each for each in reversed(order)}
        return tuple(each for each in first.values() if each in self.holders)


def of(inquiry: Inquiry) -> Subject | None:
    """What the error says is missing; None where neither the text nor the server names it, or nothing can be read."""
    diagnosis, facts = inquiry.diagnosis, inquiry.facts
    match diagnosis.kind:
        case "missing_column":
            return _part(inquiry, "column", diagnosis.column, facts.columns)
        case "missing_constraint":
            return _part(inquiry, "constraint", diagnosis.constraint, facts.constraints)
        case "missing_table":
            return _object("table", diagnosis.schema, diagnosis.table, facts.relations)
        case "missing_schema":
            return _object("schema", None, diagnosis.schema, facts.schemas)
        case "missing_type":
            return _object("type", diagnosis.schema, diagnosis.type, facts.types)
        case "missing_database":
            return _object("database", None, diagnosis.database, facts.databases)
        case "invalid_enum":
            return _label(inquiry)
        case "missing_function":
            return _object("function", diagnosis.schema, diagnosis.function, facts.functions, diagnosis.message or "")
        case _:
            return None


def _object(
    kind: str, schema: str | None, name: str | None, items: Sequence[Named] | None, message: str = ""
) -> Subject | None:
    if name is None or items is None:
        return None
    named = tuple(each for each in items if each.name == name and each.kind != "index")
    arguments = _arguments(message) if kind == "function" else None
    return Subject(
        kind=kind,
        name=name,
        label=f"the {kind} {written(schema, name)}" + ("" if arguments is None else f"({', '.join(arguments)})"),
        schemas=(schema,) if schema else (),
        named=named,
        found=_found(named, [(schema, name)]),
        holders=tuple(each for each in named if arguments is None or _takes(each.detail, arguments)),
        alternatives=_others(items, schema, name),
    )


def _others(items: Iterable[Named], schema: str | None, name: str) -> tuple[Alternative, ...]:
    """The objects of other names in the places where the statement looks."""
    return tuple(
        Alternative(name=each.name, shown=str(each), change=Change(name=name, instead=each.parts))
        for each in items
        if each.name != name
        and each.kind != "index"
        and each.usable
        and not each.schema.startswith("pg_")
        and (each.schema == schema if schema else each.visible)
    )


def _found(named: Iterable[Named], tables: Iterable[Table]) -> tuple[Named, ...]:
    wanted = list(tables)
    return tuple(
        each
        for each in named
        if each.usable
        and any(each.name == name and (each.schema == schema if schema else each.visible) for schema, name in wanted)
    )


# Functions


def _arguments(message: str) -> list[str] | None:
    """The argument types in ``function f(integer, text) does not exist``; None where the message has none."""
    match = _ARGUMENTS.search(message)
    return [part.strip() for part in match[1].split(",") if part.strip()] if match else None


def _takes(detail: str, arguments: Sequence[str]) -> bool:
    """Whether a function with the argument types *detail* is the one; the type of a bare literal is unknown."""
    own = [part.strip() for part in detail.split(",") if part.strip()]
    return len(own) == len(arguments) and all(a in (b, "unknown") for a, b in zip(arguments, own, strict=True))


# Labels of enums


def _label(inquiry: Inquiry) -> Subject | None:
    schema, name = inquiry.diagnosis.schema, inquiry.diagnosis.type
    value = _QUOTED.findall(inquiry.diagnosis.message or "")[-1:]
    types, enums = inquiry.facts.types, inquiry.facts.labels
    if not value or name is None or types is None or enums is None:
        return None
    named = tuple(each for each in types if each.name == name)
    found = _found(named, [(schema, name)])
    having = {(each.schema, each.name) for each in enums if value[0] in each.labels}
    labels = [
        label for each in enums if any((each.schema, each.name) == one.parts for one in found) for label in each.labels
    ]
    return Subject(
        kind="label",
        name=value[0],
        label=f"the value {value[0]!r} of the enum {written(schema, name)}",
        schemas=(schema,) if schema else (),
        named=named,
        found=found,
        holders=tuple(each for each in named if each.parts in having),
        alternatives=tuple(
            Alternative(name=each, shown=repr(each), change=Change(name="", instead=()))
            for each in labels
            if each != value[0]
        ),
        parts=tuple(map(repr, labels)),
    )


# Parts of tables


def _part(inquiry: Inquiry, kind: str, name: str | None, parts: Sequence[Column | Constraint] | None) -> Subject | None:
    """A column or constraint."""
    relations = inquiry.facts.relations
    if name is None or relations is None or parts is None:
        return None
    tables = candidates(inquiry)
    found = _found(relations, tables)
    if kind == "column" and inquiry.diagnosis.certainty.get("table", "guessed") == "guessed":
        tables = _lacking(inquiry, tables, found, parts)
        found = _found(found, tables)
    names = {table for _, table in tables}
    named = tuple(each for each in relations if each.kind != "index" and each.name in names)
    holders = _having(named, parts, name)
    if not found and not holders and len(named) == 1:
        found = named  # whoever got the error sees a table of that name, and there is but one
    own = [each for each in parts if any((each.schema, each.table) == (one.schema, one.name) for one in found)]
    return Subject(
        kind=kind,
        name=name,
        label=f"the {kind} {written(name)}{_of(inquiry, tables)}",
        schemas=tuple(schema for schema, _ in tables if schema),
        tables=tables,
        named=named,
        found=found,
        holders=holders,
        alternatives=tuple(
            Alternative(name=each.name, shown=_shown(each), change=Change(name=name, instead=(each.name,), inside=True))
            for each in own
            if each.name != name
        ),
        parts=tuple(map(_shown, own)),
    )


def _of(inquiry: Inquiry, tables: Sequence[Table]) -> str:
    if not tables:
        return ""
    names = listed((written(*table) for table in tables), "or")
    return f" (probably of {names})" if inquiry.diagnosis.certainty.get("table") == "guessed" else f" of {names}"


def _having(tables: Iterable[Named], parts: Sequence[Column | Constraint], name: str) -> tuple[Named, ...]:
    having = {(each.schema, each.table) for each in parts if each.name == name}
    return tuple(each for each in tables if (each.schema, each.name) in having)


def _shown(part: Column | Constraint) -> str:
    return f"{written(part.table, part.name)} {part.type if isinstance(part, Column) else part.definition}"


def candidates(inquiry: Inquiry) -> tuple[Table, ...]:
    """The tables that the missing column may belong to."""
    diagnosis, known = inquiry.diagnosis, inquiry.tables()
    is_guess = diagnosis.certainty.get("table") == "guessed"
    if diagnosis.table and not (is_guess and known):
        return ((diagnosis.schema, diagnosis.table),)
    if diagnosis.alias:
        return (known[diagnosis.alias],) if diagnosis.alias in known else ()
    return tuple(dict.fromkeys(known.values()))


def resolved(inquiry: Inquiry, tables: Iterable[Table]) -> tuple[Named, ...]:
    """What *tables* stand for in this session."""
    return _found((each for each in inquiry.facts.relations or () if each.kind != "index"), tables)


def _lacking(
    inquiry: Inquiry, tables: tuple[Table, ...], found: Sequence[Named], columns: Sequence[Column | Constraint]
) -> tuple[Table, ...]:
    """Of *tables*, those for which the server would take the column that it misses; all where Parse cannot tell.

    The statement is Parsed once for each, with a common table expression that hides the table behind one that has the
    column. Where the server misses the column all the same, it is not looked for in that table.
    """
    statement, name = inquiry.statement, inquiry.diagnosis.column or ""
    if statement is None or inquiry.missed.column != name or _RECURSIVE.match(statement.sql):
        return tables
    without = [table for table in tables if not _having(_found(found, [table]), columns, name)]
    answers = parsing.parse(inquiry.conn, [_with_column(statement, table, name) for table in without])
    kept = [table for table, no in zip(without, answers, strict=True) if not (no and no.sqlstate == missing.COLUMN)]
    return tuple(kept)


def _with_column(statement: Statement, table: Table, column: str) -> str:
    hidden = [part for part in table if part]
    hides = composing.SQL("{} AS (SELECT *, NULL AS {} FROM {})").format(
        composing.Identifier(table[1]), composing.Identifier(column), composing.Identifier(*hidden)
    )
    bare = Change(name=table[1], instead=(table[1],))
    sql = exchange(statement.sql, bare) if table[0] else statement.sql
    rest = _WITH.match(sql)
    return f"WITH {hides.as_string(None)}" + (f", {sql[rest.end() :]}" if rest else f" {sql}")
