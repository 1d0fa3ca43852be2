"""Where in the application an error came from: the innermost stack frame that is not a library's.

Frames are told by the way each language prints them; library code by its path (``node_modules``, ``site-packages``,
``vendor`` …) or, where frames carry no path, by the names that the frameworks list.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from mendbook import frameworks

_EDGE = r"(?<![^\s:()'\"`,|*?<>=\[\]{}])"  # a path begins here: one search for each run of characters
_PATH = _EDGE + r"(?:file://)?(?:[A-Za-z]:)?[^\s:()'\"`,|*?<>=\[\]{}]"
_SPACED = r"(?:file://)?(?:[A-Za-z]:)?[^\n:()'\"`,|*?<>\[\]{}]"

# How each prints a frame: the groups are path and line, and "name" where a frame says what was called.
_FORMS: Mapping[str, str] = {
    "python": r'File "(?P<path>[^"\n]+)", line (?P<line>\d+)',
    "node": rf"\bat (?:async )?(?:[^\n(]{{0,200}}\()?(?P<path>{_SPACED}{{1,300}}\.\w{{1,6}}):(?P<line>\d+):\d+\)?",
    "prisma": rf"invocation in\s+(?P<path>{_SPACED}{{1,300}}):(?P<line>\d+):\d+",
    "jvm": r"\bat (?P<name>[\w.$/@<>]{1,300})\((?P<path>[\w$-]{1,100}\.\w{2,6}):(?P<line>\d+)\)",
    "dotnet": rf"\bat (?P<name>[^\n]{{1,300}}?) in (?P<path>{_SPACED}{{1,300}}):line (?P<line>\d+)",
    "elixir": r"\((?P<name>[a-z]\w*) [\d][\w.+-]*\) (?P<path>[\w/.-]{1,300}\.exs?):(?P<line>\d+): ",
    "ruby": rf"(?P<path>{_PATH}{{1,300}}\.(?:rb|rake|ru)):(?P<line>\d+)(?::in | - )",
    "php": rf"(?:#\d+ |\bin | at |^ +\d+ +)(?P<path>{_PATH}{{1,300}}\.php)(?:\(|:| on line )(?P<line>\d+)",
    "go": rf"(?P<path>{_PATH}{{1,300}}\.go):(?P<line>\d+)\b",
    "rust": rf"(?P<path>{_PATH}{{1,300}}\.rs):(?P<line>\d+):\d+",
    "perl": rf"\bat (?P<path>{_PATH}{{1,300}}\.(?:pl|pm|t|psgi|cgi)) line (?P<line>\d+)",
    "psql": rf"^psql:(?P<path>{_SPACED}{{1,300}}):(?P<line>\d+): ",
    "r": r"\((?:from )?(?P<path>[\w./-]{1,200}\.R)#(?P<line>\d+)\)",
    "log": r'"file": ?"(?P<path>[^"\n]{1,300}\.(?:go|py|rb|[jt]s|java|kt|cs|php|rs|exs?))", ?"line": ?"?(?P<line>\d+)',
    "flyway": rf"^Location\s*: (?P<path>{_PATH}{{1,300}})[^\n]*\n^Line\s*: (?P<line>\d+)",
}
_TRACEBACK = re.compile(r"Traceback \(most recent call last\)")

_LIBRARY = re.compile(
    r"node_modules/|^node:|^internal/|^native$|\(native\)|^evalmachine|^<|^bun:|^deno:|^ext:|/deps/npm/"
    r"|site-packages/|dist-packages/|/lib/python\d|^frozen |\.egg/|\.pyx$|/Python\.framework/|\\Lib\\|^<frozen"
    r"|/gems/|/ruby/\d|^<internal:|/rubygems/|/bin/(?:rails|rake|bundle)$"
    r"|/vendor/|^vendor/|phar://"
    r"|/go/pkg/mod/|/usr/local/go/|/go/src/(?:runtime|database|net)/|^(?:runtime|database/sql|net)/"
    r"|/rustc/|\.cargo/|/registry/src/|/library/(?:std|core|alloc)/|^library/(?:std|core|alloc)/|schema-engine/|query-engine/"
    r"|^/_/|^/home/runner/|/perl5?/|/usr/(?:share|lib)/"
)
_LIBRARY_NAMES = (
    *("java.", "javax.", "jakarta.", "jdk.", "sun.", "com.sun.", "kotlin.", "kotlinx.", "scala.", "groovy."),
    *("org.apache.", "org.junit.", "org.gradle.", "reactor.", "io.netty.", "io.micrometer.", "org.eclipse."),
    *("org.slf4j.", "ch.qos.", "com.fasterxml.", "org.jboss.", "io.undertow.", "io.quarkus.", "io.micronaut."),
    *("System.", "Microsoft.", "lambda_method", "elixir", "stdlib", "kernel", "phoenix", "plug", "telemetry"),
    *("ex_unit", "mix", "iex", "bandit", "cowboy", "oban", "thousand_island"),
)
_DEPENDENCIES = re.compile(r"^(/[^\n]*?|[A-Za-z]:[^\n]*?)[/\\](?:node_modules|\.?venv|env|vendor|\.bundle)[/\\]")
_ROOTS = re.compile(
    r"^(?:/usr/src/app/|/usr/src/[\w.-]+/|/app/|/code/|/workspace/|/workspaces/[\w.-]+/|/var/task/|/var/www/html/"
    r"|/var/www/[\w.-]+/(?:current/|releases/\w+/)?|/srv/(?:www/)?[\w.-]+/(?:current/|releases/\w+/)?"
    r"|/opt/[\w.-]+/(?:current/|releases/\w+/)?|/build/|/go/src/(?:[\w.-]+/){3}|/src/"
    r"|(?:/home|/Users)/[\w.-]+/(?:(?:projects?|code|src|work|dev|repos?|git)/)?[\w.-]+/(?:current/)?"
    r"|[A-Za-z]:[/\\](?:[\w .-]+[/\\]){1,2})(?=[^/\\])"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame:
    """One place in source code that a text names."""

    form: str  # whose way of printing it is
    path: str  # as the text has it
    line: int
    start: int  # offset in the text
    end: int
    library: bool


def frames(text: str) -> Iterator[Frame]:
    """Every stack frame in *text*, form by form."""
    for form in _FORMS:
        for match in _pattern(form).finditer(text):
            path, name = match["path"].strip(), match.groupdict().get("name") or ""
            yield Frame(
                form=form,
                path=path.removeprefix("file://"),
                line=int(match["line"][:9]),
                start=match.start("path"),
                end=match.end("line"),
                library=bool(_LIBRARY.search(path.replace("\\", "/"))) or _is_library(name),
            )


def innermost(text: str, start: int, end: int) -> Frame | None:
    """The application's frame nearest to where the error was raised, for a message at *start* to *end* of *text*."""
    own = sorted((frame for frame in frames(text) if not frame.library), key=lambda frame: frame.start)
    python = [frame for frame in own if frame.form == "python"]
    return _of_traceback(text, python, start) if python else _of_stack(text, own, start, end)


