"""Every runbook, through everything that a runbook goes through; and what is said of one that is written wrong."""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from mendbook import authoring, runbook
from mendbook.errors import BadRunbook, Refused, Usage
from mendbook.incident import Incident
from mendbook.runbook import Runbook
from mendbook.servers import binaries, cluster
from mendbook.symptom import statements
from mendbook.trial import Trial

from tests.helpers import fingerprint

BOOKS = [runbook.load(folder) for folder in runbook.catalogue().values()]
EVERY = pytest.mark.parametrize("book", BOOKS, ids=lambda book: book.slug)
EVERY_OPTION = pytest.mark.parametrize(
    ("book", "option"),
    [
        pytest.param(book, option.id, id=f"{book.slug}-{option.id}")
        for book in BOOKS
        for option in book.text.options
        if option.advice != "not_offered"
    ],
)

Make = Callable[[str], str]  # SQL -> the connection string of a new database


class Case(Trial):
    """A runbook with a copy of its application, tried on databases of the tests' own server."""

    def __init__(self, book: Runbook, folder: Path, environment: pytest.MonkeyPatch) -> None:
        super().__init__(book, folder)
        self.environment = environment

    def on(self, conninfo: str, option: str = "") -> Incident:
        """Begin the incident on a database."""
        self.environment.setenv("RUNBOOK_TARGET", conninfo)
        return self.begin("env:RUNBOOK_TARGET", option)


def take_through(case: Case, option: str, make_database: Make) -> None:
    """From a healthy database to the rollback, with every refusal on the way."""

    def make(script: str) -> str:
        conninfo = make_database(script)
        name = f"RUNBOOK_{zlib.crc32(conninfo.encode())}"
        case.environment.setenv(name, conninfo)
        return f"env:{name}"

    done = list(case.checks(option, make))
    assert done[-1].title.startswith("rolled back")
    assert [each for each in done if not each.held] == []


