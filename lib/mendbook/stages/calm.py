"""Calm: the next step begins only where the canary sings, and a backfill goes on only where nobody falls behind."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NoReturn

import psycopg

from mendbook.errors import Halted
from mendbook.stages import blockers
from mendbook.stages.blockers import Blocker, Blockers
from mendbook.stages.canary import Canary
from mendbook.stages.execution import Clock, Numbered


class Calm:
    """What has to be calm before more is done over one connection."""

    def __init__(
        self, conn: psycopg.Connection[Any], canary: Canary, wait: float, tell: Callable[[Blockers], None]
    ) -> None:
        self._conn, self._canary, self._wait, self._tell = conn, canary, wait, tell
        self._behind = blockers.behind(conn)

    def before(self, group: list[Numbered]) -> None:
        """Return when the canary sings; raises `Halted` where it is broken, or is not answered in the time allowed."""
        what = group[0][1].title
        self._canary.round()
        if self._canary.broken():
            _halt(what, "The canary broke", self._canary.broken())
        self._settle(what, lambda: [_canary(each) for each in self._canary.stuck()], again=self._canary.round)

    def between_slices(self) -> None:
        """Return when the canary is quick and the standbys keep up; raises `Halted` where that takes too long."""
        if self._canary.broken():
            _halt("the rest of a backfill", "The canary broke", self._canary.broken())
        self._settle(
            "the rest of a backfill",
            lambda: [*map(_canary, self._canary.slow()), *blockers.falling_back(self._conn, self._behind)],
        )

    def _settle(
        self, what: str, troubles: Callable[[], Iterable[Blocker]], again: Callable[[], None] = lambda: None
    ) -> None:
        clock, attempt, told = Clock(self._wait), 0, False
        while found := tuple(troubles()):
            attempt += 1
            if not told:
                self._tell(Blockers(found=found, waiting=True))
                told = True
            if not clock.pause(attempt):
                _halt(what, f"This did not settle in {self._wait:.0f} s", [f"{each.who} {each.why}" for each in found])
            again()
        if told:
            self._tell(Blockers(found=(), waiting=True))


def _canary(why: str) -> Blocker:
    return Blocker(who="the canary", what="is not answered", role="", application="", seconds=None, query="", why=why)


def _halt(what: str, why: str, found: list[str]) -> NoReturn:
    raise Halted(
        f"{why}, so {what} was not begun: {'; '.join(found)}. What was done before stays, and is whole. Look whether "
        f"the application works; then run this again to go on from there, or take back what was done with a rollback."
    )
