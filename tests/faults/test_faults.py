"""Real processes that are killed, and real sessions that are ended: nothing is half done, nothing is applied twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import yaml
from mendbook import authoring, embedded, runbook

from tests.faults.harness import (
    Runner,
    State,
    Story,
    assert_goes_on,
    both_ways,
    kill,
    kill_at_an_instant,
    strike,
    told,
    two_at_once,
)
from tests.helpers import run
from tests.run.test_notebooks import wait_for

# A transaction, an index outside of one, a backfill that commits in batches, a constraint over an index built before,
# and a record of a migration, which no schema shows.
STEPS = """
- sql: CREATE INDEX orders_placed_at ON orders (placed_at)
- sql: ALTER TABLE orders ADD COLUMN token uuid NOT NULL DEFAULT gen_random_uuid()
- sql: ALTER TABLE orders ADD CONSTRAINT once UNIQUE (id, placed_at)
- sql: CREATE TABLE parcels (id int PRIMARY KEY)
- {ledger: "0007", framework: numbered}
"""


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    with Runner() as started:
        yield started


@pytest.fixture(scope="module")
def story(server: embedded.Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Several steps of every kind, on a table with rows."""
    place = tmp_path_factory.mktemp("faults")
    folder = authoring.start("orders-shipped-at", place / "runbooks")
    text = yaml.safe_load((folder / "runbook.yaml").read_text())
    text["options"][0]["steps"] += yaml.safe_load(STEPS)
    (folder / "runbook.yaml").write_text(yaml.safe_dump(text))
    book = runbook.load(folder)
    with server.scratch() as name:
        conninfo = server.conninfo(name)
        run(conninfo, book.broken)
        run(conninfo, "INSERT INTO orders (placed_at) SELECT now() FROM generate_series(1, 20000)")
        with told(book, "", server, name, place) as begun:
            yield begun


@pytest.fixture(scope="module")
def undisturbed(story: Story, runner: Runner) -> tuple[State, dict[str, float]]:
    return both_ways(story, runner)


Undisturbed = tuple[State, dict[str, float]]


@pytest.mark.parametrize(("do", "at"), [("repair", 4), ("repair", 9), ("repair", 21), ("rollback", 6)])
def test_what_is_killed_at_a_line_of_the_journal_is_gone_on_with(
    do: str, at: int, story: Story, runner: Runner, undisturbed: Undisturbed
) -> None:
    assert strike(story, runner, undisturbed[0], do, fault="kill at write", at=at)


@pytest.mark.parametrize("do", ["repair", "rollback"])
def test_what_is_killed_at_any_instant_is_gone_on_with(
    do: str, story: Story, runner: Runner, undisturbed: Undisturbed
) -> None:
    kill_at_an_instant(story, runner, undisturbed[0], do, undisturbed[1][do])


@pytest.mark.parametrize("at", [44, 58])
def test_what_loses_its_session_goes_on_over_another(
    at: int, story: Story, runner: Runner, undisturbed: Undisturbed
) -> None:
    assert strike(story, runner, undisturbed[0], "repair", fault="end the session", at=at)


@pytest.mark.parametrize("copied", [False, True])
def test_of_two_runs_of_one_plan_one_applies_and_the_other_says_why(
    copied: bool, story: Story, runner: Runner, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    """From one folder, and from a copy of it as on another machine."""
    story.again()
    rival = story.copied(tmp_path / "copy") if copied else story
    with Runner() as second:
        two_at_once(story, rival, (runner, second), undisturbed[0])


def test_half_an_index_is_removed_before_it_is_built_again(
    story: Story, runner: Runner, undisturbed: Undisturbed
) -> None:
    """The build waits for an old snapshot when its runner is killed."""
    story.again()
    with psycopg.connect(story.conninfo) as reader:
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        reader.execute("SELECT 1")
        pid = runner.begin(story, "repair")
        wait_for(lambda: invalid(story) == ["once"])
        kill(pid)
        runner.end()
        story.assert_whole()
        assert invalid(story) == ["once"]
    assert_goes_on(story, runner, undisturbed[0])


def test_half_an_index_is_removed_before_the_same_run_tries_again(
    story: Story, runner: Runner, undisturbed: Undisturbed
) -> None:
    story.again()
    with psycopg.connect(story.conninfo) as reader:
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        reader.execute("SELECT 1")
        runner.begin(story, "repair", wait=60)
        wait_for(lambda: '"waited"' in (story.folder / "journal.jsonl").read_text())
    assert runner.end() == 0
    assert story.state() == undisturbed[0]
    assert invalid(story) == []


def test_rows_that_were_filled_before_the_runner_was_killed_are_filled_once(
    story: Story, runner: Runner, undisturbed: Undisturbed
) -> None:
    """The first batch is committed; the next one waits for a row when its runner is killed."""
    story.again()
    assert runner.run(story, "repair", fault="kill at write", at=6) == -9
    assert tokens(story) == {}
    with psycopg.connect(story.conninfo) as writer:
        writer.execute("SELECT FROM orders WHERE id = 20000 FOR UPDATE")
        pid = runner.begin(story, "repair")
        wait_for(lambda: bool(tokens(story)))
        kill(pid)
        runner.end()
        story.assert_whole()
    filled = tokens(story)
    assert 0 < len(filled) < 20000
    assert runner.run(story, "repair") == 0
    assert story.state() == undisturbed[0]
    now = tokens(story)
    assert len(now) == 20000
    assert filled.items() <= now.items()


def invalid(story: Story) -> list[str]:
    """The names of the indexes that are not valid."""
    with psycopg.connect(story.conninfo) as conn:
        found = conn.execute("SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid")
        return [name for (name,) in found]


def tokens(story: Story) -> dict[int, str]:
    """The tokens that are there, by the order's id."""
    column = "SELECT FROM pg_attribute WHERE attrelid = 'orders'::regclass AND attname = 'token'"
    with psycopg.connect(story.conninfo) as conn:
        if not conn.execute(column).rowcount:
            return {}
        return dict(conn.execute("SELECT id, token::text FROM orders WHERE token IS NOT NULL").fetchall())
