"""Stories that are struck: a runbook, diagnosed once, then repaired and rolled back while something goes wrong."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any

import psycopg
import pytest
from mendbook import embedded
from mendbook.runbook import Runbook
from mendbook.schema.key import qualified
from mendbook.schema.relations import Index
from mendbook.schema.snapshot import Snapshot
from mendbook.stages import plan, resume
from mendbook.target import Target
from mendbook.trial import State

from tests.helpers import read
from tests.test_runbooks import Case


class Runner:
    """A process of `tests.faults.runner`."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.runner"],
            cwd=Path(__file__).resolve().parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Runner:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.communicate()

    def begin(self, story: Story, do: str, *, fault: str = "", at: int = 0, wait: float = 20.0) -> int:
        """Begin a repair or a rollback; returns its pid."""
        where = {"folder": str(story.folder), "digest": story.plan.digest, "environment": story.environment}
        command = {"do": do, "fault": fault, "at": at, "wait": wait, **where}
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        return int(self._answer()["pid"])

    def end(self) -> int:
        """Wait for what was begun; returns its exit code, negative for a signal."""
        return int(self._answer()["code"])

    def run(self, story: Story, do: str, **fault: Any) -> int:
        """Begin and end."""
        self.begin(story, do, **fault)
        return self.end()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer


@dataclass(frozen=True, kw_only=True)
class Story:
    """A runbook on a broken database, diagnosed."""

    name: str
    case: Case
    server: embedded.Server
    database: str
    folder: Path
    pristine: Path  # the folder as the diagnosis left it
    plan: plan.Plan
    before: State

    @property
    def conninfo(self) -> str:
        """Where the database is."""
        return self.server.conninfo(self.database)

    @property
    def environment(self) -> dict[str, str]:
        """What the runner needs to find the database."""
        return {"RUNBOOK_TARGET": self.conninfo}

    def state(self) -> State:
        """What is there now."""
        return self.case.state(Target(reference="test", _conninfo=self.conninfo))

    def again(self) -> None:
        """Begin anew: the database and the folder as they were before anything was applied."""
        self.server.drop(self.database)
        self.server.create(self.database, template=f"{self.database}_pristine")
        shutil.rmtree(self.folder)
        shutil.copytree(self.pristine, self.folder)

    def copied(self, folder: Path) -> Story:
        """The same incident in a copy of its folder, as on another machine."""
        shutil.copytree(self.folder, folder)
        return replace(self, folder=folder)

    def steps_done(self) -> int:
        """How many groups of steps a run from this folder has done."""
        journal = self.folder / "journal.jsonl"
        return journal.read_text().count('"done"') if journal.exists() else 0

    def is_back(self) -> bool:
        """Whether everything is as it was before, but for what no rollback takes back."""
        now = self.state()
        return now[1:] == self.before[1:] and (now[0] == self.before[0] or bool(self.plan.lasting))

    def assert_whole(self) -> None:
        """The schema is that before or after a step, but for the index of a step that runs outside a transaction."""
        self.wait_for_sessions()
        live = read(self.conninfo)
        built = {name for step in self.plan.steps for name in resume.indexes(step)}
        half = {k for k, v in live.objects.items() if isinstance(v, Index) and qualified(k.schema, k.part) in built}
        half = {key for key in half if not live.objects[key].valid}
        rest = {key: item for key, item in live.objects.items() if key not in half}
        parts = Snapshot(objects=rest).parts
        assert any(parts == self.plan.parts_after(count) for count in range(len(self.plan.steps) + 1)), self.name

    def wait_for_sessions(self) -> None:
        """Wait until the server is up, and has noticed that a client is gone."""
        busy = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'mendbook%'"
        end = time.monotonic() + 60
        while time.monotonic() < end:
            with suppress(psycopg.OperationalError), psycopg.connect(self.conninfo, autocommit=True) as conn:
                if not conn.execute(busy).rowcount:
                    return
            time.sleep(0.01)
        raise AssertionError("a session of the run that was killed is still there")


@contextmanager
def told(book: Runbook, option: str, server: embedded.Server, database: str, folder: Path) -> Iterator[Story]:
    """Diagnose a runbook on the broken *database*."""
    server.create(f"{database}_pristine", template=database)
    with pytest.MonkeyPatch.context() as environment:
        case = Case(book, folder, environment)
        found = case.on(server.conninfo(database), option)
        assert found.diagnosed().exit_code == 3
        pristine = folder / "pristine"
        shutil.copytree(found.folder, pristine)
        story = Story(
            name=f"{book.slug} {found.option.id}",
            case=case,
            server=server,
            database=database,
            folder=found.folder,
            pristine=pristine,
            plan=found.plan,
            before=("", {}, {}),
        )
        yield replace(story, before=story.state())


def both_ways(story: Story, runner: Runner) -> tuple[State, dict[str, float]]:
    """Repair and roll back undisturbed; returns the state between, and how long each took."""
    took = {}
    for do in ("repair", "rollback"):
        start = time.monotonic()
        assert runner.run(story, do) == 0, story.name
        took[do] = time.monotonic() - start
        if do == "repair":
            after = story.state()
    assert story.is_back()
    return after, took


def strike(story: Story, runner: Runner, after: State, do: str, fault: str, at: int) -> bool:
    """One run that is struck, and what follows; returns whether the fault came to pass."""
    story.again()
    if do == "rollback":
        assert runner.run(story, "repair") == 0, story.name
    runner.run(story, do, fault=fault, at=at)
    story.assert_whole()
    assert_goes_on(story, runner, after)
    return (story.folder / "struck").exists()


def kill_at_an_instant(story: Story, runner: Runner, after: State, do: str, most: float) -> None:
    """Kill one run at any instant up to *most* seconds after its beginning, and see what follows."""
    story.again()
    if do == "rollback":
        assert runner.run(story, "repair") == 0, story.name
    pid = runner.begin(story, do)
    time.sleep(random.uniform(0, most))  # noqa: S311
    kill(pid)
    runner.end()
    story.assert_whole()
    assert_goes_on(story, runner, after)


def two_at_once(story: Story, rival: Story, runners: tuple[Runner, Runner], after: State) -> None:
    """Two runs begun together: one applies, and the other says why it does not."""
    for runner, each in zip(runners, (story, rival), strict=True):
        runner.begin(each, "repair")
    codes = sorted(runner.end() for runner in runners)
    assert codes[0] == 0, codes
    assert codes[1] in (4, 7), codes
    assert story.state() == after
    assert runners[0].run(max(story, rival, key=Story.steps_done), "rollback") == 0
    assert story.is_back()


def kill(pid: int) -> None:
    """Kill a process, unless it has ended already."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def assert_goes_on(story: Story, runner: Runner, after: State) -> None:
    """After a fault the repair ends verified, with everything there once, and can be taken back."""
    code = runner.run(story, "repair")
    record = json.loads((story.folder / "record.json").read_text())
    # A run that was killed after its verdict needs no other one, which says that the incident is mended.
    assert code == 0 or (code == 4 and record["exit_code"] == 0), (story.name, record["verdict"], record["history"][-1])
    assert story.state() == after, story.name
    code = runner.run(story, "rollback")
    # What lasts mends the incident also after a rollback that was struck at its very end: nothing is left to take back.
    assert code == 0 or (code == 4 and story.plan.lasting), story.name
    assert story.is_back()
