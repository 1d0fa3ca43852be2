"""The schema that the application states, for runbooks that go by it: what a database lacks, and what adds it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from mendbook.schema import ddl, drift, expectation
from mendbook.schema.ddl import Repair
from mendbook.schema.expectation import Expectation
from mendbook.schema.snapshot import Snapshot
from mendbook.stages.script import Statement


def repair(live: Snapshot, reference: str) -> Repair:
    """What makes *live* what *reference* states, save what would be dropped or lost.

    Raises what `expectation.read` raises, and `Refused` for what cannot be reconciled.
    """
    wanted = _read(reference, live.major).snapshot
    return ddl.repair(drift.compare(live, wanted), live, wanted, drops=False)


def script(live: Snapshot, reference: str) -> Iterator[Statement]:
    """The statements of that repair."""
    for number, step in enumerate(repair(live, reference).steps, 1):
        for statement in step.forward:
            yield Statement(text=statement, place=f"step {number} towards {reference}")


@cache
def _read(reference: str, major: int) -> Expectation:
    """Read once for all stages of a run: an application's tools take seconds."""
    return expectation.read(reference, major=major)
