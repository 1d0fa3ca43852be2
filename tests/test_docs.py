"""The documentation cannot lag behind the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from mendbook import cli

from tests import rendered

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("name", rendered.FILES)
def test_what_is_rendered_is_up_to_date(name: str) -> None:
    assert (ROOT / name).read_text(encoding="utf-8") == rendered.FILES[name](), "run make docs"


def test_the_readme_names_every_command() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8") + (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    commands = re.search(r"\{([a-z,]+)\}|COMMAND", cli.parser().format_usage())
    assert commands
    [group] = [each for each in cli.parser()._actions if each.choices]
    for command in group.choices or ():
        assert re.search(rf"(mendbook|make) {command}\b", text), command


def test_every_link_of_the_readme_leads_somewhere() -> None:
    for name in ("README.md", "CONTRIBUTING.md"):
        for target in re.findall(r"\]\(([^)#:]+)\)", (ROOT / name).read_text(encoding="utf-8")):
            assert (ROOT / target).exists(), target
