"""How each object of a Snapshot is written as SQL: created, dropped, commented.

Expressions, types and definitions are PostgreSQL's own text (`pg_get_*def`, `format_type`), so they are passed on as
they stand; every name is quoted by psycopg.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import LiteralString

from psycopg import sql

from mendbook.schema import privileges
from mendbook.schema.objects import (
    Collation,
    DefaultPrivilege,
    EventTrigger,
    Extension,
    Function,
    Grant,
    Object,
    Other,
    Publication,
    Schema,
    Sequence,
    Server,
    Setting,
    Type,
)
from mendbook.schema.relations import Column, Constraint, Index, Policy, Rule, Statistics, Table, Trigger, View
from mendbook.schema.text import names, text

# ---- tables and columns


def column(item: Column) -> str:
    """The column as it stands in CREATE TABLE or ADD COLUMN."""
    words = [text("{name} {type}", name=sql.Identifier(item.name), type=item.type)]
    if item.compression:
        words.append(f"COMPRESSION {item.compression}")
    if item.collation:
        words.append(f"COLLATE {item.collation}")
    if item.generated:
        words.append(f"GENERATED ALWAYS AS ({item.default}) {'STORED' if item.generated == 's' else 'VIRTUAL'}")
    elif item.identity:
        words.append(identity(item))
    elif item.default is not None:
        words.append(f"DEFAULT {item.default}")
    if item.not_null:
        words.append("NOT NULL")
    return " ".join(words)


def identity(item: Column) -> str:
    """The clause that makes a column an identity column."""
    how = "ALWAYS" if item.identity == "a" else "BY DEFAULT"
    return f"GENERATED {how} AS IDENTITY" + (f" ({item.sequence})" if item.sequence else "")


def column_state(item: Column) -> list[str]:
    """What ADD COLUMN cannot say."""
    made = []
    if item.storage:
        made.append(alter_column(item, f"SET STORAGE {item.storage}"))
    if item.statistics is not None:
        made.append(alter_column(item, f"SET STATISTICS {item.statistics}"))
    if item.options:
        made.append(alter_column(item, f"SET ({', '.join(item.options)})"))
    return made


def alter_column(item: Column, change: str) -> str:
    """ALTER TABLE … ALTER COLUMN with what PostgreSQL's own text says."""
    return alter_table(item, text("ALTER COLUMN {name} ", name=sql.Identifier(item.name)) + change)


def alter_table(item: Table | Column | Constraint | Index | Trigger | Rule | Policy, change: str) -> str:
    """ALTER TABLE of the table that *item* is or belongs to."""
    return text("ALTER TABLE {table} {change}", table=sql.Identifier(*item.key.owner), change=change)


def table(item: Table, columns: Iterable[Column]) -> str:
    """CREATE TABLE with its columns and no constraints."""
    name = sql.Identifier(item.schema, item.name)
    head = text("CREATE {word}TABLE {name} ", word=_TABLE_WORDS.get(item.kind + item.persistence, ""), name=name)
    if item.partition_bound:
        body = f"PARTITION OF {item.parents[0]} {item.partition_bound}"
    else:
        lines = ",\n".join(f"    {column(each)}" for each in columns if each.local or not item.parents)
        body = f"(\n{lines}\n)" + (f" INHERITS ({', '.join(item.parents)})" if item.parents else "")
    partitioning = f" PARTITION BY {item.partition_key}" if item.partition_key else ""
    foreign = f" {item.foreign}" if item.foreign else ""
    method = f" USING {item.method}" if item.method not in ("", "heap") else ""
    options = f" WITH ({', '.join(item.options)})" if item.options else ""
    return f"{head}{body}{partitioning}{foreign}{method}{options}"


_TABLE_WORDS = {"ru": "UNLOGGED ", "pu": "UNLOGGED ", "fp": "FOREIGN "}


def table_state(item: Table) -> list[str]:
    """What CREATE TABLE cannot say; an index that is named in it has to be there."""
    made = []
    if item.row_security:
        made.append(alter_table(item, "ENABLE ROW LEVEL SECURITY"))
    if item.force_row_security:
        made.append(alter_table(item, "FORCE ROW LEVEL SECURITY"))
    if item.replica_identity != "default":
        made.append(replica_identity(item))
    if item.clustered:
        made.append(alter_table(item, text("CLUSTER ON {i}", i=sql.Identifier(item.clustered))))
    return made


