"""Real processes that are killed, and real sessions that are ended: nothing is half done, nothing is applied twice."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from mendbook import authoring, runbook
from mendbook.runbook import Runbook

from tests.faults.harness import Runner, Story, assert_goes_on, both_ways, kill, told
from tests.helpers import run

Make = Callable[[str], str]

# A transaction, an index outside of one, a backfill that commits in batches, a constraint over an index built before,
# and a record of a migration, which no schema shows.
STEPS = """
- sql: CREATE INDEX orders_placed_at ON orders (placed_at)
- sql: ALTER TABLE orders ADD COLUMN token uuid NOT NULL DEFAULT gen_random_uuid()
- sql: ALTER TABLE orders ADD CONSTRAINT once UNIQUE (id, placed_at)
- sql: CREATE TABLE parcels (id int PRIMARY KEY)
- {ledger: "0007", framework: numbered}
"""


@pytest.fixture
def runner() -> Iterator[Runner]:
    with Runner() as started:
        yield started


@pytest.fixture
def story(make_database: Make, tmp_path: Path) -> Iterator[Story]:
    """Several steps of every kind, on a table with rows."""
    folder = authoring.start("orders-shipped-at", tmp_path / "runbooks")
    text = yaml.safe_load((folder / "runbook.yaml").read_text())
    text["options"][0]["steps"] += yaml.safe_load(STEPS)
    (folder / "runbook.yaml").write_text(yaml.safe_dump(text))
    book = runbook.load(folder)
    conninfo = make_database(book.broken)
    run(conninfo, "INSERT INTO orders (placed_at) SELECT now() FROM generate_series(1, 5000)")
    with told(book, "", conninfo, tmp_path) as begun:
        yield begun


def test_a_runner_that_is_killed_at_any_journal_line_is_gone_on_with(story: Story, runner: Runner) -> None:
    after, _ = both_ways(story, runner)
    for do in ("repair", "rollback"):
        at = 0
        while True:
            at += 1
            story.again()
            if do == "rollback":
                assert runner.run(story, "repair") == 0
            code = runner.run(story, do, fault="kill at write", at=at)
            story.assert_whole()
            assert_goes_on(story, runner, after)
            if code == 0:
                break
            assert code == -9, (do, at)
        assert at > len(story.plan.steps), do


def test_a_runner_that_is_killed_at_any_instant_is_gone_on_with(story: Story, runner: Runner) -> None:
    after, took = both_ways(story, runner)
    for _ in range(4):
        for do in ("repair", "rollback"):
            story.again()
            if do == "rollback":
                assert runner.run(story, "repair") == 0
            pid = runner.begin(story, do)
            time.sleep(random.uniform(0, took[do]))
            kill(pid)
            runner.end()
            story.assert_whole()
            assert_goes_on(story, runner, after)
