"""A folder of migrations: which files hold them, what their tool calls them, and in which order it runs them."""

from __future__ import annotations

import ast
import contextlib
import graphlib
import hashlib
import re
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mendbook.errors import Usage


@dataclass(frozen=True, kw_only=True, slots=True)
class Migration:
    """One migration of a folder."""

    name: str  # as the ledger records it
    title: str  # as people know it
    path: Path  # the file
    text: str  # the SQL that it runs, on the lines of its file; of a program, its source
    program: bool = False  # it is no SQL, and only its own tool can run it
    follows: tuple[str, ...] = ()  # the names of those that it says have to run before it


@dataclass(frozen=True, kw_only=True, slots=True)
class Named:
    """What a file says of a migration."""

    name: str  # as the ledger records it
    file: str = ""  # where a list names it: its own file, in the folder
    text: str | None = None  # where the file holds several: its part, on its own lines
    follows: tuple[str, ...] = ()


def _by_name(match: re.Match[str], _text: str) -> Iterable[Named]:
    yield Named(name=match["name"])


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """How a tool keeps its migrations in a folder."""

    file: str  # regular expression of the path, in the folder, of a file that holds or lists migrations
    above: int = 0  # how many of the folder's own parents belong to that path
    mark: str = ""  # regular expression of what such files say in no other tool's folder; empty: nothing tells them
    names: Callable[[re.Match[str], str], Iterable[Named]] = _by_name  # (match of the path, text) -> what is in it
    order: Callable[[str], Any] | None = str  # sorts the names as the tool runs them; None: they come as they run
    repeated: str = ""  # regular expression of the names of those that run again whenever they change, after all others
    up: str = ""  # regular expression of the lines after which a file runs forward, where it also goes back …
    down: str = ""  # … and of the lines after which it does

    def recognises(self, folder: Path) -> bool:
        """Whether *folder* holds migrations of this tool, as far as it can be told from another's."""
        return any(re.search(self.mark, read(path), re.MULTILINE | re.IGNORECASE) for path in self._files(folder))

    def read(self, folder: Path) -> list[Migration]:
        """The migrations of *folder* in the order in which the tool runs them; raises `Usage`."""
        found = [each for path in self._files(folder) for each in self.parse(folder, path, read(path))]
        if self.order:
            order = self.order
            found.sort(key=lambda each: order(each.name))
        return _sorted(found)

    def parse(self, folder: Path, path: Path, text: str) -> list[Migration]:
        """What a file at *path* with this text holds or lists."""
        match = self._match(folder, path)
        return [self._migration(folder, path, text, named) for named in self.names(match, text)] if match else []

    def _files(self, folder: Path) -> list[Path]:
        return [path for path in sorted(folder.rglob("*")) if self._match(folder, path)]

    def _match(self, folder: Path, path: Path) -> re.Match[str] | None:
        parents = folder.resolve().parts
        inside = path.relative_to(folder).parts
        return re.fullmatch(self.file, "/".join((*parents[len(parents) - self.above :], *inside)))

    def _migration(self, folder: Path, path: Path, text: str, named: Named) -> Migration:
        own = folder / named.file if named.file else path
        program = own.suffix != ".sql"
        content = read(own) if named.file else text if named.text is None else named.text
        title = own.relative_to(folder).as_posix().removesuffix("/migration.sql").removesuffix("/up.sql")
        return Migration(
            name=named.name,
            title=title if named.text is None else named.name,
            path=own,
            text=content if program else self._forward(content),
            program=program,
            follows=named.follows,
        )

    def _forward(self, text: str) -> str:
        """What of a file runs forward, on its own lines; all of it where no line tells."""
        lines = text.removeprefix("\ufeff").split("\n")
        if not self.up or not any(re.match(self.up, line, re.IGNORECASE) for line in lines):
            return text
        forward = False
        for at, line in enumerate(lines):
            begins = re.match(self.up, line, re.IGNORECASE)
            forward = bool(begins) or (forward and not re.match(self.down, line, re.IGNORECASE))
            lines[at] = line if forward and not begins else ""
        return "\n".join(lines)


def _sorted(found: list[Migration]) -> list[Migration]:
    """Each after those that it follows."""
    known = {each.name: each for each in found}
    graph = {each.name: [name for name in each.follows if name in known] for each in found}
    if not any(graph.values()):
        return found
    try:
        return [known[name] for name in graphlib.TopologicalSorter(graph).static_order()]
    except graphlib.CycleError as error:
        raise Usage(
            f"These migrations follow one another in a circle: {' → '.join(error.args[1])}; nothing was started. Let "
            f"one of them follow what really came before it."
        ) from None


def read(path: Path) -> str:
    """The text of a file, each byte as it is, since checksums are over them; raises `Usage`."""
    try:
        return path.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        raise Usage(f"{path} cannot be read as text ({error}); nothing was started.") from None


def by_number(name: str) -> tuple[int, str]:
    """Sort names by the number that they begin with."""
    digits = re.match(r"\d*", name)
    return int(digits[0] or 0) if digits else 0, name


def digest(algorithm: str) -> Callable[[Migration], str]:
    """The checksum over the bytes of a file, in hexadecimal digits."""
    return lambda migration: hashlib.new(algorithm, migration.text.encode(), usedforsecurity=False).hexdigest()


def assigned(text: str) -> dict[str, Any]:
    """The names that Python source gives literal values, in the module or in a class; nothing of it is run.

    Of a list, those items that are literal.
    """
    try:
        with warnings.catch_warnings(action="ignore"):  # what Python thinks of the source is not ours to say
            tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return {}
    found: dict[str, Any] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            values = [*_literals(node.value)]
            names = [target.id for target in targets if isinstance(target, ast.Name)]
            found = {name: value for name in names for value in values} | found
    return found


def _literals(node: ast.expr) -> Iterator[Any]:
    """The value of an expression, if it has one that can be read off."""
    if isinstance(node, ast.List):
        yield [value for item in node.elts for value in _literals(item)]
        return
    with contextlib.suppress(ValueError, TypeError):
        yield ast.literal_eval(node)
