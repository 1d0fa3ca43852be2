"""What holds for every text, and how several errors in one text are told apart."""

from __future__ import annotations

import dataclasses
import json
import re
import subprocess
import sys
import time
import tomllib
import typing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mendbook.frameworks import Kind
from mendbook.symptom import triage
from mendbook.symptom.triage import Diagnosis

REAL = [
    entry["text"]
    for path in sorted((Path(__file__).parent / "texts").glob("*.toml"))
    for entry in tomllib.loads(path.read_text("utf-8"))["text"]
]
KEYS = {"is_postgres", "kind", "sqlstate", "schema", "table", "column", "framework", "statement", "location"}
HOSTILE = [
    *("(", '"', "'", "`", "\\", "\\n", '\\"', "[", "{", ": ", "/a/b", "a", "1", " ", "\n", "\x1b["),
    *('column "', '" does not exist ', 'column "a" of relation "', "column a.b ", "ERROR:  ", "FATAL:  role "),
    *("ERROR:  x\n", "error: select a ", "[SQL: select ", "sql: 'a' + ", "code: '42703', ", "SQLSTATE 42703 "),
    *("LINE 1: select ", "Failed query: select ", "at a (", "STATEMENT:  select\n\t", "connection to server at "),
    '2026-05-05 10:11:12.345 UTC,"a","b",42,"',
]

splices = st.lists(
    st.one_of(
        st.builds(
            lambda text, cut: text[cut[0] : cut[0] + cut[1]],
            st.sampled_from(REAL),
            st.tuples(st.integers(0, 400), st.integers(0, 900)),
        ),
        st.sampled_from(HOSTILE),
        st.text(max_size=20),
    ),
    max_size=8,
).map("".join)


def assert_sound(text: str, diagnosis: Diagnosis) -> None:
    """What holds for the answer to any text."""
    answer = diagnosis.to_json()
    assert json.loads(json.dumps(answer)) == answer
    assert diagnosis.kind in typing.get_args(Kind)
    assert diagnosis.is_postgres == (diagnosis.kind != "not_postgres")
    said = {key for key in KEYS - {"is_postgres", "kind"} if answer[key] is not None}
    assert said <= diagnosis.certainty.keys()
    for evidence in diagnosis.evidence:
        assert 0 <= evidence.start <= evidence.end <= len(text)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_give_an_answer(garbage: bytes) -> None:
    text = garbage.decode(errors="replace")
    assert_sound(text, triage.diagnose(text))


@settings(max_examples=200, deadline=None)
@given(splices)
def test_splices_of_real_texts_give_an_answer(text: str) -> None:
    assert_sound(text, triage.diagnose(text))


