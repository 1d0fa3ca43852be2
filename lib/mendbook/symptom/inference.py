"""`Inference`: which type a missing column probably has, and what speaks for it.

The statement's own use of the column, columns of the same name and the conventions of the schema, and the name itself
are clues; each speaks for one type or for a family of types. What they add up to is shown to the reader and never
applied: two clues of many can agree and be wrong.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mendbook import lexer
from mendbook.lexer import Token
from mendbook.schema.relations import Column
from mendbook.schema.snapshot import Snapshot
from mendbook.symptom import statements
from mendbook.symptom.reading import Certainty

_MOMENTS = frozenset({"timestamp with time zone", "timestamp without time zone", "date"})
_NUMBERS = frozenset({"smallint", "integer", "bigint", "numeric", "real", "double precision"})
_TEXTS = frozenset({"text", "character varying", "character"})
_MOMENT, _BOOLEAN = "timestamp with time zone", "boolean"

_COMPARISONS = frozenset({"=", "<>", "!=", "<", ">", "<=", ">="})
_CLOCKS = frozenset({"NOW", "CURRENT_TIMESTAMP", "LOCALTIMESTAMP", "CLOCK_TIMESTAMP", "STATEMENT_TIMESTAMP"})
_UUID = re.compile(r"'[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}'", re.IGNORECASE)
_ISO_DATE = re.compile(r"'\d{4}-\d\d-\d\d[ T]\d\d:\d\d")

# What a name says: its beginning or end as people write it, in snake_case and camelCase.
_AFFIXES = {
    "_at": re.compile(r".*[a-z0-9](?:_at|At)"),
    "is_": re.compile(r"(?:is|has|can)(?:_[a-z].*|[A-Z].*)"),
    "_id": re.compile(r".*[a-z0-9](?:_id|Id)"),
    "_date": re.compile(r".*[a-z0-9](?:_date|Date|_on|On)"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Inference:
    """One type that a column may have."""

    type: str  # as format_type() prints it
    certainty: Certainty
    evidence: tuple[str, ...]  # what speaks for it, one sentence each


@dataclass(frozen=True, kw_only=True, slots=True)
class _Clue:
    said: str
    type: str  # what it speaks for by itself
    weight: int
    family: frozenset[str] = frozenset()  # what else it goes with
    certain: bool = False

    def allows(self, type: str) -> bool:
        return type == self.type or type.partition("(")[0] in self.family


def column_type(column: str, table: str, statement: str, live: Snapshot | None) -> tuple[Inference, ...]:
    """The types that *column* of *table* may have, the likeliest first; none where nothing speaks for any.

    *statement* is the failing SQL, or empty; *live* the target's schema, or None.
    """
    clues = [*_from_use(column, statement), *(_from_schema(column, table, live) if live else ()), *_from_name(column)]
    scores = {
        type: sum(clue.weight for clue in clues if clue.allows(type)) for type in dict.fromkeys(c.type for c in clues)
    }
    return tuple(_inference(type, clues) for type in sorted(scores, key=lambda type: -scores[type]))


def _inference(type: str, clues: Sequence[_Clue]) -> Inference:
    speaking = sorted((clue for clue in clues if clue.allows(type)), key=lambda clue: -clue.weight)
    certain = any(clue.certain and clue.type == type for clue in speaking)
    return Inference(
        type=type,
        certainty="derived" if certain else "guessed",
        evidence=tuple(dict.fromkeys(clue.said for clue in speaking)),
    )


# ---- the statement's own use


def _from_use(column: str, statement: str) -> Iterator[_Clue]:
    read = lexer.significant(statement)
    for at, token in enumerate(read):
        if token.kind in ("word", "quoted") and statements.fold(token.text) == column:
            yield from _compared(column, read[at + 1 :])
    value = _inserted(column, read)
    if value:
        yield from _operand(value, f"the statement puts {_written(value)} into {column}")


def _compared(column: str, after: Sequence[Token]) -> Iterator[_Clue]:
    words = [token.text.upper() for token in after[:3]]
    if words[:1] == ["IS"] and {"TRUE", "FALSE"} & set(words):
        yield _Clue(said=f"the statement asks whether {column} is true", type=_BOOLEAN, weight=6, certain=True)
    elif words[:1] and words[0] in ("LIKE", "ILIKE"):
        yield _Clue(said=f"the statement matches {column} with LIKE", type="text", weight=2, family=_TEXTS)
    elif words[:1] and words[0] in _COMPARISONS:
        yield from _operand(after[1:], f"the statement puts {_written(after[1:])} beside {column}")


def _operand(read: Sequence[Token], said: str) -> Iterator[_Clue]:
    """What the value that *read* begins with says of its type."""
    if not read:
        return
    first, word = read[0], read[0].text.upper()
    cast = _cast(read)
    if cast:
        yield _Clue(said=said, type=cast, weight=8, certain=True)
    elif word in ("TRUE", "FALSE"):
        yield _Clue(said=said, type=_BOOLEAN, weight=6, certain=True)
    elif word in _CLOCKS:
        yield _Clue(said=said, type=_MOMENT, weight=2, family=_MOMENTS)
    elif word == "CURRENT_DATE":
        yield _Clue(said=said, type="date", weight=2, family=_MOMENTS)
    elif first.kind == "number":
        kind = "integer" if first.text.isdecimal() else "numeric"
        yield _Clue(said=said, type=kind, weight=1, family=_NUMBERS)
    elif first.kind == "string" and _UUID.fullmatch(first.text):
        yield _Clue(said=said, type="uuid", weight=2)
    elif first.kind == "string" and _ISO_DATE.match(first.text):
        yield _Clue(said=said, type=_MOMENT, weight=2, family=_MOMENTS)
    elif first.kind == "string":
        yield _Clue(said=said, type="text", weight=1, family=_TEXTS)


def _cast(read: Sequence[Token]) -> str | None:
    """The type of ``value::type`` or ``CAST(value AS type)``; None for one of several words."""
    if len(read) > 2 and read[1].text == "::" and read[2].kind == "word":
        return _TYPES.get(read[2].text.lower(), read[2].text.lower())
    if read[0].text.upper() == "CAST" and len(read) > 4 and read[3].text.upper() == "AS" and read[4].kind == "word":
        return _TYPES.get(read[4].text.lower(), read[4].text.lower())
    return None


_TYPES = {
    "timestamptz": _MOMENT,
    "timestamp": "timestamp without time zone",
    "bool": _BOOLEAN,
    "int": "integer",
    "int4": "integer",
    "int8": "bigint",
    "int2": "smallint",
    "varchar": "character varying",
    "decimal": "numeric",
    "float8": "double precision",
}


def _inserted(column: str, read: Sequence[Token]) -> list[Token]:
    """The value that ``INSERT INTO … (…) VALUES (…)`` gives the column."""
    words = [token.text.upper() for token in read]
    if words[:2] != ["INSERT", "INTO"] or "VALUES" not in words or "(" not in words:
        return []
    names = _items(read[words.index("(") : words.index("VALUES")])
    values = _items(read[words.index("VALUES") + 1 :])
    pairs = zip(names, values, strict=False)
    return next((value for name, value in pairs if name and statements.fold(name[-1].text) == column), [])


def _items(read: Sequence[Token]) -> list[list[Token]]:
    """What stands between the commas of the parentheses that *read* begins with."""
    depth, found = 0, [[]]  # type: tuple[int, list[list[Token]]]
    for token in read:
        depth += (token.text == "(") - (token.text == ")")
        if depth == 0:
            break
        if depth == 1 and token.text == ",":
            found.append([])
        elif not (depth == 1 and token.text == "("):
            found[-1].append(token)
    return found


def _written(read: Sequence[Token]) -> str:
    """The value as the statement has it, as far as it tells: a value of the application's is not repeated."""
    first = read[0] if read else None
    if first is None or first.kind == "string":
        return "a string"
    cast = [token.text for token in itertools.islice(read, 1, 3)] if len(read) > 2 and read[1].text == "::" else []
    call = "()" if len(read) > 1 and read[1].text == "(" and first.kind == "word" else ""
    return first.text + "".join(cast) + call


