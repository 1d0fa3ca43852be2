"""How each object of a Snapshot is created, as SQL.

Expressions, types and definitions are PostgreSQL's own text (`pg_get_*def`, `format_type`), so they are passed on as
they stand; every name is quoted by psycopg.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import LiteralString

from psycopg import sql

from mendbook.schema import privileges
from mendbook.schema.definition import add_constraint, alter_column, alter_table, comments, name, word
from mendbook.schema.objects import (
    Collation,
    Custom,
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


def column(item: Column) -> str:
    """The column as it stands in CREATE TABLE or ADD COLUMN."""
    words = [text("{name} {type}", name=sql.Identifier(item.name), type=item.type)]
    if item.foreign:
        words.append(text("OPTIONS ({options})", options=options(item.foreign)))
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
        words.append(item.required or "NOT NULL")
    return " ".join(words)


def options(those: list[list[str]]) -> sql.Composable:
    """The options of something foreign."""
    return sql.SQL(", ").join(sql.SQL("{} {}").format(sql.Identifier(n), sql.Literal(v)) for n, v in those)


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
    foreign = text(" SERVER {s}", s=sql.Identifier(item.server)) if item.server else ""
    foreign += text(" OPTIONS ({options})", options=options(item.foreign)) if item.foreign else ""
    method = f" USING {item.method}" if item.method not in ("", "heap") else ""
    storage = f" WITH ({', '.join(item.options)})" if item.options else ""
    return f"{head}{body}{partitioning}{foreign}{method}{storage}"


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
        made.append(cluster(item))
    if item.row_type:
        made.append(alter_table(item, f"OF {item.row_type}"))
    return made


def cluster(item: Table | View) -> str:
    """ALTER TABLE … CLUSTER ON, or SET WITHOUT CLUSTER."""
    said = text("CLUSTER ON {i}", i=sql.Identifier(item.clustered)) if item.clustered else "SET WITHOUT CLUSTER"
    return text("ALTER {word} {name} {said}", word=word(item), name=name(item), said=said)


def replica_identity(item: Table) -> str:
    """ALTER TABLE … REPLICA IDENTITY."""
    word, _, index = item.replica_identity.partition(" ")
    said = text("USING INDEX {i}", i=sql.Identifier(index)) if word == "index" else word.upper()
    return alter_table(item, f"REPLICA IDENTITY {said}")


def create(item: Object) -> list[str]:
    """The statements that create anything but a table or a column, with its comment."""
    match item:
        case Grant() | DefaultPrivilege():
            return privileges.grant(item)
        case Setting():
            return [privileges.setting(item)]
        case Table() | Column() | Other():
            raise TypeError(f"{type(item).__name__} is not created on its own")
    return [*_create(item), *comments(item)]


def _create(item: Object) -> list[str]:
    match item:
        case Extension():
            template: LiteralString = "CREATE EXTENSION IF NOT EXISTS {name} SCHEMA {schema}"
            return [text(template, name=sql.Identifier(item.name), schema=sql.Identifier(item.schema))]
        case Schema():
            made = text("CREATE SCHEMA {name}", name=sql.Identifier(item.name))
            return [made, *(["GRANT USAGE ON SCHEMA public TO PUBLIC"] if item.name == "public" else [])]
        case Collation():
            return [text("CREATE COLLATION {name} ({definition})", name=name(item), definition=item.definition)]
        case Type():
            return [_create_type(item)]
        case Sequence():
            return [_create_sequence(item)]
        case Server():
            return [_create_server(item)]
        case Constraint():
            return [add_constraint(item, item.definition)]
        case View():
            stored = (view_column(item, name, f"SET {option} {value}") for name, option, value in item.stored)
            defaults = (view_column(item, name, f"SET DEFAULT {default}") for name, default in item.defaults)
            return [create_view(item), *defaults, *stored]
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
        case Index():
            return [item.definition, *(index_statistics(item, *each) for each in item.statistics)]
        case Function():
            return [item.definition.rstrip()]
        case Custom():
            return _create_custom(item)
    raise TypeError(f"{type(item).__name__} is not created on its own")


def own_sequence(item: Sequence) -> str:
    """ALTER SEQUENCE … OWNED BY the column it serves, or nobody."""
    by = sql.Identifier(*item.owner.owner, item.owner.part) if item.owner else sql.SQL("NONE")
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


def index_statistics(item: Index, number: int, target: int) -> str:
    """ALTER INDEX … ALTER COLUMN … SET STATISTICS of an expression."""
    return text("ALTER INDEX {name} ALTER COLUMN {n} SET STATISTICS {t}", name=name(item), n=str(number), t=str(target))


def view_column(item: View, column_name: str, change: str) -> str:
    """ALTER VIEW … ALTER COLUMN with what PostgreSQL's own text says."""
    column = sql.Identifier(column_name)
    return text("ALTER {w} {name} ALTER COLUMN {c} {said}", w=word(item), name=name(item), c=column, said=change)


