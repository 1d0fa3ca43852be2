"""Columns: added without a rewrite where that is possible, changed, dropped."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from psycopg import sql

from mendbook import lexer
from mendbook.schema import casts, creation, definition
from mendbook.schema.definition import alter_column, alter_table
from mendbook.schema.drift import Difference
from mendbook.schema.forms.context import Context, comments, step, unplannable
from mendbook.schema.key import qualified
from mendbook.schema.locks import Lock
from mendbook.schema.objects import Object, Sequence
from mendbook.schema.relations import Column
from mendbook.schema.step import Step, Transaction
from mendbook.schema.text import text

_EXPRESSIONS = 17  # the major version since which ALTER COLUMN … SET EXPRESSION is there
_BATCH = 64  # blocks of the table in one transaction of a backfill


def create(new: Object, context: Context) -> list[Step]:
    """Add a column; what a volatile default would rewrite is filled in batches instead."""
    assert isinstance(new, Column)  # noqa: S101  by key
    if new.default is not None and not new.generated and _is_volatile(new.default, context):
        return _filled(new, context)
    return [_add(new, context)]


def _add(new: Column, context: Context) -> Step:
    added = alter_table(new, f"ADD COLUMN {creation.column(new)}")
    owner = (new.schema, new.table, new.name)
    sequences = [
        each
        for each in context.desired.objects.values()
        if isinstance(each, Sequence) and (each.owner_schema, each.owner_table, each.owner_column) == owner
    ]
    forward = [
        added,
        *map(creation.own_sequence, sequences),
        *creation.column_state(new),
        *definition.comments(new),
    ]
    return step(
        new,
        "Add",
        forward,
        definition.drop(new),
        locks=context.lock(new.key),
        undo_loses=f"every value written to {new.name} of {qualified(new.schema, new.table)} since",
    )


def _is_volatile(expression: str, context: Context) -> bool:
    """Whether PostgreSQL would have to compute the default for each row, and so write every row anew."""
    read = lexer.significant(expression)
    calls = {token.text.strip('"') for token, behind in itertools.pairwise(read) if behind.text == "("}
    return bool(calls & context.live.volatile) or "gen_random_uuid" in calls


def _filled(new: Column, context: Context) -> list[Step]:
    plain = _add(new._replace(default=None, not_null=False), context)
    default = alter_column(new, f"SET DEFAULT {new.default}")
    added = step(
        new,
        "Add",
        [plain.forward[0], default, *plain.forward[1:]],
        plain.undo,
        locks=plain.locks,
        undo_loses=plain.undo_loses,
    )
    filled = [_backfill(new, table) for table in _leaves(new, context)]
    required = _require(new, context) if new.not_null else []
    return [added, *filled, *required]


def _leaves(new: Column, context: Context) -> list[str]:
    """The tables that hold rows: a partitioned table itself holds none."""
    family = set(context.family(new.key))
    tables = [each for each in context.live.tables() if each.kind == "r"]
    return [name for each in tables if (name := qualified(each.schema, each.name)) in family]


def _backfill(new: Column, table: str) -> Step:
    """Fill the rows that were there before, some blocks in each transaction: nobody waits for long."""
    body = text(
        """
DECLARE
  block bigint := 0;
  blocks bigint := pg_relation_size({table}::regclass) / current_setting('block_size')::bigint;
BEGIN
  WHILE block <= blocks LOOP
    UPDATE ONLY {relation} SET {name} = DEFAULT
    WHERE {name} IS NULL AND ctid >= format('(%s,0)', block)::tid AND ctid < format('(%s,0)', block + {batch})::tid;
    COMMIT;
    block := block + {batch};
  END LOOP;
