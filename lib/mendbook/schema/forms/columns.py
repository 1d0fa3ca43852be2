"""Columns: added without a rewrite where that is possible, changed, dropped."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace

from psycopg import sql

from mendbook import lexer
from mendbook.schema import backfill, casts, creation, definition, inheritance
from mendbook.schema.definition import alter_column, alter_table
from mendbook.schema.drift import Difference
from mendbook.schema.forms import identity, sequences, storage
from mendbook.schema.forms.context import Context, altered, belonging, comments, step, unplannable
from mendbook.schema.key import Key, qualified
from mendbook.schema.locks import Lock
from mendbook.schema.objects import Object, Type
from mendbook.schema.relations import Column, Constraint, Index, Statistics
from mendbook.schema.step import Step, Transaction
from mendbook.schema.text import aside, text

_EXPRESSIONS = 17  # the major version since which ALTER COLUMN … SET EXPRESSION is there


def create(new: Object, context: Context) -> list[Step]:
    """Add a column; what a volatile default would rewrite is filled in batches instead."""
    assert isinstance(new, Column)  # noqa: S101  by key
    if new.default is not None and not new.generated and _is_volatile(new.default, context):
        return _filled(new, context)
    return [_add(new, context)]


def _add(new: Column, context: Context) -> Step:
    added = alter_table(new, f"ADD COLUMN {creation.column(new)}")
    served = context.desired.sequences.get((new.schema, new.table), ())
    owned = (creation.own_sequence(e) for e in served if e.owner == new.key and not sequences.moves(e, context))
    forward = [added, *owned, *creation.column_state(new), *definition.comments(new)]
    return step(
        new,
        "Add",
        forward,
        definition.drop(new),
        locks=context.lock(new.key),
        rewrites=_leaves(new, context) if _is_computed(new, context) else (),
        undo_loses=f"every value written to {new.name} of {qualified(new.schema, new.table)} since",
    )


def _is_computed(new: Column, context: Context) -> bool:
    """Whether adding the column writes every row anew: each gets a value of its own, or a domain checks it."""
    domain = any(
        isinstance(each, Type) and each.kind == "d" and (each.checks or each.not_null)
        for each in map(context.desired.objects.get, context.desired.needs.get(new.key, ()))
    )
    return bool(new.identity) or new.generated == "s" or domain


def _is_volatile(expression: str, context: Context) -> bool:
    """Whether PostgreSQL would have to compute the default for each row, and so write every row anew."""
    read = lexer.significant(expression)
    calls = {token.text.strip('"') for token, behind in itertools.pairwise(read) if behind.text == "("}
    return bool(calls & (context.live.volatile | context.desired.volatile)) or "gen_random_uuid" in calls


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
    filled = [backfill.step(new, table) for table in _leaves(new, context)]
    required = _require(new, context) if new.not_null else []
    return [added, *filled, *required]


def _leaves(new: Column, context: Context) -> tuple[str, ...]:
    """The tables that hold rows: a partitioned table itself holds none."""
    return tuple(name for name in context.family(new.key) if context.live.by_name[name].kind == "r")


def _require(new: Column, context: Context) -> list[Step]:
    """NOT NULL through a check that is validated without blocking anybody: SET NOT NULL then reads no rows."""
    below = context.live.major >= inheritance.NAMED and context.descendants(qualified(new.schema, new.table))
    # A name that is taken below would not be the one that PostgreSQL chooses by itself.
    named = _named(new) if below else new
    required = [alter_table(new, f"ADD {say_required(named)}") if named.required else alter_column(new, "SET NOT NULL")]
    nullable = [alter_column(new, "DROP NOT NULL")]
    lock = context.lock(new.key)
    table = context.table(new.key)
    if table is not None and table.kind == "f":
        return [step(new, "Require", required, nullable, locks=lock)]
    check = sql.Identifier(aside(f"{new.table}_{new.name}", "_filled"))
    condition = text(
        "ADD CONSTRAINT {check} CHECK ({name} IS NOT NULL) NOT VALID", check=check, name=sql.Identifier(new.name)
    )
    gone = alter_table(new, text("DROP CONSTRAINT IF EXISTS {check}", check=check))
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
            [*required, alter_table(new, text("DROP CONSTRAINT {check}", check=check))],
            nullable,
            locks=lock,
        ),
    ]


def say_required(item: Column) -> str:
    """The constraint that is NOT NULL of a column."""
    name = text("NOT NULL {n}", n=sql.Identifier(item.name))
    return (item.required or "NOT NULL").replace("NOT NULL", name, 1)


def loosen(old: Object, context: Context) -> list[Step]:
    """Take the default or the identity away, for what it needs is about to go."""
    assert isinstance(old, Column)  # noqa: S101  by key
    if old.identity:
        return [
            altered(old, [alter_column(old, "DROP IDENTITY")], list(identity.statements(loosened(old), old)), context)
        ]
    return [altered(old, [say_default(loosened(old))], [say_default(old)], context)]


def loosened(old: Column) -> Column:
    """What `loosen` leaves of a column."""
    return old._replace(default=None, identity="", sequence=None)


def drop(old: Object, context: Context) -> list[Step]:
    """Drop a column."""
    assert isinstance(old, Column)  # noqa: S101  by key
    return [
        step(
            old,
            "Drop",
            definition.drop(old),
            _again(old, context),
            locks=context.lock(old.key),
            loses="" if old.generated else f"every value of {old.name} of {qualified(old.schema, old.table)}",
        )
    ]


def _again(old: Column, context: Context) -> list[str]:
    """The statements that add a column as it is live."""
    granted = [line for part in belonging(old, context.live) for line in creation.create(part)]
    added = alter_table(old, f"ADD COLUMN {creation.column(old)}")
    served = context.live.sequences.get(old.key.owner, ())
    owned = [each for each in served if each.owner == old.key and not sequences.moves(each, context)]
    counting = [line for each in owned for line in creation.create(each)]
    owns = map(creation.own_sequence, owned)
    return [*counting, added, *owns, *creation.column_state(old), *definition.comments(old), *granted]


# ---- changes


def loses(item: Difference, context: Context) -> str:
    """What a change cannot keep."""
    live, new = _both(item)
    if divides(item, context):
        return f"every row of {qualified(live.schema, live.table)}, which is partitioned by it"
    if new.generated and not live.generated:
        return f"every value of {live.name} of {qualified(live.schema, live.table)}"
    computed = live.generated and new.generated
    if live.type != new.type and not computed and not casts.keeps(live.type, new.type):
        return f"what {live.type} holds and {new.type} does not, in {live.name} of {qualified(live.schema, live.table)}"
    return identity.loses(live, new)


def recreates(item: Difference, context: Context) -> bool:
    """Whether the column can only be dropped and added again."""
    live, new = _both(item)
    if new.generated and new.generated != live.generated:
        return True
    return bool(new.generated) and live.default != new.default and context.live.major < _EXPRESSIONS


def divides(item: Difference, context: Context) -> bool:
    """Whether the table is partitioned by a column whose type changes: that cannot be changed in place."""
    return disturbs(item) and is_dividing(item.key, context)


def is_dividing(key: Key, context: Context) -> bool:
    """Whether the table is partitioned by a column."""
    table = context.table(key)
    if table is None or not table.partition_key:
        return False
    return key.part in {token.text.strip('"') for token in lexer.significant(table.partition_key)}


def disturbs(item: Difference) -> bool:
    """Whether views, policies, triggers and the like that use the column stand in the way."""
    return bool({"type", "collation", "generated"} & set(item.fields))


def change(item: Difference, context: Context) -> list[Step]:
    """Change a column in place; of a change that disturbs others, only what does."""
    live, new = _both(item)
    if "local" in item.fields:
        raise unplannable(item, "it would have to be dropped and inherited again")
    if disturbs(item):
        _check_rows(item, context)
    made: list[Step] = []
    if {"type", "collation"} & set(item.fields):
        made.append(_retype(live, new, context))
    if live.generated and not new.generated:
        plain = [alter_column(new, "DROP EXPRESSION"), *([] if new.default is None else [say_default(new)])]
        users = (context.live.objects[each] for each in sorted(context.live.needed_by.get(live.key, ())))
        lost = (each for each in users if isinstance(each, Constraint | Index | Statistics))
        kept = [line for each in lost if each.key not in context.going for line in creation.create(each)]
        undo = [*definition.drop(new), *_again(live, context), *kept]
        made.append(altered(new, plain, undo, context))
    return made


def _check_rows(item: Difference, context: Context) -> None:
    """A table whose rows are values of another table's column cannot be changed."""
    for kind in ("table", "view"):
        for user in context.live.needed_by.get(Key(kind, *item.key.owner), ()):
            if user.kind == "column" and user.owner != item.key.owner and user not in context.going:
                raise unplannable(item, f"{user} holds rows of that table")


