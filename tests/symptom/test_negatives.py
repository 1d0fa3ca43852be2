"""What is not PostgreSQL's: other databases, other services, errors of languages, prose."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from mendbook.symptom import triage

NEGATIVES = tomllib.loads((Path(__file__).parent / "negatives.toml").read_text("utf-8"))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(text, id=f"{group}-{number}")
        for group, texts in NEGATIVES.items()
        for number, text in enumerate(texts)
    ],
)
def test_others_are_not_claimed(text: str) -> None:
    diagnosis = triage.diagnose(text)
    assert (diagnosis.is_postgres, diagnosis.kind) == (False, "not_postgres")


def test_other_errors_around_it_do_not_hide_one_of_postgres() -> None:
    around = "\n".join(NEGATIVES["other_databases"])
    diagnosis = triage.diagnose(f'{around}\nerror: relation "bans" does not exist\n{around}')
    assert (diagnosis.kind, diagnosis.table) == ("missing_table", "bans")


def test_what_is_not_postgres_says_nothing_else() -> None:
    answer = triage.diagnose("KeyError: 'plan'").to_json()
    said = {key: value for key, value in answer.items() if value}
    assert said == {"kind": "not_postgres"}
