"""Names that are nearly the same: another case, another convention, a plural, a slip of the finger."""

from __future__ import annotations

import re
from collections.abc import Iterable

LENGTHS = 2  # characters by which two near names can differ in length, underscores aside

_APART = re.compile(r"[\s_-]+")
_DIGITS = re.compile(r"[0-9]+")
_SHORTEST = 4  # characters: among shorter names one letter more or less is no evidence
_LONG = 10  # characters: from here on two slips are still a near name


def is_other_case(wanted: str, name: str) -> bool:
    """Whether the two differ, and only in the case of their letters."""
    return wanted != name and wanted.lower() == name.lower()


def near(wanted: str, names: Iterable[str]) -> list[str]:
    """Those of *names* that are near *wanted*, nearest first; neither the same name nor one of another case.

    Near is what differs by underscores and case (``deletedAt``, ``deleted_at``) or by an English plural, and what is
    one slip away: a letter more, less, other, or two exchanged; two slips from ten characters on. Names that differ in
    their numbers are different things: ``address1``, ``address2``.
    """
    found = [(rank, name) for name in set(names) if (rank := _rank(wanted, name)) is not None]
    return [name for _, name in sorted(found)]


def plain(name: str) -> str:
    """The name without case and underscores."""
    return _APART.sub("", name.lower())


def singular(name: str) -> str:
    """A plain name without the ending of an English plural."""
    for ending, instead in (("ies", "y"), ("sses", "ss"), ("shes", "sh"), ("ches", "ch"), ("xes", "x")):
        if name.endswith(ending) and len(name) > len(ending) + 1:
            return name.removesuffix(ending) + instead
    return name[:-1] if name.endswith("s") and not name.endswith("ss") and len(name) > 2 else name


def tables(model: str) -> set[str]:
    """The names that the table of an ORM's model may have: ``UserSession``, ``user_sessions`` …"""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", model).lower()
    single = {model, model.lower(), words}
    return single | {each + "s" for each in single} | {each + "es" for each in single} | {_ies(each) for each in single}


def _ies(name: str) -> str:
    return name[:-1] + "ies" if name.endswith("y") else name


def _rank(wanted: str, name: str) -> int | None:
    if wanted.lower() == name.lower():
        return None
    ours, theirs = plain(wanted), plain(name)
    if ours == theirs:
        return 0
    if singular(ours) == singular(theirs):
        return 1
    shorter, longer = sorted((len(ours), len(theirs)))
    most = 0 if shorter < _SHORTEST else 1 if longer < _LONG else 2
    if longer - shorter > most or _DIGITS.findall(ours) != _DIGITS.findall(theirs):
        return None
    apart = _slips(ours, theirs, most)
    return 1 + apart if apart <= most else None


def _slips(one: str, other: str, most: int) -> int:
    """The number of single-letter slips between two words (optimal string alignment); most + 1 for more than *most*."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        before, above, row = row, before, [i]
        for j, theirs in enumerate(other, 1):
            cost = min(before[j] + 1, row[-1] + 1, before[j - 1] + (letter != theirs))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == theirs:
                cost = min(cost, above[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return row[-1]
