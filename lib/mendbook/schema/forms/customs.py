"""What extends SQL itself: made anew where no part of it can be changed alone, as a cast or an operator."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from mendbook.schema import creation, definition
from mendbook.schema.drift import Difference
from mendbook.schema.forms.context import Context, comments, step, whole
from mendbook.schema.objects import Custom, Object
from mendbook.schema.step import Step


def create(new: Object, context: Context) -> list[Step]:
    """Create it."""
    return [step(new, "Create", creation.create(new), definition.drop(new))]


def drop(old: Object, context: Context) -> list[Step]:
    """Drop it."""
    return [step(old, "Drop", definition.drop(old), whole(old, context.live))]


def recreates(item: Difference, context: Context) -> bool:
    """Whether it can only be dropped and made again."""
    live, new = _both(item)
    return live.definition != new.definition and new.kind not in _REPLACED


def change(item: Difference, context: Context) -> list[Step]:
    """Change its parts in place."""
    live, new = _both(item)
    forward, undo = list(_statements(live, new)), list(_statements(new, live))
    return [*([step(new, "Change", forward, undo)] if forward else []), *comments(item, context)]


def _both(item: Difference) -> tuple[Custom, Custom]:
    live, new = item.both
    assert isinstance(live, Custom)  # noqa: S101  by key
    assert isinstance(new, Custom)  # noqa: S101  by key
    return live, new


# What replaces the word CREATE where the definition itself can be changed in place.
_REPLACED = {"language": "CREATE OR REPLACE", "foreign-data wrapper": "ALTER"}


def _statements(old: Custom, new: Custom) -> Iterator[str]:
    if old.definition != new.definition:
        yield new.definition.replace("CREATE", _REPLACED[new.kind], 1)
    if old.parts != new.parts:
        head = f"ALTER {definition.word(new)} {new.identity} "
        yield from (head + each for each in _PARTS[new.kind](old, new))


def _members(old: Custom, new: Custom) -> Iterator[str]:
    yield from (f"DROP {name}" for name, value in old.parts if [name, value] not in new.parts)
    yield from (f"ADD {value}" for name, value in new.parts if [name, value] not in old.parts)


def _tokens(old: Custom, new: Custom) -> Iterator[str]:
    had, wanted = ({part[0]: part[1] for part in each.parts} for each in (old, new))
    yield from (f"DROP MAPPING FOR {token}" for token in had if token not in wanted)
    for token, dictionaries in wanted.items():
        if had.get(token) != dictionaries:
            yield f"{'ALTER' if token in had else 'ADD'} MAPPING FOR {token} WITH {dictionaries}"


def _settings(old: Custom, new: Custom) -> Iterator[str]:
    """An option without a value is taken away."""
    kept = {name for name, _ in new.parts}
    said = [name for name, _ in old.parts if name not in kept]
    said += [f"{name} = {value}" for name, value in new.parts if [name, value] not in old.parts]
    yield f"({', '.join(said)})"


def _options(old: Custom, new: Custom) -> Iterator[str]:
    yield creation.change_options(old.parts, new.parts)


_PARTS: Mapping[str, Callable[[Custom, Custom], Iterator[str]]] = {
    "operator family": _members,
    "text search configuration": _tokens,
    "text search dictionary": _settings,
    "foreign-data wrapper": _options,
}