# ---- the schema


def _from_schema(column: str, table: str, live: Snapshot) -> Iterator[_Clue]:
    columns = [each for each in live.objects.values() if isinstance(each, Column)]
    same = [each for each in columns if each.name == column and each.table != table]
    yield from _majority(same, f"{column} of {{tables}} is {{type}}", 4)
    affix = _affix(column)
    if affix:
        alike = [each for each in columns if each.table == table and _affix(each.name) == affix]
        yield from _majority(alike, "{columns} of the same table is {type}", 3)
    if affix == "_id":
        yield from _referenced(column, live)


def _majority(columns: Sequence[Column], said: str, weight: int) -> Iterator[_Clue]:
    """One clue for each type that the columns have; the commonest weighs most."""
    for place, (type, _) in enumerate(Counter(each.type for each in columns).most_common(3)):
        having = [each for each in columns if each.type == type]
        tables, names = _some(each.table for each in having), _some(each.name for each in having)
        yield _Clue(
            said=said.format(tables=tables, columns=names, type=type), type=type, weight=max(1, weight - 2 * place)
        )


def _some(names: Iterator[str]) -> str:
    distinct = sorted(set(names))
    more = f" and {len(distinct) - 3} more" if len(distinct) > 3 else ""
    return ", ".join(distinct[:3]) + more


def _referenced(column: str, live: Snapshot) -> Iterator[_Clue]:
    """The key of the table that the name speaks of: ``user_id`` of ``user`` or ``users``."""
    stem = re.sub(r"_?id$", "", column, flags=re.IGNORECASE).lower()
    for table in live.tables():
        if table.name.lower() in (stem, stem + "s", stem + "es"):
            for each in live.columns(table.schema, table.name):
                if each.name == "id":
                    yield _Clue(said=f"the id of {table.name} is {each.type}", type=each.type, weight=4)


# ---- the name


def _affix(name: str) -> str:
    return next((affix for affix, pattern in _AFFIXES.items() if pattern.fullmatch(name)), "")


def _from_name(column: str) -> Iterator[_Clue]:
    said = f"the name {column} reads like one"
    match _affix(column):
        case "_at":
            yield _Clue(said=said, type=_MOMENT, weight=1, family=_MOMENTS)
        case "_date":
            yield _Clue(said=said, type="date", weight=1, family=_MOMENTS)
        case "is_":
            yield _Clue(said=said, type=_BOOLEAN, weight=1)
        case "_id":
            yield _Clue(said=said, type="bigint", weight=1, family=frozenset({"integer", "uuid", "text"}))
