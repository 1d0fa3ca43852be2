"""The grammar of server messages: every wording in every language, and where a wording is no message."""

from __future__ import annotations

import re

import psycopg.errors
import pytest
from mendbook.symptom import grammar, messages, triage

SLOT = re.compile(r"\{([a-z]*)\}")
VALUES = {
    "column": "isOnline",
    "table": "order items",
    "relation": "lobby.rooms",
    "schema": "billing",
    "alias": "u",
    "constraint": "uq_ref",
    "function": "recalc",
    "routine": "lobby.score(uuid, unknown)",
    "typename": "lobby.colour",
    "type": "colour",
    "role": "kim",
    "database": "lobby v2",
    "record": "new",
    "": "42",
}
READ = {"relation": ("table", "rooms"), "routine": ("function", "score"), "typename": ("type", "colour")}
AMBIGUOUS = {"публікація"}  # the Ukrainian catalogue calls a publication and a server alike


@pytest.mark.parametrize("language", grammar.languages(), ids=lambda language: language.code)
def test_every_wording_is_understood(language: grammar.Language) -> None:
    wrong = {
        wording.text: read
        for wording in language.wordings
        if wording.own and wording.text.split()[0] not in AMBIGUOUS
        if (read := misread(wording.text, wording.kind, wording.sqlstate))
    }
    assert wrong == {}


def misread(text: str, kind: str, sqlstate: str | None) -> dict[str, object]:
    """What triage says differently of a message that fills the slots of a wording."""
    diagnosis = triage.diagnose("error: " + SLOT.sub(lambda slot: VALUES[slot[1]], text))
    wanted: dict[str, object] = {"kind": kind, "sqlstate": sqlstate}
    wanted |= dict(READ.get(slot, (slot, VALUES[slot])) for slot in SLOT.findall(text) if slot not in ("", "record"))
    return {field: read for field, value in wanted.items() if (read := getattr(diagnosis, field)) != value}


def test_conditions_are_those_of_postgresql() -> None:
    ours = set(grammar.conditions().values())
    theirs = {getattr(known, "sqlstate", None) for known in vars(psycopg.errors).values()} - {None}
    assert ours == {code for code in theirs if isinstance(code, str)}


@pytest.mark.parametrize("name", ["undefined_column", "UndefinedColumn", "UndefinedColumnError", "Undefined column"])
def test_a_condition_is_known_under_each_of_its_names(name: str) -> None:
    assert grammar.conditions()[grammar.squeeze(name)] == "42703"


@pytest.mark.parametrize(
    ("text", "column", "table"),
    [
        ('column "a.b" of relation "c" does not exist', "a.b", "c"),
        ('column "nick"name" of relation "c" does not exist', 'nick"name', "c"),
        ('column "tax rate" of relation "order items" does not exist', "tax rate", "order items"),
        ('column "länge" of relation "Straßen" does not exist', "länge", "Straßen"),
        (
            'column "<b>x</b>" of relation "\'; DROP TABLE users; --" does not exist',
            "<b>x</b>",
            "'; DROP TABLE users; --",
        ),
        ('column "\x07" of relation "\x1f" does not exist', "\x07", "\x1f"),
    ],
)
def test_names_are_taken_as_they_are(text: str, column: str, table: str) -> None:
    diagnosis = triage.diagnose(f"ERROR:  {text}")
    assert (diagnosis.column, diagnosis.table) == (column, table)


@pytest.mark.parametrize(
    "text",
    [
        'I read that column "x" does not exist in their schema',
        'the note says: add it when relation "x" does not exist yet',
        'a column "x" of relation "y" does not exist without its table',
    ],
)
def test_a_message_inside_a_sentence_is_prose(text: str) -> None:
    vocabulary = messages.Vocabulary.of(text)
    assert not any(message.whole for message in messages.of_server(text, vocabulary))
    assert not triage.diagnose(text).is_postgres


def test_the_longest_wording_stands() -> None:
    text = 'constraint "uq" of relation "rooms" does not exist'
    (found,) = messages.of_server(text, messages.Vocabulary.of(text))
    assert found.kind == "missing_constraint"


@pytest.mark.parametrize("severity", ["NOTICE", "WARNING", "HINWEIS", "ЗАМЕЧАНИЕ"])
def test_what_is_no_error_is_not_read(severity: str) -> None:
    assert not triage.diagnose(f'{severity}:  relation "rooms" does not exist').is_postgres