def create_view(item: View, *, replace: bool = False) -> str:
    """CREATE VIEW, or CREATE OR REPLACE VIEW."""
    said = f" USING {item.method}" if item.method not in ("", "heap") else ""
    said += f" WITH ({', '.join(item.options)})" if item.options else ""
    return text(
        "CREATE {how}{word} {name} ({columns}){options} AS {definition}",
        how="OR REPLACE " if replace else "",
        word=word(item),
        name=name(item),
        columns=names(item.columns),
        options=said,
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
    said = sequence_options(item).removesuffix(" NO CYCLE")
    unlogged = "UNLOGGED " if item.persistence == "u" else ""
    return text("CREATE {u}SEQUENCE {name} {options}", u=unlogged, name=name(item), options=said)


def _create_server(item: Server) -> str:
    kind = text(" TYPE {t}", t=sql.Literal(item.type)) if item.type is not None else ""
    version = text(" VERSION {v}", v=sql.Literal(item.version)) if item.version is not None else ""
    said = text(" OPTIONS ({options})", options=options(item.options)) if item.options else ""
    return text(
        "CREATE SERVER {name}{kind}{version} FOREIGN DATA WRAPPER {w}{options}",
        name=name(item),
        kind=kind,
        version=version,
        w=sql.Identifier(item.wrapper),
        options=said,
    )


def change_options(old: list[list[str]], new: list[list[str]]) -> str:
    """OPTIONS (…) that leads from the options *old* to those *new*; empty where they are equal."""
    had, wanted = ({each[0]: each[1] for each in side} for side in (old, new))
    said = [text("DROP {n}", n=sql.Identifier(each)) for each in had if each not in wanted]
    for each, value in wanted.items():
        if had.get(each) != value:
            verb = "SET" if each in had else "ADD"
            said.append(text("{verb} {n} {v}", verb=verb, n=sql.Identifier(each), v=sql.Literal(value)))
    return f"OPTIONS ({', '.join(said)})" if said else ""


def _create_custom(item: Custom) -> list[str]:
    match item.kind:
        case "text search dictionary" if item.parts:
            said = ", ".join(f"{option} = {value}" for option, value in item.parts)
            return [f"{item.definition.removesuffix(')')}, {said})"]
        case "foreign-data wrapper" if item.parts:
            return [text("{d} OPTIONS ({options})", d=item.definition, options=options(item.parts))]
    return [item.definition, *(add_part(item, *part) for part in item.parts)]


def add_part(item: Custom, part: str, value: str) -> str:
    """The statement that adds a token to a text search configuration, or a member to an operator family."""
    said = f"ADD {value}" if item.kind == "operator family" else f"ADD MAPPING FOR {part} WITH {value}"
    return f"ALTER {word(item)} {item.identity} {said}"


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


def members(item: Publication) -> str:
    """The members of a publication; the word TABLE stands before the first table alone."""
    tables = [each for each in item.members if each.startswith("TABLE ")]
    schemas = [each for each in item.members if each not in tables]
    return ", ".join([*tables[:1], *(each.removeprefix("TABLE ") for each in tables[1:]), *schemas])


def _create_publication(item: Publication) -> str:
    said = f" FOR {members(item)}" if item.members else ""
    scope = " FOR ALL TABLES" if item.all_tables else said
    return text("CREATE PUBLICATION {name}{scope} WITH ({o})", name=name(item), scope=scope, o=item.options)
