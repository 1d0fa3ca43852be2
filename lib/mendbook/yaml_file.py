"""A YAML file that people write: its values, the line of each, and what is wrong with it, said with file and line."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import ValidationError

from mendbook.errors import Usage

Place = tuple[str | int, ...]  # keys and indexes from the top of the file

_SAID = {
    "missing": "this field is missing; add it",
    "model_type": "fields are wanted here, as in name: value",
    "string_type": "text is wanted here; put it in quotes if it looks like a number, a date or a truth value",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class YamlFile:
    """What a file holds."""

    path: Path
    data: object
    lines: dict[Place, int]  # 1-based line of every value
    scalars: list[tuple[Place, str]]  # every value that is no mapping and no list; an alias is not followed twice
    repeated: list[Place]  # keys that stand twice in one mapping, where YAML silently takes the last

    def problem(self, place: Place, message: str) -> str:
        """Return *message* with the file, the line of *place* or of the nearest place around it, and the field."""
        line = next(self.lines[place[:end]] for end in range(len(place), -1, -1) if place[:end] in self.lines)
        return f"{self.path}:{line}: {'.'.join(map(str, place)) or 'the file'}: {message}"

    def explain(self, error: ValidationError, fields: Collection[str]) -> Iterator[str]:
        """Say each error of pydantic as a problem; *fields* are the names that a misspelt one may stand for."""
        for each in error.errors(include_url=False):
            *above, last = each["loc"] or ("",)
            place: Place = ()
            for part in above:
                # Pydantic puts the tag of a union's member into the place; the file has no such level.
                place = (*place, part) if (*place, part) in self.lines else place
            message = _SAID.get(each["type"], each["msg"].removeprefix("Value error, "))
            if each["type"] == "extra_forbidden":
                close = difflib.get_close_matches(str(last), fields, n=1)
                message = f"there is no such field; {f'did you mean {close[0]}?' if close else 'take it out'}"
            yield self.problem((*place, last) if last != "" else place, message)


def read(path: Path) -> YamlFile:
    """Read a file; raises `Usage` with file and line where it is no YAML."""
    try:
        source = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Usage(f"{path}: it cannot be read ({error}). Make it a UTF-8 text file.") from None
    try:
        found = YamlFile(path=path, data=yaml.safe_load(source), lines={(): 1}, scalars=[], repeated=[])
        node = yaml.compose(source, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise Usage(f"{path}{where}: this is not YAML: {getattr(error, 'problem', error)}.") from None
    if node is not None:
        _walk(node, (), found, set())
    return found


def _walk(node: yaml.Node, place: Place, found: YamlFile, seen: set[int]) -> None:
    found.lines.setdefault(place, node.start_mark.line + 1)
    if id(node) in seen:  # an alias; following each would never end in one that refers to itself
        return
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = (*place, str(key.value))
            if inner in found.lines:
                found.repeated.append(inner)
            found.lines[inner] = key.start_mark.line + 1
            _walk(value, inner, found, seen)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _walk(value, (*place, index), found, seen)
    else:
        found.scalars.append((place, str(node.value)))