@pytest.mark.parametrize("hostile", HOSTILE)
def test_time_grows_with_the_text_and_no_faster(hostile: str) -> None:
    """Eight times the text may take eight times as long, and as much again for what a busy machine does."""
    small, large = (elapsed(hostile * (size // len(hostile))) for size in (10_000, 80_000))
    assert large < 16 * max(small, 0.05)


def elapsed(text: str) -> float:
    started = time.perf_counter()
    triage.diagnose(text)
    return time.perf_counter() - started


def test_a_diagnosis_does_not_change() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        triage.diagnose("").kind = "other"  # type: ignore[misc]


def test_the_same_error_said_three_times_is_one() -> None:
    text = "\n".join(['error: relation "rooms" does not exist'] * 3)
    assert triage.diagnose(text).others == ()


def test_further_errors_are_told_of() -> None:
    text = 'ERROR:  relation "rooms" does not exist\n' + "GET / 200\n" * 90 + 'ERROR:  column "plan" does not exist\n'
    diagnosis = triage.diagnose(text)
    assert diagnosis.table == "rooms"
    assert [(other.kind, other.column) for other in diagnosis.others] == [("missing_column", "plan")]


def test_an_aborted_transaction_that_stands_alone_is_the_error() -> None:
    text = "current transaction is aborted, commands ignored until end of transaction block"
    assert triage.diagnose(text).kind == "aborted_transaction"


def test_a_session_that_cannot_go_on_hides_its_cause() -> None:
    text = (
        "sqlalchemy.exc.PendingRollbackError: This Session's transaction has been rolled back due to a previous "
        "exception during flush. To begin a new transaction with this Session, first issue Session.rollback(). "
        'Original exception was: (psycopg.errors.NotNullViolation) null value in column "email" of relation "members" '
        "violates not-null constraint"
    )
    diagnosis = triage.diagnose(text)
    assert (diagnosis.kind, diagnosis.table) == ("not_null_violation", "members")


def test_each_error_has_its_own_statement() -> None:
    log = "2026-05-05 10:11:12.345 UTC [{0}] app@lobby {1}\n"
    text = "".join(
        log.format(pid, line)
        for pid, line in (
            (1, 'ERROR:  relation "rooms" does not exist at character 15'),
            (1, "STATEMENT:  SELECT 1 FROM rooms;"),
            (2, "ERROR:  column m.plan does not exist at character 8"),
            (2, "STATEMENT:  SELECT m.plan FROM members AS m;"),
        )
    )
    diagnosis = triage.diagnose(text)
    assert diagnosis.statement == "SELECT 1 FROM rooms"
    (other,) = diagnosis.others
    assert (other.statement, other.table) == ("SELECT m.plan FROM members AS m", "members")


def test_an_alias_is_said_and_no_table() -> None:
    answer = triage.diagnose("error: column u.isOnline does not exist").to_json()
    assert (answer["table"], answer["column"]) == (None, "isOnline")


def test_a_qualifier_that_looks_like_a_table_is_a_guess() -> None:
    diagnosis = triage.diagnose("error: column sessions.deletedAt does not exist")
    assert diagnosis.certainty["table"] == "guessed"


def test_an_alias_of_a_common_table_expression_is_no_table() -> None:
    text = (
        "ERROR:  column r.plan does not exist\n"
        "LINE 1: WITH r AS (SELECT id FROM members) SELECT r.plan FROM r\n"
        "                                                  ^"
    )
    diagnosis = triage.diagnose(text)
    assert (diagnosis.table, diagnosis.statement) == (None, "WITH r AS (SELECT id FROM members) SELECT r.plan FROM r")


def test_a_column_that_two_tables_may_lack_has_no_table() -> None:
    text = (
        'ERROR:  column "plan" does not exist\nLINE 1: SELECT plan FROM members JOIN rooms USING (id)\n               ^'
    )
    assert triage.diagnose(text).table is None


def test_a_quoted_name_with_a_dot_is_one_name() -> None:
    text = 'ERROR:  relation "metrics.daily" does not exist\nLINE 1: SELECT 1 FROM "metrics.daily"\n              ^'
    assert (triage.diagnose(text).schema, triage.diagnose(text).table) == (None, "metrics.daily")


def test_parameters_are_found_in_the_statement() -> None:
    text = 'psycopg.errors.UndefinedColumn: column "plan" does not exist\n[SQL: SELECT plan FROM m WHERE a = %(x)s]\n'
    diagnosis = triage.diagnose(text)
    (parameter,) = diagnosis.parameters
    assert diagnosis.statement is not None
    assert diagnosis.statement[parameter.start :] == "%(x)s"


@pytest.mark.parametrize(
    ("message", "sql", "table"),
    [
        (
            'column "zip" referenced in foreign key constraint does not exist',
            "ALTER TABLE members ADD FOREIGN KEY (zip) REFERENCES towns (id)",
            "members",
        ),
        (
            'column "zip" referenced in foreign key constraint does not exist',
            "ALTER TABLE members ADD FOREIGN KEY (town) REFERENCES towns (zip)",
            "towns",
        ),
        (
            'column "zip" referenced in foreign key constraint does not exist',
            "ALTER TABLE members ADD FOREIGN KEY (zip) REFERENCES towns (zip)",
            None,
        ),
        (
            "column excluded.zip does not exist",
            "INSERT INTO members (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET id = excluded.zip",
            "members",
        ),
        ('column "zip" does not exist', "CREATE INDEX ON members (zip)", "members"),
        ('column "zip" does not exist', "WITH towns AS (SELECT 1) SELECT zip FROM towns", None),
        ('column "zip" does not exist', "SELECT zip FROM members WHERE id IN (SELECT id FROM towns)", None),
    ],
)
def test_a_table_is_told_only_where_the_statement_tells_it(message: str, sql: str, table: str | None) -> None:
    prefix = "2026-05-05 10:11:12.345 UTC [42] app@lobby"
    diagnosis = triage.diagnose(f"{prefix} ERROR:  {message}\n{prefix} STATEMENT:  {sql};\n")
    assert (diagnosis.table, diagnosis.statement) == (table, sql)


def test_debug_lines_around_an_error_are_not_its_statement() -> None:
    lines = [
        json.dumps({"level": "debug", "query": "SELECT plan FROM others"}),
        json.dumps({"level": "error", "severity": "ERROR", "code": "42703", "msg": 'column "plan" does not exist'}),
        json.dumps({"level": "debug", "query": "SELECT plan FROM strangers"}),
    ]
    diagnosis = triage.diagnose("\n".join(lines))
    assert (diagnosis.sqlstate, diagnosis.table, diagnosis.statement) == ("42703", None, None)


def test_fields_of_the_application_are_not_the_servers() -> None:
    error = {"message": 'column "plan" does not exist', "code": "42703", "severity": "ERROR"}
    line = json.dumps({"level": 50, "table": "orders", "column": "total", "err": error})
    diagnosis = triage.diagnose(line)
    assert (diagnosis.table, diagnosis.column) == (None, "plan")


def test_the_benchmark_scores_a_file(tmp_path: Path) -> None:
    expect = dict.fromkeys(KEYS) | {"is_postgres": True, "kind": "missing_table", "table": "rooms"}
    entry = {"id": "one", "text": 'error: relation "rooms" does not exist', "expect": expect, "lenient": {}}
    labelled = tmp_path / "texts.jsonl"
    labelled.write_text(json.dumps(entry) + "\n")
    script = Path(__file__).parents[2] / "benchmarks" / "triage.py"
    printed = subprocess.run([sys.executable, script, labelled], capture_output=True, text=True, check=True).stdout
    assert re.search(r"^table +1 +1 +100.00%$", printed, re.MULTILINE)
    assert "wrong objects stated as fact: 0" in printed
