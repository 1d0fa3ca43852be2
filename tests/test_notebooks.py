"""The rules for every notebook: a page to read, with the logic in the library."""

from __future__ import annotations

import ast
import itertools
import re
from pathlib import Path

import nbformat
import pytest
from mendbook import runbook
from mendbook.run import notebooks

PAGES = sorted(runbook.shared("notebooks").glob("*.ipynb"))
CHANGING = {"repair", "rollback"}


@pytest.fixture(params=PAGES, ids=lambda path: path.stem)
def page(request: pytest.FixtureRequest) -> Path:
    return request.param


def code(page: Path) -> list[nbformat.NotebookNode]:
    return [cell for cell in nbformat.read(page, as_version=4).cells if cell.cell_type == "code"]


def is_parameters(cell: nbformat.NotebookNode) -> bool:
    return "parameters" in cell.metadata.get("tags", [])


def test_there_are_pages() -> None:
    assert {page.stem for page in PAGES} >= {"diagnose", "repair", "rollback"}


def test_it_begins_with_what_it_does_and_what_it_may_change(page: Path) -> None:
    first = nbformat.read(page, as_version=4).cells[0]
    assert first.cell_type == "markdown"
    assert re.match(r"# \S.*\n\n\S", first.source)
    assert "target" in first.source


def test_it_says_whether_it_changes_anything(page: Path) -> None:
    said = nbformat.read(page, as_version=4).metadata["mendbook"]
    assert said == {"side_effects": page.stem in CHANGING}


def test_the_logic_is_in_the_library(page: Path) -> None:
    for cell in code(page):
        for node in ast.walk(ast.parse(cell.source)):
            assert not isinstance(
                node, ast.FunctionDef | ast.ClassDef | ast.If | ast.For | ast.While | ast.Try | ast.Lambda
            ), cell.source
        if not is_parameters(cell):
            assert len(cell.source.strip().splitlines()) <= 7, cell.source


def test_prose_stands_above_each_result(page: Path) -> None:
    cells = nbformat.read(page, as_version=4).cells
    for before, cell in itertools.pairwise(cells):
        if cell.cell_type == "code":
            assert before.cell_type == "markdown", cell.source


def test_parameters_are_typed_literals_with_a_comment(page: Path) -> None:
    [cell] = [cell for cell in code(page) if is_parameters(cell)]
    for line in cell.source.splitlines():
        assert re.fullmatch(r"\w+: (str|int|float|bool|dict|list) = .+  # \S.+", line), line
    assert len(notebooks.parameters(page)) == len(cell.source.splitlines())


def test_it_carries_no_output(page: Path) -> None:
    for cell in code(page):
        assert cell.outputs == []
        assert cell.execution_count is None
