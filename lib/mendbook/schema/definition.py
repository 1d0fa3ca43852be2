"""How each object of a Snapshot is named in SQL, altered, dropped and commented."""

from __future__ import annotations

from typing import LiteralString

from psycopg import sql

from mendbook.schema import privileges
from mendbook.schema.objects import (
    Custom,
    DefaultPrivilege,
    EventTrigger,
    Extension,
    Function,
    Grant,
    Object,
    Sequence,
    Setting,
    Type,
)
from mendbook.schema.relations import Column, Constraint, Index, Policy, Rule, Statistics, Table, Trigger, View
from mendbook.schema.text import text


def alter_column(item: Column, change: str) -> str:
    """ALTER TABLE … ALTER COLUMN with what PostgreSQL's own text says."""
    return alter_table(item, text("ALTER COLUMN {name} ", name=sql.Identifier(item.name)) + change)


def alter_table(item: Table | Column | Constraint | Index | Trigger | Rule | Policy, change: str) -> str:
    """ALTER TABLE of the table that *item* is or belongs to."""
    return text("ALTER TABLE {table} {change}", table=sql.Identifier(*item.key.owner), change=change)


def usual_not_null(item: Column) -> str:
    """How the NOT NULL of a column is said, with the name that PostgreSQL gives it."""
    return text("CONSTRAINT {n} NOT NULL", n=sql.Identifier(f"{item.table}_{item.name}_not_null"))


def add_constraint(item: Constraint, definition: str) -> str:
    """ALTER TABLE … ADD CONSTRAINT with the given definition."""
    return alter_table(item, text("ADD CONSTRAINT {name} {d}", name=sql.Identifier(item.name), d=definition))


def attach(item: Index | Constraint) -> str:
    """ALTER INDEX … ATTACH PARTITION, of the index of a partition."""
    name = sql.Identifier(item.schema, item.name)
    return text("ALTER INDEX {parent} ATTACH PARTITION {name}", parent=item.parent or "", name=name)


def drop(item: Object) -> list[str]:
    """The statements that drop *item*, and nothing that depends on it."""
    match item:
        case Grant() | DefaultPrivilege():
            return privileges.revoke(item)
        case Setting():
            return [privileges.reset(item)]
        case Column():
            return [alter_table(item, text("DROP COLUMN {name}", name=sql.Identifier(item.name)))]
        case Constraint():
            return [alter_table(item, text("DROP CONSTRAINT {name}", name=sql.Identifier(item.name)))]
        case Trigger() | Rule() | Policy():
            template: LiteralString = "DROP {word} {name} ON {table}"
            return [
                text(template, word=word(item), name=sql.Identifier(item.name), table=sql.Identifier(*item.key.owner))
            ]
        case Sequence() | Index():
            # It may have gone already, with the column that owned it or that it was over.
            return [text("DROP {word} IF EXISTS {name}", word=word(item), name=name(item))]
        case _:
            return [text("DROP {word} {name}", word=word(item), name=name(item))]


def comments(item: Object) -> list[str]:
    """COMMENT ON *item* where it has one, and on the columns of a view."""
    said = [comment(item, item.comment)] if getattr(item, "comment", None) else []  # type: ignore[union-attr]
    if isinstance(item, View):
        said += [view_column_comment(item, column_name, text_) for column_name, text_ in item.column_comments]
    if isinstance(item, Type):
        said += [type_part_comment(item, part, text_) for part, text_ in item.part_comments]
    return said


def view_column_comment(item: View, column_name: str, value: str | None) -> str:
    """COMMENT ON COLUMN of a view; None removes it."""
    return text(
        "COMMENT ON COLUMN {name} IS {c}", name=sql.Identifier(item.schema, item.name, column_name), c=_said(value)
    )


def type_part_comment(item: Type, part: str, value: str | None) -> str:
    """COMMENT ON an attribute of a composite type or a check of a domain; None removes it."""
    if item.kind == "d":
        template: LiteralString = "COMMENT ON CONSTRAINT {part} ON DOMAIN {name} IS {c}"
        return text(template, part=sql.Identifier(part), name=name(item), c=_said(value))
    return text("COMMENT ON COLUMN {name} IS {c}", name=sql.Identifier(item.schema, item.name, part), c=_said(value))


def comment(item: Object, value: str | None) -> str:
    """COMMENT ON *item*; None removes it."""
    match item:
        case Column():
            named: sql.Composable = sql.Identifier(item.schema, item.table, item.name)
        case Constraint() | Trigger() | Rule() | Policy():
            named = sql.SQL("{} ON {}").format(sql.Identifier(item.name), sql.Identifier(*item.key.owner))
        case _:
            named = name(item)
    return text("COMMENT ON {word} {name} IS {c}", word=word(item), name=named, c=_said(value))


def _said(value: str | None) -> sql.Composable:
    return sql.Literal(value) if value is not None else sql.SQL("NULL")


def word(item: Object) -> str:
    """What DROP and COMMENT ON call the class of *item*."""
    match item:
        case View():
            return "MATERIALIZED VIEW" if item.kind == "m" else "VIEW"
        case Type():
            return "DOMAIN" if item.kind == "d" else "TYPE"
        case Function():
            return {"p": "PROCEDURE", "a": "AGGREGATE"}.get(item.kind, "FUNCTION")
        case Table():
            return "FOREIGN TABLE" if item.kind == "f" else "TABLE"
        case EventTrigger():
            return "EVENT TRIGGER"
        case Custom():
            return item.kind.replace("-", " ").upper()
    return type(item).__name__.upper()


def name(item: Object) -> sql.Composable:
    """The name by which *item* is dropped, altered and commented."""
    match item:
        case Function():
            arguments = (item.signature or "*") if item.kind == "a" else item.arguments
            return sql.SQL("{}({})").format(sql.Identifier(item.schema, item.name), sql.SQL(arguments))
        case Statistics():
            return sql.Identifier(item.namespace, item.name)
        case Custom():
            return sql.SQL(item.identity)
    schema = getattr(item, "schema", "") if not isinstance(item, Extension) else ""
    return sql.Identifier(*(each for each in (schema, item.name) if each))  # type: ignore[union-attr]