def _of_traceback(text: str, own: Sequence[Frame], start: int) -> Frame:
    """Python prints frames above the message, the innermost last, and the traceback of a cause before the others.

    So the traceback that ends with the message is asked first, then those that follow it.
    """
    heads = [match.start() for match in _TRACEBACK.finditer(text)]
    edges = [max((head for head in heads if head <= start), default=start), *(head for head in heads if head > start)]
    for edge, after in zip(edges, [*edges[1:], len(text)], strict=True):
        inside = [frame for frame in own if edge <= frame.start < after]
        if inside:
            return inside[-1]
    return own[-1]


def _of_stack(text: str, own: Sequence[Frame], start: int, end: int) -> Frame | None:
    """Others print the innermost first: below the message, or in the same line."""
    first, last = text.rfind("\n", 0, start) + 1, text.find("\n", end)
    same = [frame for frame in own if first <= frame.start <= (last if last >= 0 else len(text))]
    after = [frame for frame in own if frame.start >= start]
    return next(iter(same or after or own), None)


def relative(path: str, found: Sequence[Frame]) -> str:
    """*path* as it stands in the application's own tree, as far as the text lets one know the tree's root."""
    path = path.removeprefix("./")
    for frame in found:
        dependencies = _DEPENDENCIES.match(frame.path)
        if dependencies and path.startswith((dependencies[1] + "/", dependencies[1] + "\\")):
            return path[len(dependencies[1]) + 1 :]
    return _ROOTS.sub("", path, count=1)


@functools.cache
def _pattern(form: str) -> re.Pattern[str]:
    return re.compile(_FORMS[form], re.MULTILINE)


@functools.cache
def _names() -> tuple[str, ...]:
    return (*_LIBRARY_NAMES, *(name for framework in frameworks.listing().values() for name in framework.frames))


def _is_library(name: str) -> bool:
    return name.rpartition("/")[2].startswith(_names()) if name else False
