"""Changes of a column's type: what keeps every value, and how the values are converted.

Types are written as format_type() prints them. Source: PostgreSQL manual, chapter 8 "Data Types", and pg_cast.
"""

from __future__ import annotations

import re

_SPELLED = re.compile(
    r"(?P<name>[^(\[]+?)(?:\((?P<size>\d+)(?:,(?P<scale>-?\d+))?\))?(?P<rest> with.*)?(?P<array>(?:\[\])*)$"
)
_INTEGERS = ("smallint", "integer", "bigint")
_TEXTS = ("character varying", "text")
_DECIMAL_DIGITS = {"smallint": 5, "integer": 10, "bigint": 19}

# Types between which PostgreSQL itself casts; between all others the way leads through text.
_FAMILIES = (
    {*_INTEGERS, "numeric", "real", "double precision"},
    {"timestamp without time zone", "timestamp with time zone", "date", "time without time zone"},
    {"json", "jsonb"},
    {"boolean", "integer"},
)


def keeps(old: str, new: str) -> bool:
    """Whether every value of *old* is the same in *new*."""
    before, after = _read(old), _read(new)
    if before is None or after is None or before[3] != after[3]:
        return False
    (name, size, scale, _), (wanted, wanted_size, wanted_scale, _) = before, after
    if wanted in _TEXTS and wanted_size is None:
        return name not in ("character",)  # its padding goes
    if name in _INTEGERS and wanted in _INTEGERS:
        return _INTEGERS.index(name) <= _INTEGERS.index(wanted)
    if name in _INTEGERS and wanted == "numeric":
        return wanted_size is None or wanted_size - (wanted_scale or 0) >= _DECIMAL_DIGITS[name]
    if (name, wanted) == ("real", "double precision"):
        return True
    if name != wanted:
        return False
    if wanted == "numeric":
        whole = (size or 0) - (scale or 0) <= (wanted_size or 0) - (wanted_scale or 0)
        return wanted_size is None or (size is not None and whole and (scale or 0) <= (wanted_scale or 0))
    return wanted_size is None or (size is not None and size <= wanted_size)


def is_relabelled(old: str, new: str) -> bool:
    """Whether a change of type leaves the rows as they are: ATColumnChangeRequiresRewrite() of PostgreSQL's source."""
    before, after = _read(old), _read(new)
    if before is None or after is None or before[3] != after[3] or before[3]:
        return old == new
    texts = before[0] in _TEXTS and after[0] in _TEXTS
    return (texts or (before[0] == after[0] == "numeric" and before[2] == after[2])) and keeps(old, new)


def cast(expression: str, old: str, new: str) -> str:
    """The expression that converts a value of *old* to *new*."""
    before, after = _read(old), _read(new)
    if before and after and before[3] != after[3] and old not in _TEXTS and new not in _TEXTS:
        # One value becomes an array of one; of an array, the first stays.
        element = new.removesuffix("[]")
        return f"ARRAY[{cast(expression, old, element)}]" if after[3] else cast(f"({expression})[1]", old[:-2], new)
    direct = (
        before
        and after
        and (
            before[0] == after[0]
            or before[0] in (*_TEXTS, "character")
            or after[0] in (*_TEXTS, "character")
            or any({before[0], after[0]} <= family for family in _FAMILIES)
        )
    )
    return f"{expression}::{new}" if direct else f"{expression}::text::{new}"


def storage(spelled: str) -> str:
    """How values of a type, which is of variable length, are stored where nothing is stated (pg_type.typstorage)."""
    read = _read(spelled)
    return "MAIN" if read and not read[3] and read[0] in ("numeric", "inet", "cidr") else "EXTENDED"


def _read(spelled: str) -> tuple[str, int | None, int | None, str] | None:
    """(name, size, scale, array brackets) of a type."""
    found = _SPELLED.fullmatch(spelled)
    if not found:
        return None
    size, scale = (int(found[each]) if found[each] else None for each in ("size", "scale"))
    return found["name"] + (found["rest"] or ""), size, scale, found["array"]
