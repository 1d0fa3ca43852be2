"""How each object of a Snapshot is written as SQL: created, dropped, commented.

Expressions, types and definitions are PostgreSQL's own text (`pg_get_*def`, `format_type`), so they are passed on as
they stand; every name is quoted by psycopg.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import LiteralString

from psycopg import sql

from mendbook.schema.snapshot import (
    Column,
    Constraint,
    Extension,
    Function,
    Index,
    Key,
    Object,
    Schema,
    Sequence,
    Snapshot,
    Table,
    Trigger,
    Type,
    View,
)


def text(template: LiteralString, /, **parts: sql.Composable | str) -> str:
    """Fill a template: a str argument is PostgreSQL's own text, a Composable is quoted by psycopg."""
    filled = {name: part if isinstance(part, sql.Composable) else own(part) for name, part in parts.items()}
    return sql.SQL(template).format(**filled).as_string(None)


def own(fragment: str) -> sql.SQL:
    """Mark a fragment that PostgreSQL itself wrote as SQL."""
    return sql.SQL(fragment)


def column(item: Column, *, default: bool = True) -> str:
    """The column as it stands in CREATE TABLE or ADD COLUMN."""
    words = [text("{name} {type}", name=sql.Identifier(item.name), type=item.type)]
    if item.collation:
        words.append(f"COLLATE {item.collation}")
    if item.generated:
        words.append(f"GENERATED ALWAYS AS ({item.default}) {'STORED' if item.generated == 's' else 'VIRTUAL'}")
    elif item.identity:
        words.append(f"GENERATED {'ALWAYS' if item.identity == 'a' else 'BY DEFAULT'} AS IDENTITY")
    elif item.default is not None and default:
        words.append(f"DEFAULT {item.default}")
    if item.not_null:
        words.append("NOT NULL")
    return " ".join(words)


def table(item: Table, columns: Iterable[Column]) -> str:
    """CREATE TABLE with its columns and no constraints."""
    name = sql.Identifier(item.schema, item.name)
    unlogged = "UNLOGGED " if item.persistence == "u" else ""
    options = f" WITH ({', '.join(item.options)})" if item.options else ""
    partitioning = f" PARTITION BY {item.partition_key}" if item.partition_key else ""
    if item.partition_bound:
        head = text("CREATE {unlogged}TABLE {name} PARTITION OF ", unlogged=unlogged, name=name)
        return f"{head}{item.parents[0]} {item.partition_bound}{partitioning}{options}"
    body = ",\n".join(f"    {column(each)}" for each in columns if each.local or not item.parents)
    inherits = f" INHERITS ({', '.join(item.parents)})" if item.parents else ""
    head = text("CREATE {unlogged}TABLE {name} (", unlogged=unlogged, name=name)
    return f"{head}\n{body}\n){inherits}{partitioning}{options}"


def create(item: Object) -> str:
    """The statement that creates anything but a table or a column."""
    match item:
        case Schema():
            return text("CREATE SCHEMA {name}", name=sql.Identifier(item.name))
        case Extension():
            template: LiteralString = "CREATE EXTENSION IF NOT EXISTS {name} SCHEMA {schema}"
            return text(template, name=sql.Identifier(item.name), schema=sql.Identifier(item.schema))
        case Type():
            return _create_type(item)
        case Sequence():
            return _create_sequence(item)
        case Constraint():
            return add_constraint(item, item.definition)
        case View():
            return _create_view(item)
        case Index() | Function() | Trigger():
            return item.definition
    raise TypeError(f"{type(item).__name__} is not created on its own")


def add_constraint(item: Constraint, definition: str) -> str:
    """ALTER TABLE … ADD CONSTRAINT with the given definition."""
    return text(
        "ALTER TABLE {table} ADD CONSTRAINT {name} {definition}",
        table=sql.Identifier(item.schema, item.table),
        name=sql.Identifier(item.name),
        definition=definition,
    )


def drop(item: Object) -> str:
    """The statement that drops *item*, and nothing that depends on it."""
    match item:
        case Schema() | Extension():
            template: LiteralString = "DROP SCHEMA {name}" if isinstance(item, Schema) else "DROP EXTENSION {name}"
            return text(template, name=sql.Identifier(item.name))
        case Column():
            template = "ALTER TABLE {table} DROP COLUMN {name}"
            return text(template, table=sql.Identifier(item.schema, item.table), name=sql.Identifier(item.name))
        case Constraint():
            template = "ALTER TABLE {table} DROP CONSTRAINT {name}"
            return text(template, table=sql.Identifier(item.schema, item.table), name=sql.Identifier(item.name))
        case Trigger():
            template = "DROP TRIGGER {name} ON {table}"
            return text(template, table=sql.Identifier(item.schema, item.table), name=sql.Identifier(item.name))
        case Function():
            word = "PROCEDURE" if item.kind == "p" else "FUNCTION"
            name = sql.Identifier(item.schema, item.name)
            return text("DROP {word} {name}({arguments})", word=word, name=name, arguments=item.arguments)
        case Sequence():
            # It may have gone already, with the column that owned it.
            return text("DROP SEQUENCE IF EXISTS {name}", name=sql.Identifier(item.schema, item.name))
        case _:
            return text("DROP {word} {name}", word=_word(item), name=sql.Identifier(item.schema, item.name))


