"""What a text was wrapped in: `View`s of it with the wrapping taken off.

People paste terminal colours, Windows line ends, log prefixes of containers, JSON lines, reprs and CSV. Each view is
text that the readers understand as it is, and knows which character of the pasted text each of its own came from.
"""

from __future__ import annotations

import bisect
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

_DEPTH = 3  # JSON in a log line of JSON in a repr
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])|\r(?=\n)")
_HARD_SPACES = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2007": " "})
_PREFIXES = (
    re.compile(r"[\w.-]+[ \t]+\| "),  # docker compose
    re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d) (?:stdout|stderr) [FP] "),  # containerd
    re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d) [\w-]+\[[\w.-]+\]: ?"),  # heroku
    re.compile(r"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \S+ [\w./-]+\[\d+\]: "),  # syslog, journald
    re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d) "),  # docker --timestamps, kubernetes
)
_ESCAPE = re.compile(r"\\(?:(u[0-9a-fA-F]{4})|(.))")
_ESCAPED = {"n": "\n", "t": "\t", "r": " ", "b": " ", "f": " "}
_LINE = re.compile(r"[^\n]+\n?")
_CSV_RECORD = re.compile(
    r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[^,\n]*,(?=(?:\"[^\"\n]*\")?,(?:\"[^\"\n]*\")?,\d+,)", re.MULTILINE
)
_CSV_FIELD = re.compile(r'"([^"]*(?:""[^"]*)*)"|([^",\n]*)')
_CSV_LABELS = {14: "DETAIL", 15: "HINT", 16: "QUERY", 18: "CONTEXT", 19: "STATEMENT", 21: "LOCATION"}
_CSV_FIELDS = 22  # of at least 23 (PostgreSQL 9.0), those that say something about an error
_TIME = r"\d{4}[-/]\d\d[-/]\d\d[ T]\d\d:\d\d"
_RECORD = re.compile(rf"^(?=\[?{_TIME}|< ?{_TIME}|\{{\"|[A-Z][a-z]{{2}} [ \d]\d \d\d:\d\d:\d\d )", re.MULTILINE)
_LABELLED = re.compile(r"[^\n]{0,300}?[^\W\d_] ?:  \S")  # as "STATEMENT:  ", in any language
_NARROWEST = 40  # columns of a terminal that wraps
_PASTED = 50_000  # characters; what is longer comes from a file, which nobody wrapped


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """A text made from the pasted one, piece by piece."""

    text: str
    starts: tuple[int, ...]  # where in the text each piece begins
    sources: tuple[int, ...]  # where in the pasted text that piece comes from

    def source(self, position: int) -> int:
        """Return the offset in the pasted text of the character at *position*."""
        piece = max(bisect.bisect_right(self.starts, position) - 1, 0)
        return self.sources[piece] + position - self.starts[piece] if self.starts else position

    def part(self, start: int, end: int) -> View:
        """Return what comes from *start* to *end* of the pasted text."""
        first, last = self.position(start), self.position(end)
        inside = range(bisect.bisect_right(self.starts, first), bisect.bisect_left(self.starts, last))
        return View(
            text=self.text[first:last],
            starts=(0, *(self.starts[piece] - first for piece in inside)),
            sources=(self.source(first), *(self.sources[piece] for piece in inside)),
        )

    def position(self, source: int) -> int:
        """Return the first position that comes from *source* or what follows it."""
        piece = bisect.bisect_right(self.sources, source) - 1
        if piece < 0:
            return 0
        length = (self.starts[piece + 1] if piece + 1 < len(self.starts) else len(self.text)) - self.starts[piece]
        return self.starts[piece] + min(source - self.sources[piece], length)


Piece = tuple[str, int]  # text, and the offset it comes from


def views(text: str) -> list[View]:
    """Return the views of *text*, the least changed first."""
    plain = _plain(text)
    logged = _view(_from_csv(plain))
    found = [logged] if logged.text else [plain]
    inner = found[0]
    for _ in range(_DEPTH):
        inner = _view(_unescaped(inner))
        if not inner.text:
            break
        found.append(inner)
    return found


def unwrapped(view: View) -> list[View]:
    """Return *view* with the line breaks taken out that a terminal or an editor of some width put in.

    A line of the full width was broken anywhere, or at a blank that is gone: there is a view for each.
    """
    width = max(map(len, view.text.split("\n")))
    wrapped = _NARROWEST <= width < len(view.text) <= _PASTED
    return [_joined(view, width, joint) for joint in ("", " ")] if wrapped else []


def _joined(view: View, width: int, joint: str) -> View:
    pieces: list[Piece] = []
    position = 0
    lines = view.text.split("\n")
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        pieces.append((line, view.source(position)))
        position += len(line) + 1
        ended = "\n" if following[:1].isspace() else " "
        pieces.append((ended if len(line) < width else joint, view.source(position - 1)))
    return _view(pieces)


def record(text: str, start: int, end: int, within: range) -> tuple[int, int]:
    """Return the part of *within* that is told in the same records of a log as what stands from *start* to *end*.

    A record begins with a time or with a brace; one of the server's log goes on in records with labels.
    """
    begins = [match.end() for match in _RECORD.finditer(text, within.start, within.stop)]
    first = max((place for place in begins if place <= start), default=within.start)
    further = [place for place in begins if place > end]
    last = next((place for place in further if not _LABELLED.match(text, place)), within.stop)
    return first, max(last, end)


def _plain(text: str) -> View:
    """Without colours, carriage returns and hard spaces, and without what a log collector put before each line."""
    cuts = [match.span() for match in _ANSI.finditer(text)]
    cuts += _prefix_cuts(text)
    text = text.translate(_HARD_SPACES)
    pieces: list[Piece] = []
    position = 0
    for start, end in sorted(cuts):
        if start > position:
            pieces.append((text[position:start], position))
        position = max(position, end)
    pieces.append((text[position:], position))
    return _view(pieces)


def _prefix_cuts(text: str) -> list[tuple[int, int]]:
    """The prefixes, if nearly every line has one of the same make."""
    lines = [(match.start(), match.end()) for match in re.finditer(r"[^\n]+", text)]
    for prefix in _PREFIXES if len(lines) > 1 else ():
        sample = lines[:: max(1, len(lines) // 50)]
        if sum(bool(prefix.match(text, *line)) for line in sample) * 10 >= len(sample) * 9:
            return [match.span() for line in lines if (match := prefix.match(text, *line))]
    return []


def _unescaped(view: View) -> Iterator[Piece]:
    """The lines that hold escapes, with one layer of them taken off."""
    for line in _LINE.finditer(view.text) if "\\" in view.text else ():
        position = line.start()
        if "\\" not in line[0]:
            continue
        for escape in _ESCAPE.finditer(view.text, line.start(), line.end()):
            yield view.text[position : escape.start()], view.source(position)
            yield _meant(escape), view.source(escape.start())
            position = escape.end()
        yield view.text[position : line.end()], view.source(position)


def _meant(escape: re.Match[str]) -> str:
    if escape[1]:
        character = chr(int(escape[1][1:], 16))
        return " " if "\ud800" <= character <= "\udfff" else character
    return _ESCAPED.get(escape[2], escape[2])


def _from_csv(view: View) -> Iterator[Piece]:
    """The text with the records of a csvlog as the same server writes them to stderr (manual, section 19.8.4)."""
    position = 0
    for record in _CSV_RECORD.finditer(view.text):
        fields = list(itertools.islice(_csv_fields(view.text, record.start()), _CSV_FIELDS))
        if record.start() < position or len(fields) < _CSV_FIELDS:
            continue
        yield view.text[position : record.start()], view.source(position)
        yield from _csv_record(view, fields)
        last, start = fields[-1]
        position = start + len(last)
        yield "\n", view.source(position)
    if position:
        yield view.text[position:], view.source(position)


def _csv_record(view: View, fields: Sequence[Piece]) -> Iterator[Piece]:
    time, severity, sqlstate, message = fields[0], *fields[11:14]
    for text, start in (time, (" ", time[1]), severity, (":  ", severity[1]), sqlstate, (": ", sqlstate[1])):
        yield text, view.source(start)
    for text, start in _undoubled(*message):
        yield text, view.source(start)
    for number, label in _CSV_LABELS.items():
        value, start = fields[number]
        if value:
            yield f"\n{label}:  ", view.source(start)
            for text, place in _undoubled(value, start):
                yield text, view.source(place)


def _undoubled(value: str, start: int) -> Iterator[Piece]:
    """A quoted CSV value; its further lines indented as in a log on stderr."""
    for part in re.finditer(r'""|\n|[^"\n]+', value):
        yield {'""': '"', "\n": "\n\t"}.get(part[0], part[0]), start + part.start()


def _csv_fields(text: str, position: int) -> Iterator[Piece]:
    while match := _CSV_FIELD.match(text, position):
        quoted = match[1] is not None
        yield match[1] if quoted else match[2], match.start() + quoted
        if text[match.end() : match.end() + 1] != ",":
            return
        position = match.end() + 1


def _view(pieces: Iterable[Piece]) -> View:
    texts, starts, sources, position = [], [], [], 0
    for text, source in pieces:
        texts.append(text)
        starts.append(position)
        sources.append(source)
        position += len(text)
    return View(text="".join(texts), starts=tuple(starts), sources=tuple(sources))