END
""",
        table=sql.Literal(table),
        relation=table,
        name=sql.Identifier(new.name),
        batch=str(_BATCH),
    )
    return Step(
        title=f"Fill {new.key} in batches" if table == qualified(new.schema, new.table) else f"Fill {table} in batches",
        forward=(text("DO {body}", body=sql.Literal(body)),),
        undo=(),
        locks={table: Lock.ROW_EXCLUSIVE},
        transaction=Transaction.NONE,
    )


def _require(new: Column, context: Context) -> list[Step]:
    """NOT NULL through a check that is validated without blocking anybody: SET NOT NULL then reads no rows."""
    check = sql.Identifier(f"{new.table}_{new.name}_filled"[:_NAME])
    condition = text(
        "ADD CONSTRAINT {check} CHECK ({name} IS NOT NULL) NOT VALID", check=check, name=sql.Identifier(new.name)
    )
    gone = alter_table(new, text("DROP CONSTRAINT IF EXISTS {check}", check=check))
    lock = context.lock(new.key)
    return [
        step(new, "Refuse new nulls in", [alter_table(new, condition)], [gone], locks=lock),
        step(
            new,
            "Look for nulls in",
            [alter_table(new, text("VALIDATE CONSTRAINT {check}", check=check))],
            [],
            locks=dict.fromkeys(lock, Lock.SHARE_UPDATE_EXCLUSIVE),
            transaction=Transaction.OWN,
        ),
        step(
            new,
            "Require",
            [alter_column(new, "SET NOT NULL"), alter_table(new, text("DROP CONSTRAINT {check}", check=check))],
            [alter_column(new, "DROP NOT NULL")],
            locks=lock,
        ),
    ]


_NAME = 63  # bytes of an identifier


def drop(old: Object, context: Context) -> list[Step]:
    """Drop a column."""
    assert isinstance(old, Column)  # noqa: S101  by key
    again = alter_table(old, f"ADD COLUMN {creation.column(old)}")
    return [
        step(
            old,
            "Drop",
            definition.drop(old),
            [again, *creation.column_state(old), *definition.comments(old)],
            locks=context.lock(old.key),
            loses="" if old.generated else f"every value of {old.name} of {qualified(old.schema, old.table)}",
        )
    ]


# ---- changes


def loses(item: Difference, context: Context) -> str:
    """What a change cannot keep."""
    live, new = _both(item)
    if new.generated and not live.generated:
        return f"every value of {live.name} of {qualified(live.schema, live.table)}"
    if live.type != new.type and not casts.keeps(live.type, new.type):
        return f"what {live.type} holds and {new.type} does not, in {live.name} of {qualified(live.schema, live.table)}"
    return ""


def recreates(item: Difference, context: Context) -> bool:
    """Whether the column can only be dropped and added again."""
    live, new = _both(item)
    if new.generated and new.generated != live.generated:
        return True
    return bool(new.generated) and live.default != new.default and context.live.major < _EXPRESSIONS


def disturbs(item: Difference) -> bool:
    """Whether views, policies, triggers and the like that use the column stand in the way."""
    return bool({"type", "collation", "generated"} & set(item.fields))


def change(item: Difference, context: Context) -> list[Step]:
    """Change a column in place; of a change that disturbs others, only what does."""
    live, new = _both(item)
    if "local" in item.fields:
        raise unplannable(item, "it would have to be dropped and inherited again")
    if not disturbs(item):
        return settle(item, context)
    made: list[Step] = []
    if {"type", "collation"} & set(item.fields):
        made.append(_retype(live, new, context))
    if live.generated and not new.generated:
        made.append(_change(new, [alter_column(new, "DROP EXPRESSION"), _default(new)], [], context))
    return made


def settle(item: Difference, context: Context) -> list[Step]:
    """The changes of a column that disturb nobody."""
    live, new = _both(item)
    made: list[Step] = []
    if new.generated and live.default != new.default:
        made.append(_express(live, new, context))
    elif live.default != new.default and not live.generated and live.type == new.type:
        made.append(_change(new, [_default(new)], [_default(live)], context))
    if new.not_null and not live.not_null:
        made += _require(new, context)
    made += _identify(live, new, context)
    if live.not_null and not new.not_null:
        required, nullable = alter_column(new, "SET NOT NULL"), alter_column(new, "DROP NOT NULL")
        made.append(_change(new, [nullable], [required], context))
    return [*made, *_store(live, new, context), *comments(item, context)]


def _both(item: Difference) -> tuple[Column, Column]:
    live, new = item.both
    assert isinstance(live, Column)  # noqa: S101  by key
    assert isinstance(new, Column)  # noqa: S101  by key
    return live, new


def _change(
    new: Column, forward: list[str], undo: list[str], context: Context, lock: Lock = Lock.ACCESS_EXCLUSIVE
) -> Step:
    return step(new, "Change", forward, undo, locks=context.lock(new.key, lock))


def _default(item: Column) -> str:
    if item.default is None or item.generated:
        return alter_column(item, "DROP DEFAULT")
    return alter_column(item, f"SET DEFAULT {item.default}")


def _retype(live: Column, new: Column, context: Context) -> Step:
    """Change the type; the default, which may not fit any cast, is taken away before and set again after."""
    lost = loses(Difference(key=new.key, live=live, desired=new), context)
    return step(
        new,
        "Change the type of",
        [_to_type(live, new)],
        [_to_type(new, live)],
        locks=context.lock(new.key),
        loses=lost,
        undo_loses="" if casts.keeps(new.type, live.type) else f"what {new.type} holds and {live.type} does not",
    )


def _to_type(old: Column, new: Column) -> str:
    name = sql.Identifier(new.name)
    collation = f" COLLATE {new.collation}" if new.collation else ""
    parts = [text("ALTER COLUMN {n} TYPE {type}{c}", n=name, type=new.type, c=collation)]
    if old.type != new.type and not new.generated:
        parts[0] += f" USING {casts.cast(name.as_string(None), old.type, new.type)}"
    if not new.generated and old.default is not None:
        parts.insert(0, text("ALTER COLUMN {n} DROP DEFAULT", n=name))
    if not new.generated and new.default is not None:
        parts.append(text("ALTER COLUMN {n} SET DEFAULT {d}", n=name, d=new.default))
    return alter_table(new, ", ".join(parts))


def _express(live: Column, new: Column, context: Context) -> Step:
    forward, undo = (alter_column(each, f"SET EXPRESSION AS ({each.default})") for each in (new, live))
    return _change(new, [forward], [undo], context)


def _identify(live: Column, new: Column, context: Context) -> list[Step]:
    if (live.identity, live.sequence) == (new.identity, new.sequence):
        return []
    forward, undo = list(_identity(live, new)), list(_identity(new, live))
    return [_change(new, forward, undo, context)]


def _identity(old: Column, new: Column) -> Iterator[str]:
    if not new.identity:
        yield alter_column(new, "DROP IDENTITY")
    elif not old.identity:
        yield alter_column(new, f"ADD {creation.identity(new)}")
    else:
        if old.identity != new.identity:
            yield alter_column(new, f"SET GENERATED {'ALWAYS' if new.identity == 'a' else 'BY DEFAULT'}")
        if old.sequence != new.sequence:
            yield from _options(old, new)


_OPTION = re.compile(
    r"SEQUENCE NAME (?P<name>(?:\"(?:[^\"]|\"\")+\"|[^\s.\"]+)(?:\.(?:\"(?:[^\"]|\"\")+\"|[^\s.\"]+))?)"
    r"|(?P<what>INCREMENT BY|MINVALUE|MAXVALUE|START WITH|CACHE) (?P<value>-?\d+)|(?P<cycle>CYCLE)"
)
_USUAL = {
    "INCREMENT BY": "INCREMENT BY 1",
    "MINVALUE": "NO MINVALUE",
    "MAXVALUE": "NO MAXVALUE",
    "START WITH": "START WITH 1",
    "CACHE": "CACHE 1",
    "CYCLE": "NO CYCLE",
}


def _options(old: Column, new: Column) -> Iterator[str]:
    """SET each option of the identity column's sequence that differs, the usual ones where nothing is stated."""
    had = {each["what"] or each["cycle"]: each[0] for each in _OPTION.finditer(old.sequence or "")}
    wanted = {each["what"] or each["cycle"]: each[0] for each in _OPTION.finditer(new.sequence or "")}
    changed = [f"SET {wanted.get(what, usual)}" for what, usual in _USUAL.items() if had.get(what) != wanted.get(what)]
    if changed:
        yield alter_column(new, " ".join(changed))
    named = had.get(None), wanted.get(None)
    if named[0] != named[1]:
        usual = qualified(new.schema, f"{new.table}_{new.name}_seq")
        before, after = ((each or f"SEQUENCE NAME {usual}").removeprefix("SEQUENCE NAME ") for each in named)
        yield f"ALTER SEQUENCE {before} RENAME TO {_LAST.findall(after)[-1]}"