def replica_identity(item: Table) -> str:
    """ALTER TABLE … REPLICA IDENTITY."""
    word, _, index = item.replica_identity.partition(" ")
    said = text("USING INDEX {i}", i=sql.Identifier(index)) if word == "index" else word.upper()
    return alter_table(item, f"REPLICA IDENTITY {said}")


# ---- everything else


def create(item: Object) -> list[str]:
    """The statements that create anything but a table or a column, with its comment."""
    match item:
        case Grant() | DefaultPrivilege():
            return privileges.grant(item)
        case Setting():
            return [privileges.setting(item)]
        case Extension():
            template: LiteralString = "CREATE EXTENSION IF NOT EXISTS {name} SCHEMA {schema}"
            return [text(template, name=sql.Identifier(item.name), schema=sql.Identifier(item.schema))]
        case Table() | Column() | Other():
            raise TypeError(f"{type(item).__name__} is not created on its own")
    return [*_create(item), *comments(item)]


def _create(item: Object) -> list[str]:
    match item:
        case Schema():
            return [text("CREATE SCHEMA {name}", name=sql.Identifier(item.name))]
        case Collation():
            return [text("CREATE COLLATION {name} ({definition})", name=name(item), definition=item.definition)]
        case Type():
            return [_create_type(item)]
        case Sequence():
            return [_create_sequence(item)]
        case Server():
            return [text("CREATE SERVER {name} {definition}", name=name(item), definition=item.definition)]
        case Constraint():
            return [add_constraint(item, item.definition)]
        case View():
            return [create_view(item)]
        case Trigger() | Rule():
            return [item.definition.rstrip(";"), *([] if item.enabled == "O" else [enable(item)])]
        case Policy():
            return [_create_policy(item)]
        case Statistics():
            return [item.definition, *([] if item.target is None else [statistics_target(item)])]
        case EventTrigger():
            return [_create_event_trigger(item), *([] if item.enabled == "O" else [enable(item)])]
        case Publication():
            return [_create_publication(item)]
        case Index() | Function():
            return [item.definition.rstrip()]
    raise TypeError(f"{type(item).__name__} is not created on its own")


def add_constraint(item: Constraint, definition: str) -> str:
    """ALTER TABLE … ADD CONSTRAINT with the given definition."""
    return alter_table(item, text("ADD CONSTRAINT {name} {d}", name=sql.Identifier(item.name), d=definition))


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
    return said


def view_column_comment(item: View, column_name: str, value: str | None) -> str:
    """COMMENT ON COLUMN of a view; None removes it."""
    return text(
        "COMMENT ON COLUMN {name} IS {c}", name=sql.Identifier(item.schema, item.name, column_name), c=_said(value)
    )


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
    return type(item).__name__.upper()


def name(item: Object) -> sql.Composable:
    """The name by which *item* is dropped, altered and commented."""
    match item:
        case Function():
            arguments = (item.signature or "*") if item.kind == "a" else item.arguments
            return sql.SQL("{}({})").format(sql.Identifier(item.schema, item.name), sql.SQL(arguments))
        case Statistics():
            return sql.Identifier(item.namespace, item.name)
    schema = getattr(item, "schema", "") if not isinstance(item, Extension) else ""
    return sql.Identifier(*(each for each in (schema, item.name) if each))  # type: ignore[union-attr]


def own_sequence(item: Sequence) -> str:
    """ALTER SEQUENCE … OWNED BY the column it serves, or nobody."""
    owner = [each for each in (item.owner_schema, item.owner_table, item.owner_column) if each]
    by = sql.Identifier(*owner) if owner else sql.SQL("NONE")
    return text("ALTER SEQUENCE {name} OWNED BY {by}", name=name(item), by=by)