def comment(item: Object, value: str | None) -> str:
    """COMMENT ON *item*; None removes it."""
    said = sql.Literal(value) if value is not None else sql.SQL("NULL")
    match item:
        case Column():
            return text("COMMENT ON COLUMN {n} IS {c}", n=sql.Identifier(item.schema, item.table, item.name), c=said)
        case Constraint() | Trigger():
            template: LiteralString = "COMMENT ON {word} {name} ON {table} IS {c}"
            table_name = sql.Identifier(item.schema, item.table)
            return text(template, word=_word(item), name=sql.Identifier(item.name), table=table_name, c=said)
        case Function():
            template = "COMMENT ON {word} {name}({arguments}) IS {c}"
            name = sql.Identifier(item.schema, item.name)
            return text(template, word=_word(item), name=name, arguments=item.arguments, c=said)
        case Schema() | Extension():
            return text("COMMENT ON {word} {name} IS {c}", word=_word(item), name=sql.Identifier(item.name), c=said)
        case _:
            name = sql.Identifier(item.schema, item.name)
            return text("COMMENT ON {word} {name} IS {c}", word=_word(item), name=name, c=said)


def own_sequence(item: Sequence) -> str:
    """ALTER SEQUENCE … OWNED BY the column it serves."""
    return text(
        "ALTER SEQUENCE {name} OWNED BY {column}",
        name=sql.Identifier(item.schema, item.name),
        column=sql.Identifier(item.owner_schema or "", item.owner_table or "", item.owner_column or ""),
    )


def _word(item: Object) -> str:
    """What DROP and COMMENT ON call the class of *item*."""
    if isinstance(item, View):
        return "MATERIALIZED VIEW" if item.kind == "m" else "VIEW"
    if isinstance(item, Type):
        return "DOMAIN" if item.kind == "d" else "TYPE"
    if isinstance(item, Function):
        return "PROCEDURE" if item.kind == "p" else "FUNCTION"
    if isinstance(item, Table) and item.kind == "f":
        return "FOREIGN TABLE"
    return type(item).__name__.upper()


def _create_type(item: Type) -> str:
    name = sql.Identifier(item.schema, item.name)
    if item.kind == "e":
        labels = sql.SQL(", ").join(map(sql.Literal, item.labels))
        return text("CREATE TYPE {name} AS ENUM ({labels})", name=name, labels=labels)
    if item.kind == "d":
        return text("CREATE DOMAIN {name} AS {definition}", name=name, definition=item.definition or "")
    word = "RANGE " if item.kind == "r" else ""
    return text("CREATE TYPE {name} AS {word}({body})", name=name, word=word, body=item.definition or "")


def _create_sequence(item: Sequence) -> str:
    head = text("CREATE SEQUENCE {name} AS {type}", name=sql.Identifier(item.schema, item.name), type=item.type)
    cycle = " CYCLE" if item.cycle else ""
    return (
        f"{head} INCREMENT BY {item.increment} MINVALUE {item.minimum} MAXVALUE {item.maximum} "
        f"START WITH {item.start} CACHE {item.cache}{cycle}"
    )


def _create_view(item: View) -> str:
    columns = sql.SQL(", ").join(map(sql.Identifier, item.columns))
    options = f" WITH ({', '.join(item.options)})" if item.options else ""
    return text(
        "CREATE {word} {name} ({columns}){options} AS {definition}",
        word=_word(item),
        name=sql.Identifier(item.schema, item.name),
        columns=columns,
        options=options,
        definition=item.definition.rstrip().rstrip(";"),
    )


def script(snapshot: Snapshot) -> Iterator[tuple[Key, str]]:
    """Every statement that builds *snapshot* in an empty database, each with the object it makes.

    Classes come in an order that serves most schemas; who runs it retries what needed something later.
    """
    everything = list(snapshot.objects.values())
    for kind in (Schema, Extension, Type, Sequence, Function):
        for item in everything:
            if isinstance(item, kind) and not (isinstance(item, Schema) and item.name == "public"):
                yield item.key, create(item)
    for item in sorted(snapshot.tables(), key=lambda each: len(each.parents)):
        yield item.key, table(item, snapshot.columns(item.schema, item.name))
    for item in everything:
        if isinstance(item, Sequence) and item.owner_table:
            yield item.key, own_sequence(item)
    constraints = [item for item in everything if isinstance(item, Constraint) and item.local]
    for each in sorted(constraints, key=lambda one: "puxcf".index(one.kind)):
        yield each.key, create(each)
    for last in (Index, View, Trigger):
        for item in everything:
            if isinstance(item, last):
                yield item.key, create(item)
    for item in everything:
        if getattr(item, "comment", None):
            yield item.key, comment(item, item.comment)  # type: ignore[union-attr]
