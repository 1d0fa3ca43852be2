"""Changes of one schema of the size that applications have, made equal in both directions.

`make test` runs one in nine of them, `make convergence` all.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from mendbook import embedded
from mendbook.schema.clone import Clone

from tests.schema import pairs
from tests.schema.pairs import Pair

HERE = Path(__file__).parent
MUTATIONS = [line for line in (HERE / "mutations.sql").read_text().splitlines() if not line.startswith("--")]
CHOSEN = MUTATIONS[:: int(os.environ.get("MENDBOOK_EVERY", "9"))]


@pytest.fixture(scope="module")
def shop(server: embedded.Server) -> Iterator[Clone]:
    """The schema that is changed."""
    with ExitStack() as held:
        yield pairs.database(server, (HERE / "shop.sql").read_text(), held)


@pytest.mark.parametrize("mutation", CHOSEN)
def test_a_change_is_made_and_taken_back(mutation: str, shop: Clone) -> None:
    with shop.copy() as live, shop.copy() as desired:
        with desired.connect() as conn:
            conn.execute(mutation.encode())
        pair = Pair(live, desired)
        for each in (pair, pair.turned()):
            steps = each.plan().steps
            pairs.check_no_long_absence(steps)
            each.check_statements(steps)
            each.check_steps(steps)