def sequence_options(item: Sequence) -> str:
    """The options of CREATE and ALTER SEQUENCE."""
    cycle = "CYCLE" if item.cycle else "NO CYCLE"
    return (
        f"AS {item.type} INCREMENT BY {item.increment} MINVALUE {item.minimum} MAXVALUE {item.maximum} "
        f"START WITH {item.start} CACHE {item.cache} {cycle}"
    )


def enable(item: Trigger | Rule | EventTrigger) -> str:
    """The statement that makes a trigger or rule fire when it should."""
    how = {"O": "ENABLE", "D": "DISABLE", "R": "ENABLE REPLICA", "A": "ENABLE ALWAYS"}[item.enabled]
    if isinstance(item, EventTrigger):
        return text("ALTER EVENT TRIGGER {name} {how}", name=name(item), how=how)
    return alter_table(item, text("{how} {word} {name}", how=how, word=word(item), name=sql.Identifier(item.name)))


def statistics_target(item: Statistics) -> str:
    """ALTER STATISTICS … SET STATISTICS."""
    target = "-1" if item.target is None else str(item.target)
    return text("ALTER STATISTICS {name} SET STATISTICS {target}", name=name(item), target=target)


def create_view(item: View, *, replace: bool = False) -> str:
    """CREATE VIEW, or CREATE OR REPLACE VIEW."""
    options = f" WITH ({', '.join(item.options)})" if item.options else ""
    return text(
        "CREATE {how}{word} {name} ({columns}){options} AS {definition}",
        how="OR REPLACE " if replace else "",
        word=word(item),
        name=name(item),
        columns=names(item.columns),
        options=options,
        definition=item.definition.rstrip().rstrip(";"),
    )


def _create_type(item: Type) -> str:
    if item.kind == "e":
        labels = sql.SQL(", ").join(map(sql.Literal, item.labels))
        return text("CREATE TYPE {name} AS ENUM ({labels})", name=name(item), labels=labels)
    if item.kind == "d":
        default = f" DEFAULT {item.default}" if item.default is not None else ""
        null = " NOT NULL" if item.not_null else ""
        checks = "".join(text(" CONSTRAINT {n} {d}", n=sql.Identifier(n), d=d) for n, d in item.checks)
        body = f"{item.definition}{default}{null}{checks}"
        return text("CREATE DOMAIN {name} AS {body}", name=name(item), body=body)
    if item.kind == "r":
        return text("CREATE TYPE {name} AS RANGE ({body})", name=name(item), body=item.definition or "")
    body = ", ".join(text("{n} {t}", n=sql.Identifier(n), t=t) for n, t in item.attributes)
    return text("CREATE TYPE {name} AS ({body})", name=name(item), body=body)


def _create_sequence(item: Sequence) -> str:
    options = sequence_options(item).removesuffix(" NO CYCLE")
    return text("CREATE SEQUENCE {name} {options}", name=name(item), options=options)


def _create_policy(item: Policy) -> str:
    using = f" USING ({item.using})" if item.using is not None else ""
    check = f" WITH CHECK ({item.check})" if item.check is not None else ""
    return text(
        "CREATE POLICY {name} ON {table} AS {how} FOR {command} TO {roles}{using}{check}",
        name=sql.Identifier(item.name),
        table=sql.Identifier(item.schema, item.table),
        how="PERMISSIVE" if item.permissive else "RESTRICTIVE",
        command=item.command,
        roles=privileges.roles(item.roles),
        using=using,
        check=check,
    )


def _create_event_trigger(item: EventTrigger) -> str:
    tags = sql.SQL(", ").join(map(sql.Literal, item.tags))
    when = text(" WHEN TAG IN ({tags})", tags=tags) if item.tags else ""
    return text(
        "CREATE EVENT TRIGGER {name} ON {event}{when} EXECUTE FUNCTION {function}()",
        name=name(item),
        event=item.event,
        when=when,
        function=item.function,
    )


def _create_publication(item: Publication) -> str:
    members = f" FOR {', '.join(item.members)}" if item.members else ""
    scope = " FOR ALL TABLES" if item.all_tables else members
    return text("CREATE PUBLICATION {name}{scope} WITH ({o})", name=name(item), scope=scope, o=item.options)
