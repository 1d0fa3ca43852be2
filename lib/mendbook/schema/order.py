"""The order of the work of a repair: nothing is made before what it needs, nothing dropped before what needs it."""

from __future__ import annotations

import heapq
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set

from mendbook.schema import edges
from mendbook.schema.claims import Side
from mendbook.schema.key import Key
from mendbook.schema.snapshot import Snapshot
from mendbook.schema.work import SLOW, Work

# In this order where nothing else decides.
KINDS = (
    *("schema", "extension", "access method", "language", "foreign-data wrapper", "server", "collation", "type"),
    *("sequence", "table", "column", "constraint", "index", "statistics", "view", "function", "operator"),
    *("operator family", "operator class", "cast", "conversion", "transform", "text search parser"),
    *("text search template", "text search dictionary", "text search configuration"),
    *("rule", "trigger", "policy", "event trigger", "publication"),
    *("grant", "default privilege", "setting"),
)
_EARLY = ("schema", "extension", "collation", "server", "type", "sequence", "table", "column")
_EARLIEST, _LATE = 1, 5


def arrange(work: list[Work], live: Snapshot, desired: Snapshot, again: Set[Key]) -> Iterator[Work]:
    """*work*, in order; *again* is what is dropped and made again."""
    followers, waiting = _graph(work, Side(live), Side(desired))
    places = _places(work, followers, waiting, again)
    ready = [(places[each], each) for each in work if not waiting[each]]
    heapq.heapify(ready)
    left = dict.fromkeys(work)
    while left:
        # A circle has no right order: the lowest rank goes first.
        each = heapq.heappop(ready)[1] if ready else min(left, key=places.__getitem__)
        if each not in left:
            continue
        del left[each]
        yield each
        for other in followers[each]:
            waiting[other] -= 1
            if not waiting[other] and other in left:
                heapq.heappush(ready, (places[other], other))


def _graph(work: list[Work], live: Side, desired: Side) -> tuple[Mapping[Work, list[Work]], dict[Work, int]]:
    """What comes after each piece of work, and after how many each comes."""
    after = edges.gather(work, live, desired)
    followers: dict[Work, list[Work]] = defaultdict(list)
    for each, before in after.items():
        for other in before:
            followers[other].append(each)
    _mentions(work, after, followers)
    return followers, {each: len(before) for each, before in after.items()}


def _places(
    work: list[Work], followers: Mapping[Work, list[Work]], waiting: Mapping[Work, int], again: Set[Key]
) -> dict[Work, tuple[int, int, int]]:
    """Where each would come if nothing was in the way; what others wait for comes as early as they do."""
    ranks = {each: _rank(each, again) for each in work}
    later: dict[Work, int] = defaultdict(int)
    counts, ordered = dict(waiting), [each for each in work if not waiting[each]]
    for each in ordered:
        for other in followers.get(each, ()):
            counts[other] -= 1
            if not counts[other]:
                ordered.append(other)
    phases: dict[Work, int] = {}
    for each in ordered:
        phases[each] = ranks[each][0]
        if each.is_slow and phases[each] == _EARLIEST and later[each] > _EARLIEST:
            phases[each] = _LATE  # it has to wait for what goes and comes back: then until that is back
        for other in followers.get(each, ()):
            later[other] = max(later[other], phases[each])
    phases |= {each: ranks[each][0] for each in work if each not in phases}
    for each in reversed(ordered):
        phases[each] = min([phases[each], *(phases[other] for other in followers.get(each, ()))])
        if each.is_slow and phases[each] < _LATE and later[each] <= _EARLIEST:
            phases[each] = _EARLIEST  # what others wait for while something is away is done before that
    return {each: (phases[each], ranks[each][1], number) for number, each in enumerate(work)}


def _rank(work: Work, again: Set[Key]) -> tuple[int, int]:
    """What is only added comes first, then what goes and comes back, with nothing slow between, then what goes."""
    place = KINDS.index(work.key.kind) if work.key.kind in KINDS else len(KINDS)
    if work.verb == "prepare":
        return _EARLIEST, place
    if work.key in again and work.verb != "settle" and not (work.verb == "create" and work.key.kind in SLOW):
        return (2, -place) if work.verb == "drop" else (4, place)
    if work.disturbs:
        return 3, place
    if work.verb == "drop":
        return 6, -place
    early = work.key.kind in _EARLY and work.verb == "create"
    return (_EARLIEST if early or (work.key.kind == "type" and work.verb == "change") else _LATE), place


def _mentions(work: Iterable[Work], after: dict[Work, set[Work]], followers: dict[Work, list[Work]]) -> None:
    """A function whose body names what is made comes after it, and goes before it, where nothing speaks against that.

    PostgreSQL does not know what the text of a body needs, and yet looks at it when the function is made.
    """
    named: dict[bool, dict[str, list[Work]]] = {True: defaultdict(list), False: defaultdict(list)}
    functions = []
    for each in work:
        if each.verb in ("create", "change", "drop") and each.key.kind in ("table", "view", "function", "column"):
            name = each.key.part if each.key.kind == "column" else each.key.name
            named[each.verb == "drop"][name].append(each)
            if each.key.kind == "function":
                functions.append(each)
    for each in functions:
        told = (step.undo if each.verb == "drop" else step.forward for step in each.steps)
        words = {word for lines in told for line in lines for word in _WORD.findall(line)}
        those = named[each.verb == "drop"]
        for other in dict.fromkeys(one for word in sorted(words & those.keys()) for one in those[word]):
            first, then = (each, other) if each.verb == "drop" else (other, each)
            if first is not then and first not in after[then] and not _leads(then, first, followers):
                after[then].add(first)
                followers[first].append(then)


_WORD = re.compile(r"\w+")


def _leads(first: Work, then: Work, followers: Mapping[Work, list[Work]]) -> bool:
    """Whether *then* has to wait for *first*."""
    seen: set[Work] = set()
    todo = [first]
    while todo:
        each = todo.pop()
        if each is then:
            return True
        if each not in seen:
            seen.add(each)
            todo += followers.get(each, ())
    return False
