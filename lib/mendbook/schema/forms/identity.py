"""Identity columns and the sequences of columns: made, changed, set to go on where the values end."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from psycopg import sql

from mendbook.schema import creation
from mendbook.schema.definition import alter_column
from mendbook.schema.forms.context import Context, step
from mendbook.schema.key import Key, qualified
from mendbook.schema.objects import Sequence
from mendbook.schema.relations import Column
from mendbook.schema.step import Step
from mendbook.schema.text import text


def change(live: Column, new: Column, context: Context) -> list[Step]:
    """Make a column an identity column or a plain one, or change how it counts."""
    if (live.identity, live.sequence) == (new.identity, new.sequence):
        return []
    forward, undo = list(statements(live, new)), list(statements(new, live))
    return [step(new, "Change", forward, undo, locks=context.lock(new.key), loses=loses(live, new))]


def loses(live: Column, new: Column) -> str:
    """What a change of how a column counts cannot keep."""
    restarts = any("RESTART" in each for each in statements(live, new))
    return f"the position of the sequence of {new.key}" if restarts else ""


def statements(old: Column, new: Column) -> Iterator[str]:
    """What leads from the identity of *old* to that of *new*."""
    if not new.identity:
        yield alter_column(new, "DROP IDENTITY")
    elif not old.identity:
        yield alter_column(new, f"ADD {creation.identity(new)}")
        if "INCREMENT BY -" not in (new.sequence or ""):
            named = sql.SQL("pg_get_serial_sequence({}, {})").format(
                sql.Literal(qualified(new.schema, new.table)), sql.Literal(new.name)
            )
            yield _set_position(named, new.key)
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
    plain = {**_USUAL, "START WITH": f"START WITH {_start(wanted)}"}
    changed = [f"SET {wanted.get(what, said)}" for what, said in plain.items() if had.get(what) != wanted.get(what)]
    if _start(had) != _start(wanted):
        changed += [] if "START WITH" in had or "START WITH" in wanted else [f"SET {plain['START WITH']}"]
        changed.append("RESTART")
    if changed:
        yield alter_column(new, " ".join(changed))
    named = had.get(None), wanted.get(None)
    if named[0] != named[1]:
        usual = qualified(new.schema, f"{new.table}_{new.name}_seq")
        before, after = ((each or f"SEQUENCE NAME {usual}").removeprefix("SEQUENCE NAME ") for each in named)
        yield f"ALTER SEQUENCE {before} RENAME TO {_LAST.findall(after)[-1]}"


def _start(options: Mapping[str | None, str]) -> str:
    """Where an identity column's sequence starts: at its lowest value, or counting down at its highest."""
    down = "-" in options.get("INCREMENT BY", "")
    stated = options.get("START WITH") or options.get("MAXVALUE" if down else "MINVALUE")
    return stated.split()[-1] if stated else ("-1" if down else "1")


_LAST = re.compile(r"\"(?:[^\"]|\"\")+\"|[^\s.\"]+")


def position(item: Sequence, column: Key) -> list[str]:
    """Let a sequence go on where the values of a column end."""
    return [_set_position(sql.Literal(qualified(item.schema, item.name)), column)] if item.increment > 0 else []


def _set_position(sequence: sql.Composable, column: Key) -> str:
    return text(
        "SELECT setval({sequence}, max({name})) FROM {table} HAVING max({name}) > 0",
        sequence=sequence,
        name=sql.Identifier(column.part),
        table=sql.Identifier(*column.owner),
    )
