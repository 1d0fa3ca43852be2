"""Every file in ``frameworks/``: found by listing, sound by itself, and with a text that shows it."""

from __future__ import annotations

import re
import tomllib
import typing
from pathlib import Path

import pytest
from mendbook import frameworks
from mendbook.frameworks import Framework, Kind
from mendbook.symptom import location

FILES = Path(frameworks.__file__).parent
SHOWN = {
    entry["says"].get("framework")
    for path in (Path(__file__).parent / "texts").glob("*.toml")
    for entry in tomllib.loads(path.read_text("utf-8"))["text"]
}
EVERY = pytest.mark.parametrize("framework", frameworks.listing().values(), ids=frameworks.listing().keys())


def test_each_file_is_one_framework() -> None:
    assert len(frameworks.listing()) == len([path for path in FILES.glob("*.py") if path.stem != "__init__"])


@EVERY
def test_it_says_where_its_facts_are_from(framework: Framework) -> None:
    assert framework.title
    assert framework.home


@EVERY
def test_what_it_stands_on_is_there(framework: Framework) -> None:
    assert set(framework.over) <= frameworks.listing().keys() - {framework.name}


@EVERY
def test_its_patterns_can_be_read(framework: Framework) -> None:
    for pattern in (*framework.shapes, *framework.hints, *framework.introductions):
        re.compile(pattern)
    for form in framework.statements:
        assert "sql" in re.compile(form.replace("{message}", "")).groupindex


@EVERY
def test_its_kinds_are_ours(framework: Framework) -> None:
    kinds = {wording.kind for wording in framework.wordings} | set(framework.codes.values())
    assert kinds <= set(typing.get_args(Kind))


@EVERY
def test_a_text_shows_it(framework: Framework) -> None:
    if framework.marks or framework.shapes or framework.wordings:
        assert framework.name in SHOWN


@pytest.mark.parametrize(
    ("frame", "path"),
    [
        ("    at list (/srv/lobby/src/rooms.js:4:5)", "src/rooms.js:4"),
        ("    at async file:///home/kim/lobby/rooms.mts:4:5", "rooms.mts:4"),
        (r"    at list (C:\work\lobby\src\rooms.js:4:5)", r"src\rooms.js:4"),
        ('  File "/app/lobby/rooms.py", line 4, in list', "lobby/rooms.py:4"),
        ("\tat org.lobby.Rooms.list(Rooms.java:4)", "Rooms.java:4"),
        ("\tat org.lobby.Rooms$Companion.list(Rooms.kt:4)", "Rooms.kt:4"),
        ("   at Lobby.Rooms.List() in /src/Lobby/Rooms.cs:line 4", "Lobby/Rooms.cs:4"),
        ("    (lobby 0.1.0) lib/lobby/rooms.ex:4: Lobby.Rooms.list/0", "lib/lobby/rooms.ex:4"),
        ("/srv/lobby/app/rooms.rb:4:in 'list'", "app/rooms.rb:4"),
        ("app/rooms.rb:4:in `block in list'", "app/rooms.rb:4"),
        ("app/rooms.rb:4 - list", "app/rooms.rb:4"),
        ("#1 /var/www/html/src/Rooms.php(4): list()", "src/Rooms.php:4"),
        ("  3   app/Rooms.php:4", "app/Rooms.php:4"),
        ("\t/go/src/example.org/kim/lobby/rooms.go:4 +0x1d", "rooms.go:4"),
        ("   4: lobby::rooms::list\n             at ./src/rooms.rs:4:5", "src/rooms.rs:4"),
        ("failed at /srv/lobby/Rooms.pm line 4.", "Rooms.pm:4"),
        ("psql:fix/rooms.sql:4: ERROR:  x", "fix/rooms.sql:4"),
    ],
)
def test_a_frame_of_each_language_is_read(frame: str, path: str) -> None:
    found = location.innermost(frame, 0, 0)
    assert found is not None
    assert f"{location.relative(found.path, [found])}:{found.line}" == path


@pytest.mark.parametrize(
    "frame",
    [
        "    at Parser.parse (/srv/lobby/node_modules/pg-protocol/dist/parser.js:4:5)",
        "    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)",
        '  File "/srv/lobby/.venv/lib/python3.12/site-packages/psycopg/cursor.py", line 97, in execute',
        '  File "/usr/lib/python3.12/asyncio/runners.py", line 4, in run',
        "\tat org.postgresql.jdbc.PgStatement.execute(PgStatement.java:4)",
        "\tat java.base/java.lang.Thread.run(Thread.java:4)",
        "\tat org.springframework.jdbc.core.JdbcTemplate.execute(JdbcTemplate.java:4)",
        "   at Npgsql.NpgsqlCommand.ExecuteReader() in /_/src/Npgsql/NpgsqlCommand.cs:line 4",
        "    (ecto_sql 3.11.1) lib/ecto/adapters/sql.ex:4: Ecto.Adapters.SQL.query/4",
        "/usr/local/bundle/gems/pg-1.5.4/lib/pg/connection.rb:4:in 'exec'",
        "#0 /var/www/html/vendor/laravel/framework/src/Connection.php(4): run()",
        "\t/go/pkg/mod/github.com/jackc/pgx/v5@v5.5.0/conn.go:4 +0x1d",
        "             at /rustc/9fc6b43126/library/std/src/panicking.rs:4:5",
        "             at /home/app/.cargo/registry/src/registry-6f17d22bba15001f/sqlx-core-0.7.3/src/pool.rs:4:5",
    ],
)
def test_a_frame_of_a_library_is_not_the_applications(frame: str) -> None:
    assert location.innermost(frame, 0, 0) is None