def settle(item: Difference, context: Context) -> list[Step]:
    """The changes of a column that disturb nobody."""
    live, new = _both(item)
    made: list[Step] = []
    if new.generated and live.default != new.default:
        made.append(_express(live, new, context))
    elif live.default != new.default and not live.generated and not new.generated and not _is_retyped(item):
        made.append(_set_default(live, new, context))
    if new.not_null and not live.not_null:
        made += _require(new, context)
    elif new.not_null and live.required != new.required:
        made.append(_rename_required(live, new, context))
    made += identity.change(live, new, context)
    if live.not_null and not new.not_null:
        made.append(_release(live, new, context))
    return [*made, *storage.change(live, new, context), *comments(item, context)]


def _release(live: Column, new: Column, context: Context) -> Step:
    required = alter_table(new, f"ADD {say_required(live)}") if live.required else alter_column(new, "SET NOT NULL")
    step = altered(new, [alter_column(new, "DROP NOT NULL")], [required], context)
    below = (context.live.by_name[each].key for each in context.descendants(qualified(live.schema, live.table)))
    columns = (context.live.objects.get(each._replace(kind="column", part=live.name)) for each in below)
    if context.live.major >= inheritance.NAMED and any(inheritance.is_named_apart(each, live) for each in columns):
        return replace(step, undo_loses=f"nothing: what requires {live.name} below gets another name")
    return step


