"""Documents of a database whose names and errors are hostile: everything is shown, nothing is interpreted."""

from __future__ import annotations

import html.parser
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from mendbook import authoring, redaction, render
from mendbook.incident import Incident
from mendbook.render import Box, Picture

HOSTILE = "<img src=x onerror=alert(1)>"
TABLE = f'"{HOSTILE}"'
SCRIPT = "'; </script><script>alert(2)</script> | `x` ``` [a](javascript:alert(3))"


class Tags(html.parser.HTMLParser):
    """The tags and attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.fixture
def hostile(make_database: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Incident:
    """An incident, diagnosed, on a database and with a runbook full of markup."""
    book = authoring.start("hostile", tmp_path)
    text = yaml.safe_load((book / "runbook.yaml").read_text())
    text |= {"title": HOSTILE, "summary": SCRIPT, "notes": [SCRIPT], "impact": [HOSTILE], "before": [SCRIPT, HOSTILE]}
    text["symptoms"][0]["names"] = [HOSTILE, SCRIPT[:20]]
    column = '"' + SCRIPT[:20] + '"'
    text["statements"][0] |= {"sql": f"UPDATE {TABLE} SET {column} = 1 /* {HOSTILE} */", "at": f"{HOSTILE}:1"}
    option = text["options"][0]
    option |= {"steps": [{"sql": f"ALTER TABLE {TABLE} ADD {column} integer"}], "exercises": [], "pros": [SCRIPT]}
    option["expects"] = [{"table": HOSTILE, "column": SCRIPT[:20]}]
    (book / "runbook.yaml").write_text(yaml.safe_dump(text))
    (book / "error.txt").write_text(f"{SCRIPT}\n{HOSTILE}\n")
    conninfo = make_database(f"CREATE TABLE {TABLE} (\"{SCRIPT[20:]}\" text); COMMENT ON TABLE {TABLE} IS '{HOSTILE}'")
    monkeypatch.setenv("SHOP", conninfo)
    incident = Incident.begin(runbook=str(book), target="env:SHOP", incidents=str(tmp_path / "incidents"))
    incident.diagnosed()
    return incident


def test_the_page_shows_markup_as_text(hostile: Incident) -> None:
    page = Tags()
    page.feed((hostile.folder / "fix.html").read_text())
    assert not page.tags & {"script", "img", "a", "iframe", "link"}
    assert not [name for name in page.attributes if name.startswith("on")]
    shown = "".join(page.text)
    assert HOSTILE in shown
    assert "</script><script>alert(2)</script>" in shown


def test_the_page_needs_no_network(hostile: Incident) -> None:
    text = (hostile.folder / "fix.html").read_text()
    assert "default-src 'none'" in text
    assert not re.search(r'(src|href)="', text)


def test_the_markdown_shows_markup_as_text(hostile: Incident) -> None:
    text = (hostile.folder / "fix.md").read_text()
    outside = re.sub(r"^(`{3,})[^\n]*\n.*?^\1$", "", text, flags=re.DOTALL | re.MULTILINE)
    assert "<img" not in outside
    assert "<script" not in outside
    assert not re.search(r"(?<!\\)\]\(", outside)


def test_what_a_notebook_shows_is_escaped(hostile: Incident) -> None:
    shown = [hostile.runbook, hostile.tables, hostile.reproduction, hostile.plan, hostile.rehearsal, hostile.identity]
    for each in shown:
        page = Tags()
        page.feed(each._repr_html_())
        assert not page.tags & {"script", "img", "a"}, each


def test_a_picture_of_hostile_names_is_still_a_diagram() -> None:
    names = [HOSTILE, SCRIPT, 'a "b"', "x\ny", "%%{init}%%", "ünï"]
    boxes = tuple(Box(name=name, mark="", columns=((name, name, name),)) for name in names)
    for line in Picture(boxes=boxes, links=()).mermaid().splitlines()[1:]:
        assert re.fullmatch(r'    "[^"<>{}%\\;]*" \{|    \}|        [\w()\[\]-]+ [\w()\[\]-]+ "[^"<>{}%\\;]*"', line), (
            line
        )


@pytest.mark.parametrize("text", ["```", "a\n````\nb", "plain"])
def test_a_code_block_cannot_be_closed_from_inside(text: str) -> None:
    first, *_, last = render.fence(text, "sql").splitlines()
    ticks = first.removesuffix("sql")
    assert last == ticks
    assert ticks not in text


@pytest.mark.parametrize(
    "text",
    [
        "postgres://app:s3cret-word@db/x",
        "postgresql+psycopg://app:s3cret-word@db/x?a=b",
        "host=db password=s3cret-word dbname=x",
        "PGPASSWORD=s3cret-word psql",
        'DATABASE_URL="redis://:s3cret-word@cache:6379"',
        '{"password": "s3cret-word"}',
        "AWS_SECRET_ACCESS_KEY=s3cret-word",
    ],
)
def test_a_secret_is_recognised_by_its_shape(text: str) -> None:
    assert "s3cret-word" not in redaction.scrub(text)
    assert redaction.MASK in redaction.scrub(text)


@pytest.mark.parametrize(
    "text", ["SELECT a::text", "the token was missing", "http://db:5432/x", "password authentication failed"]
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redaction.scrub(text) == text
