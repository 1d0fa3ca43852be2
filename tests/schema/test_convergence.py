"""Convergence: each pair of schemas in tests/schemas, made equal in both directions, by any way that plans are run.

A case that holds ``refused.txt`` is refused in the direction that its first line names, with the words of the others;
one that begins with ``-- since 15`` needs that major version.
"""

from __future__ import annotations

import re
from contextlib import ExitStack
from pathlib import Path

import pytest
from mendbook import embedded
from mendbook.errors import Refused
from mendbook.schema import drift

from tests.schema import pairs
from tests.schema.pairs import Pair

CASES = Path(__file__).resolve().parents[1] / "schemas"

every_case = pytest.mark.parametrize(
    ("folder", "direction"),
    [
        pytest.param(folder, direction, id=f"{folder.name}-{direction}")
        for folder in sorted(CASES.iterdir())
        for direction in ("there", "back")
    ],
)


def make(folder: Path, direction: str, server: embedded.Server, held: ExitStack) -> Pair:
    """The two databases of a case."""
    sides = [(folder / f"{name}.sql").read_text() for name in ("live", "desired")]
    since = re.match(r"-- since (\d+)", sides[0])
    if since and server.major < int(since[1]):
        pytest.skip(f"needs PostgreSQL {since[1]}; name the bin directory of one in MENDBOOK_PG_BIN")
    live, desired = (pairs.database(server, each, held) for each in sides)
    return Pair(live, desired) if direction == "there" else Pair(desired, live)


def refusal(folder: Path, direction: str) -> str | None:
    """The words with which a case is refused; None: it is not."""
    path = folder / "refused.txt"
    which, _, words = path.read_text().strip().partition("\n") if path.exists() else ("", "", "")
    return words if which in (direction, "both") else None


@every_case
def test_one_schema_becomes_the_other(folder: Path, direction: str, server: embedded.Server) -> None:
    with ExitStack() as held:
        pair = make(folder, direction, server, held)
        words = refusal(folder, direction)
        if words is not None:
            with pytest.raises(Refused) as refused:
                pair.plan()
            assert words in str(refused.value)
            return
        steps = pair.plan().steps
        assert steps
        pairs.check_no_long_absence(steps)
        pair.check_statements(steps)
        pair.check_steps(steps)


@every_case
def test_without_drops_only_what_is_listed_is_left(folder: Path, direction: str, server: embedded.Server) -> None:
    with ExitStack() as held:
        pair = make(folder, direction, server, held)
        try:
            planned = pair.comparison().repair(drops=False)
        except Refused as refused:
            names = {each.key.part or each.key.name for each in drift.compare(pair.before, pair.after).differences}
            assert any(name in str(refused) for name in names)
            return
        assert not any(step.loses for step in planned.steps)
        with pair.live.copy() as copy:
            script = pairs.run(copy, planned.steps)
            left = {item.key for item in drift.compare(copy.snapshot(), pair.after).differences}
            listed = {each.difference.key.owner for each in planned.left}
            unlisted = [key for key in left if key.owner not in listed]
            assert not unlisted, f"{unlisted}\n{script}"
            assert bool(left) == bool(planned.left)