_LAST = re.compile(r"\"(?:[^\"]|\"\")+\"|[^\s.\"]+")


def _store(live: Column, new: Column, context: Context) -> Iterator[Step]:
    """Storage, compression, statistics target and options: they count for rows and statistics to come."""
    differ = {name for name in ("storage", "compression") if getattr(live, name) != getattr(new, name)}
    if differ:
        yield _change(new, list(_stored(new, differ)), list(_stored(live, differ)), context)
    if live.statistics != new.statistics:
        forward, undo = (
            alter_column(e, f"SET STATISTICS {-1 if e.statistics is None else e.statistics}") for e in (new, live)
        )
        yield _change(new, [forward], [undo], context, Lock.SHARE_UPDATE_EXCLUSIVE)
    if live.options != new.options:
        forward_options = list(_optioned(live, new))
        yield _change(new, forward_options, list(_optioned(new, live)), context, Lock.SHARE_UPDATE_EXCLUSIVE)


def _stored(item: Column, differ: set[str]) -> Iterator[str]:
    if "storage" in differ:
        yield alter_column(item, f"SET STORAGE {item.storage or 'DEFAULT'}")
    if "compression" in differ:
        yield alter_column(item, f"SET COMPRESSION {item.compression or 'default'}")


def _optioned(old: Column, new: Column) -> Iterator[str]:
    gone = [each.partition("=")[0] for each in old.options if each not in new.options]
    if gone:
        yield alter_column(new, f"RESET ({', '.join(gone)})")
    if new.options:
        yield alter_column(new, f"SET ({', '.join(new.options)})")
