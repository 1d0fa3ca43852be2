"""Texts as each framework prints them, and what triage answers: one table per language of programming."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from mendbook.symptom import triage

TEXTS = [
    pytest.param(entry["text"], entry["says"], id=f"{path.stem}: {entry['name']}")
    for path in sorted((Path(__file__).parent / "texts").glob("*.toml"))
    for entry in tomllib.loads(path.read_text("utf-8"))["text"]
]


@pytest.mark.parametrize(("text", "says"), TEXTS)
def test_a_text_is_read_as_its_framework_means_it(text: str, says: dict[str, Any]) -> None:
    diagnosis = triage.diagnose(text)
    assert {field: getattr(diagnosis, field) or "" for field in says} == says
