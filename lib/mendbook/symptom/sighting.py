"""`Sighting`: one trace of an error in a text, and whether it may be believed.

A message in the server's or a framework's own words is the best trace; a SQLSTATE, a condition's name or a code of a
framework tell the kind where no message does. What others say too (``Connection refused``) counts only beside
evidence of PostgreSQL, and prose about an error is no error.
"""

from __future__ import annotations

import bisect
import functools
import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from mendbook import frameworks
from mendbook.frameworks import Framework, Kind
from mendbook.symptom import grammar, messages
from mendbook.symptom.envelope import View
from mendbook.symptom.messages import Message, Name

Means = Literal["server", "framework", "sqlstate", "condition", "code", "severity"]

_NEAR = 1500  # characters within which evidence of PostgreSQL supports a common wording
_BESIDE = 300
_OWN_WINDOW = 40
_OFTEN = 200  # traces of one code that are looked at: more of the same tell nothing new

_SQLSTATE = re.compile(r"(?<![\w.-])E?([0-9A-Z]{5})(?![\w.-])")
_LABEL = re.compile(
    r"(?:(?P<strong>(?i:sql[ _-]?state)|state_code|pg_?code|pg_code)|(?P<weak>\b[cC]ode|['\"]C))[\"'`\]]*"
    r"\s*(?::|=>?|\[|\()?\s*(?:Some\(|SqlState\(|[\"'`(\[])*$"
)
_OTHER_LABELS = re.compile(r"\(0x[0-9A-Fa-f]{8}\): $|\bERROR $|\[$|\($")
_COMPANION = re.compile(
    r"[\"']?(?:severity|routine|[sS]everity|internalPosition|dataType)[\"']?\s?[:=]|parse_\w+\.c|\bdetails\b[\"']?:"
    r"|[\"']V[\"']:|\bname[\"']?: ?[\"']error[\"']|PostgresError|does not exist"
)
_CONDITION = re.compile(
    r"\b(?:psycopg2?\.errors\.|asyncpg\.exceptions\.(?:_base\.)?|PG::|pgerrcode\.|code: :)(\w+)"
    r"|(?<![\w.])([A-Z][a-z]+(?:[A-Z][A-Za-z]+)+)\(['\"]|\bERROR [0-9A-Z]{5} \((\w+)\)"
)
_NO_CONDITIONS = frozenset({"SyntaxError", "SystemError", "InternalError", "IoError"})  # classes that others have too
_BUILTIN = re.compile(
    r"\b(?:Key|Index|Attribute|Name|Type|Value|Lookup|Import|Runtime|Reference|Range|Syntax|Assertion|NotImplemented)"
    r"Error(?:: |\()[\"']{0,2}$"
)
_OTHER_DATABASES = (
    r"\bER_[A-Z]{2,}|sqlMessage|[mM]y[sS][qQ][lL]|[mM]aria[dD][bB]|\[Microsoft\]|SQL ?Server|mssql|\bORA-\d{5}|SQLCODE"
    r"|[sS][qQ][lL]ite|SQLITE|org\.h2\.|hsqldb|\bDB2\b|[mM]ongo|[cC]lick[hH]ouse|[cC]assandra|[dD]uck[dD][bB]"
    r"|myxql|`main\.|[sS]nowflake|\bODBC\b|\[\d{4}\] |: \d{4} "
)
_FOREIGN_DATABASE = re.compile(_OTHER_DATABASES)
_FOREIGN = re.compile(
    _OTHER_DATABASES + r"|[rR]edis|HTTPConnection|urllib3|[kK]afka|[aA][mM][qQ][pP]|[sS][mM][tT][pP]"
    r"|:(?:3306|6379|27017|1433|1521|9200|5672|9092|11211|8080|443|80)\b"
)
_QUIET = ("WARNING", "NOTICE", "LOG", "INFO", "DEBUG")
_NEVER_RAISED = frozenset({"42000", "23000", "22000", "08000", "40000", "53000", "57000", "58000", "02000", "20000"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Sighting:
    """One trace of an error, in one view of the text."""

    means: Means
    kind: Kind
    view: View
    start: int  # offsets in the view
    end: int
    sqlstate: str | None = None
    stated: bool = False  # the text says the SQLSTATE itself
    names: Mapping[str, Name] = field(default_factory=dict, hash=False)  # by slot of the wording; offsets in the view
    framework: str | None = None  # whose words they are
    language: str | None = None  # of the server's words
    alone: bool = True  # tells of an error by itself; otherwise it only adds to one that is seen beside it

    @property
    def place(self) -> int:
        """Where it stands in the pasted text."""
        return self.view.source(self.start)

    @property
    def place_end(self) -> int:
        return self.view.source(max(self.start, self.end - 1)) + 1

    @property
    def text(self) -> str:
        return self.view.text[self.start : self.end]


def of(view: View) -> list[Sighting]:
    """Every trace of an error in *view* that may be believed."""
    words = messages.Vocabulary.of(view.text)
    seen = [*_spoken(view, words), *_sqlstates(view), *_conditions(view), *_codes(view, words)]
    return [*seen, *_unknown(view, seen)]


def evidence_of_postgres(text: str) -> bool:
    """Whether *text* holds what only a client of PostgreSQL prints."""
    return any(shows(text, framework) for framework in frameworks.listing().values() if framework.only)


def shows(text: str, framework: Framework) -> bool:
    """Whether *text* bears the marks of *framework*."""
    return any(mark in text for mark in framework.marks) or any(
        compiled(shape).search(text) for shape in framework.shapes
    )


@functools.cache
def compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.MULTILINE)


# Messages


def _spoken(view: View, vocabulary: messages.Vocabulary) -> Iterator[Sighting]:
    """Messages in the words of the server, of libpq and of the frameworks."""
    found: list[tuple[Message, Framework | None]] = [
        (message, None) for message in messages.of_server(view.text, vocabulary)
    ]
    for each in frameworks.listing().values():
        found += [
            (message, each)
            for wording in each.wordings
            if vocabulary.may_hold(messages.literal(wording.text))
            for message in messages.find(view.text, wording)
        ]
    believed = {id(message): framework for message, framework in found if _is_believed(view.text, message, framework)}
    for message in messages.longest(message for message, _ in found if id(message) in believed):
        yield _sighting(view, message, believed[id(message)])


def _sighting(view: View, message: Message, framework: Framework | None) -> Sighting:
    names = {
        slot: name for slot, name in message.names.items() if slot != "sqlstate" and name.value != "(not available)"
    }
    stated = message.names.get("sqlstate")
    kind, sqlstate = message.kind, message.wording.sqlstate
    if stated:
        kind, sqlstate = grammar.kind_of(stated.value), stated.value
    elif (
        sqlstate == "42704"
        and "role" in names
        and _fatal().search(view.text, max(0, message.start - 12), message.start)
    ):
        kind, sqlstate = "authentication", "28000"  # the same words where a connection is refused
    return Sighting(
        means="framework" if framework else "server",
        kind=kind,
        view=view,
        start=message.start,
        end=message.end,
        sqlstate=sqlstate,
        stated=stated is not None,
        names=names,
        framework=framework.name if framework else None,
        language=None if framework else message.language,
    )


def _is_believed(text: str, message: Message, framework: Framework | None) -> bool:
    before = text[max(0, message.start - _OWN_WINDOW) : message.start]
    if _quiet().search(before):
        return False
    if message.wording.own and message.whole and not _BUILTIN.search(before):
        return framework is None or framework.only or not _foreign_to(text, message.start, message.end)
    if not message.wording.own and (not message.whole or _foreign(text, message.start, message.end)):
        return False
    if _severe().search(before):
        return True
    return _supported(text, message, framework)


def _supported(text: str, message: Message, framework: Framework | None) -> bool:
    around = text[max(0, message.start - _NEAR) : message.end + _NEAR]
    if framework and not framework.only:
        return shows(around, framework) and not _foreign_to(text, message.start, message.end)
    if evidence_of_postgres(around):
        return True
    said = message.wording.sqlstate  # others say the same words, but not where a database is asked
    return said is not None and (said in around or any(shows(around, one) for one in frameworks.listing().values()))


def _foreign(text: str, start: int, end: int) -> bool:
    return bool(_FOREIGN.search(text, max(0, start - _BESIDE), end + _BESIDE))


def _foreign_to(text: str, start: int, end: int) -> bool:
    """Whether a framework that knows several databases speaks of another one there."""
    around = _FOREIGN_DATABASE.search(text, max(0, start - _NEAR), end + _NEAR)
    return around is not None or _foreign(text, start, end)


@functools.cache
def _quiet() -> re.Pattern[str]:
    """A severity that is no error, before a message."""
    return re.compile(rf"(?<![^\W_])(?:{_severity_words(_QUIET)}):  (?:[0-9A-Z]{{5}}: )?$")


@functools.cache
def _fatal() -> re.Pattern[str]:
    return re.compile(rf"(?:{_severity_words(('FATAL',))}): +\Z")


@functools.cache
def _severe() -> re.Pattern[str]:
    """The server's severity before a message, as its log, libpq and psql print it: with two blanks."""
    return re.compile(rf"(?<![^\W_])(?:{_severity_words(('ERROR', 'FATAL', 'PANIC'))}):  (?:[0-9A-Z]{{5}}: )?$")


@functools.cache
def _severe_anywhere() -> re.Pattern[str]:
    return re.compile(rf"(?<![^\W_])(?:{_severity_words(('ERROR', 'FATAL', 'PANIC'))}):  ")


def _severity_words(severities: Iterable[str]) -> str:
    wanted = set(severities)
    words = {word for language in grammar.languages() for word, said in language.severities.items() if said in wanted}
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


# Codes


def _sqlstates(view: View) -> Iterator[Sighting]:
    """SQLSTATEs under a label or behind a severity; one that has neither only adds to a message beside it."""
    text, known = view.text, grammar.sqlstates()
    often = Counter[str]()
    for match in _SQLSTATE.finditer(text):
        code = match[1]
        if code not in known or code in _NEVER_RAISED or often[code] >= _OFTEN:
            continue
        often[code] += 1
        before = text[max(0, match.start() - _OWN_WINDOW) : match.start()]
        label = _LABEL.search(before)
        if label or _severe().search(before) or _OTHER_LABELS.search(before) or _is_prefix(text, match.end()):
            foreign = _foreign(text, match.start(), match.end())
            alone = not foreign and bool(
                _severe().search(before) or (label and (label["strong"] or _has_companion(text, match)))
            )
            yield Sighting(
                means="sqlstate",
                kind=grammar.kind_of(code, _routine(text, match)),
                view=view,
                start=match.start(1),
                end=match.end(1),
                sqlstate=code,
                stated=True,
                alone=alone,
            )


def _is_prefix(text: str, end: int) -> bool:
    """Whether what ends at *end* stands in the prefix of a log line (``%e`` of log_line_prefix)."""
    line_end = text.find("\n", end, end + 100)
    return bool(_severe_anywhere().search(text, end, line_end if line_end >= 0 else end + 100))


def _has_companion(text: str, match: re.Match[str]) -> bool:
    return bool(_COMPANION.search(text, max(0, match.start() - 600), match.end() + 600))


def _routine(text: str, match: re.Match[str]) -> str | None:
    found = re.compile(r"[\"']?[rR]outine[\"']?(?:: |:|=)(?:Some\()?[\"']?(\w+)").search(
        text, max(0, match.start() - 900), match.end() + 900
    )
    return found[1] if found else None


def _conditions(view: View) -> Iterator[Sighting]:
    """Condition names: ``psycopg.errors.UndefinedColumn``, ``PG::UndefinedColumn``, ``code: :undefined_column``."""
    for match in itertools.islice(_CONDITION.finditer(view.text), _OFTEN):
        name = next(group for group in match.groups() if group)
        code = grammar.conditions().get(grammar.squeeze(name))
        if code and name not in _NO_CONDITIONS:
            yield Sighting(
                means="condition",
                kind=grammar.kind_of(code),
                view=view,
                start=match.start(),
                end=match.end(),
                sqlstate=code,
            )


def _codes(view: View, vocabulary: messages.Vocabulary) -> Iterator[Sighting]:
    """The frameworks' own error codes: ``code: 'P2022'``, ``PGRST204``."""
    for framework in frameworks.listing().values():
        for code, kind in framework.codes.items():
            if code not in vocabulary.words:
                continue
            places = compiled(rf"(?<![\w/-]){re.escape(code)}(?![\w/-])").finditer(view.text)
            for match in itertools.islice(places, _OFTEN):
                around = view.text[max(0, match.start() - _NEAR) : match.end() + _NEAR]
                if shows(around, framework) and not _foreign_to(view.text, match.start(), match.end()):
                    yield Sighting(
                        means="code",
                        kind=kind,
                        view=view,
                        start=match.start(),
                        end=match.end(),
                        framework=framework.name,
                    )


# Messages that no wording knows


def _unknown(view: View, seen: Iterable[Sighting]) -> Iterator[Sighting]:
    """What ``RAISE EXCEPTION`` and extensions say, told by the way the server and libpq print it."""
    taken = sorted(sighting.start for sighting in seen)
    for pattern in (_after_severity(), _before_labels(), _introduced()):
        for match in itertools.islice(pattern.finditer(view.text), _OFTEN):
            start, end = match.span("message")
            place = bisect.bisect_left(taken, start)
            known = place < len(taken) and taken[place] < end
            if not known and not _FOREIGN.search(match[0]):
                yield Sighting(means="severity", kind="other", view=view, start=start, end=end)


@functools.cache
def _after_severity() -> re.Pattern[str]:
    """Two blanks and a small letter, as the server's style asks for; others who print two go on with a capital."""
    words = _severity_words(("ERROR", "FATAL", "PANIC"))
    return re.compile(rf"(?<![^\W_])(?:{words}):  (?![0-9A-Z]{{5}}\b)(?P<message>(?![A-Z\s])[^\n]{{1,2000}})")


@functools.cache
def _before_labels() -> re.Pattern[str]:
    """A line with labelled lines below it."""
    labels = "|".join(re.escape(label) for language in grammar.languages() for label in language.labels)
    return re.compile(rf"(?:^|: |\(['\"])(?P<message>(?![A-Z\s])[^\n:]{{1,500}})\n(?:{labels}) ?:  \S", re.MULTILINE)


@functools.cache
def _introduced() -> re.Pattern[str]:
    """What a driver prints behind its own words for "the server said"."""
    forms = (form for framework in frameworks.listing().values() for form in framework.introductions)
    return re.compile(rf"(?:{'|'.join(forms)})(?P<message>\S[^\n]{{0,2000}})", re.MULTILINE)
