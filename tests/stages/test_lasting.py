"""Migrations that the real tools find, and then find nothing left to do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from mendbook import ledger
from mendbook.schema import ddl, drift, records
from mendbook.schema.ddl import Step
from mendbook.stages import lasting
from mendbook.stages.lasting import Lasting
from mendbook.target import Target, identify

from tests.helpers import read, run
from tests.schema.test_audit import deploy, verdicts
from tests.tools import TOOLS, App, Tool

Make = Callable[[str], str]
WRITTEN = {name: tool for name, tool in TOOLS.items() if name != "drizzle"}
EVERY = pytest.mark.parametrize("tool", WRITTEN.values(), ids=WRITTEN.keys())
AT = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)

LIVE = """
CREATE TABLE orders (id bigint PRIMARY KEY, total numeric);
CREATE TYPE size AS ENUM ('S');
"""
DESIRED = """
CREATE TABLE orders (id bigint PRIMARY KEY, total numeric, note text DEFAULT 'a:b ? ${c} `d` \\ %s "e" ''f''');
CREATE TYPE size AS ENUM ('S', 'M');
CREATE TYPE state AS ENUM ('open');
CREATE TABLE items (id bigint PRIMARY KEY, "order" bigint REFERENCES orders, "a ""b" text);
COMMENT ON TABLE items IS 'What was ordered; one row each';
CREATE INDEX orders_note ON orders (note);
COMMENT ON INDEX orders_note IS 'for the search';
ALTER TABLE orders ADD CONSTRAINT orders_note_key UNIQUE (note), ADD CONSTRAINT "To""tal" CHECK (total > 0);
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.note := 'x';

    RETURN NEW;
END $$;
CREATE TRIGGER orders_stamp BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION stamp();
"""


@pytest.fixture
def make_app(tmp_path: Path, make_database: Make) -> Callable[[Tool], App]:
    return lambda tool: App(tool, tmp_path, make_database(""))


@pytest.fixture
def steps(make_database: Make) -> tuple[Step, ...]:
    live, desired = read(make_database(LIVE)), read(make_database(DESIRED))
    return ddl.steps(drift.compare(live, desired), live, desired)


def prepared(app: App) -> None:
    """The application with its first migration, beside which a size was made by hand."""
    app.add(0)
    deploy(app)
    run(app.conninfo, "CREATE TYPE size AS ENUM ('S')")


def record(app: App, made: Lasting) -> None:
    with Target(reference="test", _conninfo=app.conninfo).reading() as conn:
        found = records.read(conn, read(app.conninfo), identify(conn), ledger.of(app.tool.framework))
        recorded = list(lasting.records(made, found))
    for step in recorded:
        run(app.conninfo, ";".join(step.forward))


def applied(app: App, steps: tuple[Step, ...]) -> None:
    with psycopg.connect(app.conninfo, autocommit=True) as conn:
        for step in steps:
            for statement in step.forward:
                conn.execute(statement.encode())


@EVERY
def test_after_the_row_the_tool_finds_nothing_to_do(
    tool: Tool, make_app: Callable[[Tool], App], steps: tuple[Step, ...]
) -> None:
    app = make_app(tool)
    prepared(app)
    applied(app, steps)
    made = lasting.make(steps, framework=tool.framework, folder=app.migrations)
    record(app, made)
    lasting.save(made, app.migrations)
    before = read(app.conninfo).fingerprint()
    assert app.status().endswith("exit code 0")
    assert set(verdicts(app)) == {"applied"}
    if tool.apply:
        app.apply()
    assert read(app.conninfo).fingerprint() == before
    assert set(verdicts(app)) == {"applied"}


@pytest.mark.parametrize("tool", [each for each in WRITTEN.values() if each.apply], ids=lambda tool: tool.framework)
@pytest.mark.parametrize("fixed", [False, True])
def test_without_the_row_the_tool_runs_it_whether_the_fix_is_there_or_not(
    tool: Tool, fixed: bool, make_app: Callable[[Tool], App], steps: tuple[Step, ...], make_database: Make
) -> None:
    app = make_app(tool)
    prepared(app)
    if fixed:
        applied(app, steps)
    made = lasting.make(steps, framework=tool.framework, folder=app.migrations)
    lasting.save(made, app.migrations)
    app.apply()
    assert set(verdicts(app)) == {"applied"}
    assert read(app.conninfo).objects.keys() >= read(make_database(DESIRED)).objects.keys()
