"""Messages in a text: every place where a `Wording` stands, with the names in its slots.

A wording counts as *whole* when it begins and ends where a message does (a line, a quotation mark, a colon); in the
middle of a sentence it is prose about a message, and takes more evidence to be believed.
"""

from __future__ import annotations

import bisect
import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from mendbook.frameworks import Kind, Wording
from mendbook.symptom import grammar

_SLOT = re.compile(r"\{([a-z]*)\}")
_QUOTES = {'"': '"', "»": "«", "«": "»", "„": "“”", "“": "”", "‟": "”", "「": "」", "`": "`", "'": "'", "[": "]"}
_NAME = 200  # characters: two names of 63 bytes, quoted and doubled; bounds every search
_REACH = 480  # characters around a hit in which its wording must fit
_HITS = 400  # places looked at per wording: more of the same tell nothing new

_WORD = re.compile(r"\w+")
_INNER_WORD = re.compile(r"(?<=\W)\w+(?=\W)")
_LEFT = re.compile(r"(?:^|[\n:：)\]>|=({,;–—-])[ \t]*(?:\\?[\"'`«]+)?[ \t]*$|\\n[ \t]*$")
_BEGIN = r"(?:[^\n]{0,300}(?:[:：)\]>|–—-] {1,3}|[\"'`])|^[ \t]*)"  # before a message that begins with a name
_RIGHT = (
    r"[ \t]*(?:$|[\n\"'`)\]}>\\|;])|\.(?:[\s\"'`\\)]|$)|:\s|\s+[(\[{|–—-]"
    r"|\s+(?:LINE|Line|Position|POSITION|DETAIL|HINT|SQL|QUERY)\b"
    r"|\s+at (?:character|position|async|[^\s]*[/\\(.])|\s+in [/A-Z]"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Name:
    """A name as a text has it."""

    value: str
    start: int  # offset in the text
    end: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """One wording at one place."""

    wording: Wording
    language: str  # of the wording: "en", "pt_BR"
    start: int
    end: int
    names: Mapping[str, Name] = field(hash=False)  # by slot
    whole: bool  # it begins and ends where a message does

    @property
    def kind(self) -> Kind:
        return self.wording.kind


@dataclass(frozen=True, kw_only=True, slots=True)
class Vocabulary:
    """The words and characters of a text: most of 3,000 wordings are ruled out by them, without a search."""

    words: frozenset[str]
    characters: frozenset[str]

    @classmethod
    def of(cls, text: str) -> Vocabulary:
        words = frozenset(_WORD.findall(text))
        return cls(words=words, characters=frozenset(text))

    def may_hold(self, sought: str) -> bool:
        return self.words.issuperset(_inner_words(sought)) and self.characters.issuperset(sought)


@functools.cache
def _inner_words(literal: str) -> tuple[str, ...]:
    """The words of *literal* that stand whole in any text that holds it."""
    return tuple(_INNER_WORD.findall(literal))


def of_server(text: str, vocabulary: Vocabulary) -> list[Message]:
    """Every message of the server and of libpq in *text*, in any language, in order; overlaps go to the longer one."""
    found = [
        message
        for language in grammar.languages()
        for wording in language.wordings
        if vocabulary.may_hold(literal(wording.text))
        for message in find(text, wording, language)
    ]
    return longest(found)


def longest(found: Iterable[Message]) -> list[Message]:
    """Of messages that overlap keep the one whose wording says most; in the order of the text."""
    kept: list[Message] = []
    starts: list[int] = []
    for message in sorted(found, key=lambda found: (-_weight(found.wording), found.start)):
        place = bisect.bisect_right(starts, message.start)
        clear_before = not place or kept[place - 1].end <= message.start
        clear_after = place == len(kept) or message.end <= starts[place]
        if clear_before and clear_after:
            kept.insert(place, message)
            starts.insert(place, message.start)
    return kept


def find(text: str, wording: Wording, language: grammar.Language | None = None) -> Iterator[Message]:
    """Each place in *text* where *wording* stands."""
    sought = literal(wording.text)
    position = text.find(sought)
    for _ in range(_HITS):
        if position < 0:
            return
        match = _match(text, wording, language, position, position + len(sought))
        if match:
            yield _message(text, wording, language, match)
        position = text.find(sought, max(match.end() if match else 0, position + len(sought)))


def _match(
    text: str, wording: Wording, language: grammar.Language | None, start: int, end: int
) -> re.Match[str] | None:
    """The wording around its key at *start* to *end*; names without quotation marks in them are tried first."""
    first = max(text.rfind("\n", max(0, start - _REACH), start) + 1, start - _REACH, 0)
    last = min(end + _REACH, len(text))
    for strict in (True, False):
        for match in _pattern(wording.text, _positions(language), strict).finditer(text, first, last):
            if match.start("said") <= start and end <= match.end():
                return match
    return None


def _message(text: str, wording: Wording, language: grammar.Language | None, match: re.Match[str]) -> Message:
    slots = [slot for slot in _SLOT.findall(wording.text) if slot]
    names = {
        slot: Name(value=match[number], start=match.start(number), end=match.end(number))
        for number, slot in enumerate(slots, 2)
    }
    start = match.start("said")
    begins = bool(_LEFT.search(text[max(0, start - 12) : start]))
    ends = wording.text.endswith("…") or bool(_right(_positions(language)).match(text, match.end()))
    return Message(
        wording=wording,
        language=language.code if language else "en",
        start=start,
        end=match.end(),
        names=names,
        whole=begins and ends,
    )


@functools.cache
def literal(text: str) -> str:
    """The literal text by which a wording is looked for."""
    return max(_SLOT.split(text.removesuffix("…"))[::2], key=len)


def _positions(language: grammar.Language | None) -> tuple[str, ...]:
    return language.positions if language else ()


def _weight(wording: Wording) -> int:
    return len(_SLOT.sub("", wording.text))


@functools.cache
def _right(positions: tuple[str, ...]) -> re.Pattern[str]:
    """What may follow a whole message; in a log, where in the statement the error is."""
    places = "".join(rf"|\s*{re.escape(text).replace(re.escape('{}'), '[0-9]+')}" for text in positions)
    return re.compile(_RIGHT + places, re.MULTILINE)


@functools.cache
def _pattern(text: str, positions: tuple[str, ...], strict: bool) -> re.Pattern[str]:
    pieces = _SLOT.split(text.removesuffix("…"))
    pattern = re.escape(pieces[0]) or _BEGIN
    closing = ""
    for slot, before, after in zip(pieces[1::2], pieces[:-1:2], pieces[2::2], strict=True):
        closing = _QUOTES.get(before.rstrip(" ")[-1:], closing if before in ".(" else "")
        body = _body(slot, closing if any(mark in after for mark in closing) or after == "." else "", strict)
        group = f"({body})" if slot else body
        pattern += group + (re.escape(after) or ("" if text.endswith("…") else f"(?={_right(positions).pattern})"))
    said = pattern.removeprefix(_BEGIN)
    return re.compile(f"{_BEGIN if said != pattern else ''}(?P<said>{said})", re.MULTILINE)


def _body(slot: str, closing: str, strict: bool) -> str:
    """What may stand in a slot: if *strict*, in quotation marks all but the closing one, without them none at all.

    A backslash is part of no name: where one stands, the text is escaped, and the next view has the name itself.
    """
    least, most = (0, 300) if not slot else (1, _NAME)
    excluded = (re.escape(closing) or "\"'`") if strict and slot else ""
    character = rf"[^\n\\{excluded}]" if slot else r"[^\n]"
    return rf"{character}{{{least},{most}}}?"