def _named(item: Column) -> Column:
    """The column, whose NOT NULL is said with its name."""
    return item._replace(required=item.required or definition.usual_not_null(item))


def _is_retyped(item: Difference) -> bool:
    return bool({"type", "collation"} & set(item.fields))


def _rename_required(live: Column, new: Column, context: Context) -> Step:
    """Give the constraint that is NOT NULL its other name, or make it anew where it differs in more."""
    dropped = alter_column(new, "DROP NOT NULL")
    table = context.table(new.key)
    if not new.local and new.required is None and table and not table.partition_bound:
        # That of the table above is all it should have.
        return altered(new, [dropped], [alter_table(new, f"ADD {say_required(live)}")], context)
    had, wanted = (_CONSTRAINT.fullmatch(each.required or definition.usual_not_null(new)) for each in (live, new))
    if had and wanted:
        words = (had["name"], wanted["name"])
        forward, undo = (alter_table(new, f"RENAME CONSTRAINT {a} TO {b}") for a, b in (words, tuple(reversed(words))))
        return altered(new, [forward], [undo], context)
    made, back = ([dropped, alter_table(new, f"ADD {say_required(each)}")] for each in (new, live))
    return altered(new, made, back, context)


_CONSTRAINT = re.compile(r"CONSTRAINT (?P<name>\"(?:[^\"]|\"\")+\") NOT NULL")


def _both(item: Difference) -> tuple[Column, Column]:
    live, new = item.both
    assert isinstance(live, Column)  # noqa: S101  by key
    assert isinstance(new, Column)  # noqa: S101  by key
    return live, new


def _set_default(live: Column, new: Column, context: Context) -> Step:
    """Each table below has a default of its own, which is compared on its own."""
    forward, undo = ([say_default(each)] for each in (new, live))
    if context.live.children.get(qualified(new.schema, new.table)):
        forward, undo = ([each[0].replace("ALTER TABLE ", "ALTER TABLE ONLY ", 1)] for each in (forward, undo))
    return step(new, "Change", forward, undo, locks={qualified(new.schema, new.table): Lock.ACCESS_EXCLUSIVE})


def say_default(item: Column) -> str:
    """SET DEFAULT, or DROP DEFAULT where there is none."""
    if item.default is None or item.generated:
        return alter_column(item, "DROP DEFAULT")
    return alter_column(item, f"SET DEFAULT {item.default}")


def _retype(live: Column, new: Column, context: Context) -> Step:
    """Change the type; the default, which may not fit any cast, is taken away before and set again after."""
    lost = loses(Difference(key=new.key, live=live, desired=new), context)
    return step(
        new,
        "Change the type of",
        [_to_type(live, new, context)],
        [_to_type(new, live, context)],
        locks=context.lock(new.key),
        rewrites=() if casts.is_relabelled(live.type, new.type) else _leaves(new, context),
        loses=lost,
        undo_loses="" if casts.keeps(new.type, live.type) else f"what {new.type} holds and {live.type} does not",
    )


def _to_type(old: Column, new: Column, context: Context) -> str:
    name = sql.Identifier(new.name)
    collation = f" COLLATE {new.collation}" if new.collation else ""
    parts = [text("ALTER COLUMN {n} TYPE {type}{c}", n=name, type=new.type, c=collation)]
    table = context.table(new.key)
    foreign = table is not None and table.kind == "f"
    if old.type != new.type and not new.generated and not foreign:
        parts[0] += f" USING {casts.cast(name.as_string(None), old.type, new.type)}"
    if not new.generated and old.default is not None:
        parts.insert(0, text("ALTER COLUMN {n} DROP DEFAULT", n=name))
    if not new.generated and new.default is not None:
        parts.append(text("ALTER COLUMN {n} SET DEFAULT {d}", n=name, d=new.default))
    return alter_table(new, ", ".join(parts))


def _express(live: Column, new: Column, context: Context) -> Step:
    forward, undo = (alter_column(each, f"SET EXPRESSION AS ({each.default})") for each in (new, live))
    rewrites = _leaves(new, context) if new.generated == "s" else ()
    return step(new, "Change", [forward], [undo], locks=context.lock(new.key), rewrites=rewrites)
