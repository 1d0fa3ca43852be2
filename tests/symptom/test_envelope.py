"""What texts are wrapped in when people paste them, and where in the pasted text each value was read."""

from __future__ import annotations

import json
import textwrap

import pytest
from mendbook.symptom import envelope, triage

ERROR = """error: column "seat_token" of relation "room_seats" does not exist
    at /opt/lobby/node_modules/pg-pool/index.js:45:11
    at async SeatStore.claim (/opt/lobby/lib/seat-store.js:88:20) {
  severity: 'ERROR',
  code: '42703',
  routine: 'checkInsertTargets'
}"""
LINES = ERROR.split("\n")
TIME = "2026-05-05T10:11:12.123456789Z"
CSV = (
    '2026-05-05 10:11:12.345 UTC,"app","lobby",42,"10.0.0.1:5",6b0.1,1,"UPDATE",2026-05-05 10:11:12 UTC,2/2,0,'
    'ERROR,42703,"column ""seat_token"" of relation ""room_seats"" does not exist",,,,,,'
    '"UPDATE room_seats\nSET ""seat_token"" = 1",12,,"api","client backend",,0\n'
)
JSONLOG = json.dumps(
    {
        "timestamp": "2026-05-05 10:11:12.345 UTC",
        "error_severity": "ERROR",
        "state_code": "42703",
        "message": 'column "seat_token" of relation "room_seats" does not exist',
        "statement": 'UPDATE room_seats SET "seat_token" = 1',
    }
)

WRAPPED = {
    "as it is": ERROR,
    "Windows": ERROR.replace("\n", "\r\n"),
    "colours": "\x1b[31m" + ERROR.replace("column", "\x1b[1mcolumn\x1b[0m") + "\x1b[0m",
    "hard spaces": ERROR.replace(" ", "\u00a0"),
    "docker compose": "\n".join(f"api-1  | {line}" for line in LINES),
    "docker's JSON": "\n".join(json.dumps({"log": f"{line}\n", "stream": "stderr", "time": TIME}) for line in LINES),
    "kubernetes": "\n".join(f"{TIME} stderr F {line}" for line in LINES),
    "heroku": "\n".join(f"2026-05-05T10:11:12.123+00:00 app[web.1]: {line}" for line in LINES),
    "journal": "\n".join(f"May 05 10:11:12 host lobby[42]: {line}" for line in LINES),
    "escaped line ends": ERROR.replace("\n", "\\n"),
    "a JSON line": json.dumps({"level": "error", "message": LINES[0][7:], "stack": ERROR}),
    "JSON in JSON": json.dumps({"log": json.dumps({"err": {"stack": ERROR}})}),
    "JSON in JSON in JSON": json.dumps({"log": json.dumps({"log": json.dumps({"err": ERROR})})}),
    "a repr": repr(ERROR),
    "a terminal of 70 columns": "\n".join(line[at : at + 70] for line in LINES for at in range(0, len(line), 70)),
    "a terminal of 44 columns": "\n".join(line[at : at + 44] for line in LINES for at in range(0, len(line), 44)),
    "an editor of 50 columns": "\n".join(part for line in LINES for part in textwrap.wrap(line, 50)),
    "csvlog": CSV,
    "jsonlog": JSONLOG,
    "a megabyte of log": "GET /rooms 200\n" * 40_000 + ERROR + "\nGET /rooms 200" * 40_000,
}


@pytest.mark.parametrize("text", WRAPPED.values(), ids=WRAPPED.keys())
def test_the_wrapping_comes_off(text: str) -> None:
    diagnosis = triage.diagnose(text)
    read = (diagnosis.kind, diagnosis.sqlstate, diagnosis.table, diagnosis.column)
    assert read == ("missing_column", "42703", "room_seats", "seat_token")


@pytest.mark.parametrize("text", WRAPPED.values(), ids=WRAPPED.keys())
def test_evidence_says_where_it_was_read(text: str) -> None:
    diagnosis = triage.diagnose(text)
    for evidence in diagnosis.evidence:
        if evidence.field in ("table", "column", "sqlstate"):
            place = "".join(text[evidence.start : evidence.end].replace("\x1b[0m", "").split("\n"))
            assert evidence.value in place


def test_a_statement_of_several_lines_comes_out_of_csv() -> None:
    diagnosis = triage.diagnose(CSV)
    assert diagnosis.statement == 'UPDATE room_seats\nSET "seat_token" = 1'
    assert diagnosis.framework == "postgres-server-log"


def test_a_view_knows_where_each_character_is_from() -> None:
    text = '{"a": "\\u00e9\\n\\"x\\""}'
    inner = envelope.views(text)[-1]
    assert inner.text == '{"a": "é\n"x""}'
    assert [text[inner.source(place)] for place in range(len(inner.text)) if inner.text[place].isalnum()] == list(
        "a\\x"
    )


def test_a_part_of_a_view_keeps_its_places() -> None:
    view = envelope.views("one\x1b[0m two\nthree")[0]
    part = view.part(8, 18)
    assert part.text == "two\nthree"
    assert part.source(0) == 8