@EVERY_OPTION
def test_a_runbook_mends_its_incident_and_takes_it_back(
    book: Runbook, option: str, make_database: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_through(Case(book, tmp_path, monkeypatch), option, make_database)


def test_a_folder_is_all_that_a_new_runbook_needs(
    make_database: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "mine"
    shutil.copytree(runbook.find("socket-sessions-updated-at").folder, place / "dropped-in")
    monkeypatch.setenv("MENDBOOK_RUNBOOKS", str(place))
    assert "dropped-in" in runbook.catalogue()
    take_through(Case(runbook.find("dropped-in"), tmp_path, monkeypatch), "", make_database)


@EVERY
def test_an_empty_database_is_never_called_mended(
    book: Runbook, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    incident = Case(book, tmp_path, monkeypatch).on(database)
    try:
        assert incident.diagnosed().exit_code == 3
    except Refused:
        assert incident.record["exit_code"] == 4


@EVERY
def test_an_option_that_is_not_offered_says_why(book: Runbook) -> None:
    for option in book.text.options:
        if option.advice == "not_offered":
            with pytest.raises(Usage, match=re.escape(option.reason)):
                book.option(option.id)


# ---- the files of a runbook


@EVERY
@pytest.mark.parametrize("name", ["broken.sql", "healthy.sql"])
def test_the_scripts_load_with_psql(book: Runbook, name: str, database: str, make_database: Make) -> None:
    script = book.folder / name
    if script.exists():
        psql = next(path for place in binaries.majors().values() if (path := place / "psql").exists())
        options = ["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1"]
        command = [str(psql), *options, "--file", str(script), "--dbname", database]
        done = subprocess.run(
            command, env=cluster.environment(psql.parent), capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout + done.stderr) == (0, "")
        assert fingerprint(database) == fingerprint(make_database(script.read_text(encoding="utf-8")))


@EVERY
def test_a_statement_stands_where_the_runbook_says(book: Runbook, tmp_path: Path) -> None:
    for statement in book.statements(book.values(Trial(book, tmp_path).values())):
        name, _, line = statement.at.rpartition(":")
        places = [path for path in (book.folder / name, book.folder / "app" / name) if path.is_file()]
        assert places or not (book.folder / "app").is_dir(), f"{statement.at} is not in app/"
        for path in places:
            lines = path.read_text(encoding="utf-8").splitlines()
            assert stands(lines, int(line), statement.sql), statement.at


def stands(lines: list[str], line: int, sql: str) -> bool:
    """Whether *sql* begins in that line, or, where no SQL is written, the call that makes an ORM send it."""
    before, text = words("\n".join(lines[: line - 1])), words("\n".join(lines))
    if words(sql) in text:
        return 0 <= text.find(words(sql), len(before)) < len(words("\n".join(lines[:line])))
    names = {name for alias, table in statements.tables(sql).items() for name in (alias, table[1])}
    singular = {name.lower().rstrip("s") for name in names}
    return any(word.lower().rstrip("s") in singular for word in re.findall(r"\w+", lines[line - 1]))


def words(text: str) -> str:
    """The text without what differs between SQL in a runbook and SQL in a string literal of the application."""
    return " ".join(re.sub(r"[\"'`]", " ", text).split())


# ---- a runbook that is written wrong

_SQL_STEP = "- sql: ALTER TABLE orders ADD COLUMN shipped_at timestamptz"


_MISTAKES = {
    "no end": ("impact:", "impact: [", "runbook.yaml:5:3: this is not YAML: expected the node content"),
    "colon": ("title: orders has", "title: orders: has", "runbook.yaml:1:14: this is not YAML: mapping values"),
    "tab": ("  - kind", "\t- kind", "runbook.yaml:16:1: this is not YAML: found character"),
    "python object": ("title: orders", "title: !!python/name:os.system orders", "runbook.yaml:1:8: this is not YAML"),
    "refers to itself": ("title: orders has no", "title: &a [*a] #", "runbook.yaml:1: title: text is wanted here"),
    "misspelt field": (
        "severity: high",
        "severty: high",
        "runbook.yaml:6: severty: there is no such field; did you mean severity?",
    ),
    "unknown field": ("severity: high", "quux: high", "runbook.yaml:6: quux: there is no such field; take it out"),
    "missing field": ("severity: high", "", "runbook.yaml:1: severity: this field is missing; add it"),
    "unknown word": (
        "severity: high",
        "severity: awful",
        "runbook.yaml:6: severity: Input should be 'critical', 'high'",
    ),
    "field twice": (
        "severity: high",
        "severity: high\nrisk: low",
        "risk: this field stands twice, and only the last would count",
    ),
    "number for text": (
        '"42703"',
        "42703",
        "runbook.yaml:17: symptoms.0.sqlstate: text is wanted here; put it in quotes",
    ),
    "bad SQLSTATE": ('"42703"', '"4270"', "runbook.yaml:17: symptoms.0.sqlstate: String should match"),
    "date for text": ("downtime: none", "downtime: 2020-01-01", "runbook.yaml:8: downtime: text is wanted here"),
    "bad id": ("id: ship-order", "id: Ship Order", "runbook.yaml:21: statements.0.id: String should match"),
    "id twice": (
        "options:",
        "  - {id: ship-order, at: 'a:1', sql: SELECT}\n\noptions:",
        "the id 'ship-order' is used twice",
    ),
    "none recommended": (
        "advice: recommended",
        "advice: possible",
        "options: exactly one option has the advice 'recommended'",
    ),
    "no reason": ("advice: recommended", "advice: not_offered", "runbook.yaml:26: options.0: say why in 'reason'"),
    "a session ended unasked": (
        _SQL_STEP,
        "- {end_sessions: SELECT 1}",
        "runbook.yaml:26: options.0: a session is only ended where the reader asks for it",
    ),
    "no steps": (f"steps:\n      {_SQL_STEP}", "steps: []", "runbook.yaml:26: options.0: give at least one step"),
    "unknown step": (
        _SQL_STEP,
        "- {shell: rm}",
        "runbook.yaml:32: options.0.steps.0: a step has one of the fields sql, migr",
    ),
    "text for a step": (
        _SQL_STEP,
        "- drop it",
        "runbook.yaml:32: options.0.steps.0: a step has one of the fields sql, migrations",
    ),
    "half a step": (
        _SQL_STEP,
        "- {edit: a.py, find: x}",
        "runbook.yaml:32: options.0.steps.0.replace: this field is missing",
    ),
    "no content": (
        _SQL_STEP,
        "- {write: a, content: b}",
        "runbook.yaml:32: options.0.steps.0: b is not in the runbook's folder",
    ),
    "no folder": (
        _SQL_STEP,
        "- {migrations: b, framework: prisma}",
        "options.0.steps.0: b is not in the runbook's folder",
    ),
    "unknown framework": (
        _SQL_STEP,
        "- {ledger: b, framework: orm}",
        "runbook.yaml:32: options.0.steps.0: 'orm' is no framework",
    ),
    "unknown statement": (
        "    exercises",
        "    becomes: {x: SELECT}\n    exercises",
        "becomes.x: this is no statement's id; name one",
    ),
    "unknown parameter": (
        "UPDATE orders",
        "UPDATE ${t}",
        "runbook.yaml:23: statements.0.sql: ${t} is no parameter; declare it under",
    ),
    "bad default": (
        "statements:",
        "parameters: {n: {type: integer, default: many, description: how many}}\nstatements:",
        "runbook.yaml:20: parameters.n.default: The parameter n wants a whole number, and got 'many'",
    ),
}


@pytest.mark.parametrize(("old", "new", "said"), _MISTAKES.values(), ids=_MISTAKES)
def test_a_mistake_is_named_with_its_line_and_the_way_out(old: str, new: str, said: str, tmp_path: Path) -> None:
    folder = authoring.start("orders-total", tmp_path)
    path = folder / "runbook.yaml"
    text = path.read_text(encoding="utf-8")
    assert runbook.problems(folder) == []
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    assert said in "\n".join(runbook.problems(folder))
    with pytest.raises(BadRunbook, match=re.escape(said)):
        runbook.load(folder)


@pytest.mark.parametrize(
    "text", [b"", b"- a\n", b"title: \xff\n", None], ids=["empty", "a list", "no UTF-8", "missing"]
)
def test_a_file_that_is_no_runbook_is_named(text: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "runbook.yaml"
    if text is not None:
        path.write_bytes(text)
    assert runbook.problems(tmp_path)[0].startswith(f"{path}:")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "each session begins with a line of its own: -- session: NAME"),
        ("SELECT 1;\n-- session: web\nSELECT 1;", "each session begins with a line of its own: -- session: NAME"),
        ("-- session: web\n\n-- session: worker\nBEGIN;", "the session 'web' needs SQL statements, and nothing else"),
        ("-- session: web\n\\watch 1", "the session 'web' needs SQL statements, and nothing else"),
        ("-- session:\nBEGIN;", "the session '' needs a name of its own; give it one"),
        ("-- session: web\nBEGIN;\n-- session: web\nBEGIN;", "the session 'web' needs a name of its own; give it one"),
    ],
)
def test_sessions_that_are_written_wrong_are_named(text: str, said: str, tmp_path: Path) -> None:
    folder = authoring.start("orders-total", tmp_path)
    (folder / "sessions.sql").write_text(text, encoding="utf-8")
    assert f"{folder / 'sessions.sql'}: {said}" in runbook.problems(folder)


def test_the_session_of_a_stale_plan_fails_as_its_error_says(make_database: Make) -> None:
    book = runbook.find("stale-plan")
    database = make_database(book.broken)
    with psycopg.connect(database, autocommit=True) as web:
        for name, text in book.sessions:
            with contextlib.nullcontext(web) if name == "web" else psycopg.connect(database) as conn:
                conn.execute(text.encode())
        with pytest.raises(psycopg.errors.FeatureNotSupported, match="cached plan must not change result type"):
            web.execute("EXECUTE parcel (1)")


@pytest.mark.parametrize("name", ["broken.sql", "error.txt"])
def test_a_runbook_without_its_reproduction_is_no_runbook(name: str, tmp_path: Path) -> None:
    folder = authoring.start("orders-total", tmp_path)
    (folder / name).unlink()
    [problem] = runbook.problems(folder)
    assert problem.startswith(f"{folder / name}: missing")
