"""Convergence: each pair of schemas in tests/schemas, made equal in both directions, by any way that plans are run.

A case that holds ``refused.txt`` is refused in the direction that its first line names, with the words of the others;
one that begins with ``-- since 15`` needs that major version.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import groupby
from pathlib import Path

import psycopg
import pytest
from mendbook import embedded
from mendbook.errors import Refused
from mendbook.schema import ddl, drift, measure
from mendbook.schema.clone import Clone
from mendbook.schema.locks import Lock
from mendbook.schema.step import Step, Transaction

from tests.schema import dumps

CASES = Path(__file__).resolve().parents[1] / "schemas"
ROLES = ("reader", "Häfen writer", 'app"owner')  # what grants and policies of the cases name


@pytest.fixture(scope="session", autouse=True)
def roles(server: embedded.Server) -> Iterator[None]:
    """Roles with unusual names, for this session alone."""
    with psycopg.connect(server.conninfo(), autocommit=True) as conn:
        named = [psycopg.sql.Identifier(each) for each in ROLES]
        for each in named:
            conn.execute(psycopg.sql.SQL("CREATE ROLE {}").format(each))
        yield
        for each in named:
            conn.execute(psycopg.sql.SQL("DROP ROLE {}").format(each))


def cases() -> list[object]:
    return [
        pytest.param(folder, direction, id=f"{folder.name}-{direction}")
        for folder in sorted(CASES.iterdir())
        for direction in ("there", "back")
    ]


class Pair:
    """Two databases: one to change, and one that says what it should become."""

    def __init__(self, server: embedded.Server, live: str, desired: str, held: ExitStack) -> None:
        self.server = server
        self.held = held
        self.live, self.desired = (self._make(each) for each in (live, desired))
        self.before, self.after = self.live.snapshot(), self.desired.snapshot()

    def _make(self, statements: str) -> Clone:
        name = self.held.enter_context(self.server.scratch())
        with psycopg.connect(self.server.conninfo(name), autocommit=True) as conn:
            conn.execute(statements.encode())
        return Clone(
            server=self.server, database=name, role="postgres", schemas=("public",), search_path=None, omissions=()
        )

    def plan(self, *, drops: bool = True) -> ddl.Repair:
        return ddl.repair(drift.compare(self.before, self.after), self.before, self.after, drops=drops)


@pytest.mark.parametrize(("folder", "direction"), cases())
def test_one_schema_becomes_the_other(folder: Path, direction: str, server: embedded.Server) -> None:
    sides = [(folder / f"{name}.sql").read_text() for name in ("live", "desired")]
    since = re.match(r"-- since (\d+)", sides[0])
    if since and server.major < int(since[1]):
        pytest.skip(f"needs PostgreSQL {since[1]}; name the bin directory of one in MENDBOOK_PG_BIN")
    refusal = _refusal(folder, direction)
    with ExitStack() as held:
        pair = Pair(server, *(sides if direction == "there" else reversed(sides)), held)
        if refusal is not None:
            with pytest.raises(Refused) as refused:
                pair.plan()
            assert refusal in str(refused.value)
            return
        steps = pair.plan().steps
        assert steps or pair.before == pair.after
        _by_psql(pair, steps)
        _by_steps(pair, steps)


def _refusal(folder: Path, direction: str) -> str | None:
    path = folder / "refused.txt"
    if not path.exists():
        return None
    which, _, words = path.read_text().strip().partition("\n")
    return words if which in (direction, "both") else None


def _by_psql(pair: Pair, steps: tuple[Step, ...]) -> None:
    """Statement by statement, each committed; the dumps are equal then."""
    with pair.live.copy() as copy:
        script = "\n".join(f"{statement};" for step in steps for statement in step.forward)
        done = subprocess.run(
            [dumps.tool("psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", pair.server.conninfo(copy.database)],
            input=script,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{done.stderr}\n{script}"
        assert_same(copy, pair, script)
        differs = dumps.difference(copy, pair.desired)
        assert not differs, f"{differs}\n{script}"


def _by_steps(pair: Pair, steps: tuple[Step, ...]) -> None:
    """Step by step with locks and rewrites measured; taken back; and once more, as a plan is applied."""
    told = "\n".join("; ".join((f"-- {step.title}\n", *step.forward)) for step in steps)
    with pair.live.copy() as copy:
        measured, problem = measure.forward(copy, steps)
        assert not problem, told
        for step, seen in zip(steps, measured, strict=True):
            for name, lock in seen.locks.items():
                assert step.locks.get(name, Lock.ACCESS_SHARE).covers(lock), f"{step.title}: {lock!s} on {name}"
            assert set(seen.rewrites) <= set(step.rewrites), step.title
        assert_same(copy, pair, told)
        if not any(step.undo_loses.startswith("nothing") for step in steps):
            problem = measure.backward(copy, steps)
            assert not problem, f"{problem}\n{told}"
            back = drift.compare(copy.snapshot(), pair.before)
            assert not back, f"{back}\n{told}\n" + "\n".join(each for step in reversed(steps) for each in step.undo)
            _apply(copy, steps)
            assert_same(copy, pair, told)


def _apply(copy: Clone, steps: tuple[Step, ...]) -> None:
    """Neighbours that may share a transaction do."""
    with copy.connect() as conn:
        for shared, group in groupby(steps, key=lambda step: step.transaction is Transaction.SHARED):
            with conn.transaction() if shared else ExitStack():
                for step in group:
                    for statement in step.forward:
                        conn.execute(statement.encode())


def assert_same(copy: Clone, pair: Pair, told: str) -> None:
    left = drift.compare(copy.snapshot(), pair.after)
    assert not left, f"{left}\n{told}"
