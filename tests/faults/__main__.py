"""`make faults`: every runbook, killed at every line of its journal and at 200 instants, its session ended and its
server crashed at every statement; a table says how often.

The first thing that is half done, done twice or not gone on with ends it with what was found.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

from mendbook import embedded, render, runbook
from mendbook.runbook import Runbook

from tests.faults.harness import Runner, State, Story, both_ways, kill_at_an_instant, strike, told, two_at_once
from tests.helpers import run

DO = ("repair", "rollback")
ROUNDS = 50  # of two runs that begin together


def main() -> None:
    """Strike, and print a row for each option of each runbook."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runbook", nargs="*", help="only these (default: all)")
    parser.add_argument("--instants", type=int, default=200, help="random instants for each option (%(default)s)")
    asked = parser.parse_args()
    head = (
        "runbook and option",
        "steps",
        "killed at lines",
        "killed at instants",
        "sessions ended",
        "servers crashed",
        "two at once",
    )
    rows = []
    for book, option in options(asked.runbook):
        with ExitStack() as stack:
            place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            runner = stack.enter_context(Runner())
            server = embedded.start()
            stack.callback(server.stop)
            server.create("broken")
            run(server.conninfo("broken"), book.broken)
            story = stack.enter_context(told(book, option, server, "broken", place))
            rows.append((story.name, str(len(story.plan.steps)), *map(str, struck(story, runner, asked.instants))))
            print(render.table_text(head, rows[-1:]), flush=True)
    print(render.table_text(head, rows))


def options(names: list[str]) -> Iterator[tuple[Runbook, str]]:
    """Every option that a process can apply by itself, again and again: sessions that a plan ends do not come back."""
    for slug, folder in runbook.catalogue().items():
        book = runbook.load(folder)
        for option in book.text.options:
            if (
                (not names or slug in names)
                and option.advice != "not_offered"
                and not option.done_by_hand
                and not book.sessions
            ):
                yield book, option.id


def struck(story: Story, runner: Runner, instants: int) -> Iterator[int]:
    """How often each fault came to pass."""
    after, took = both_ways(story, runner)
    yield everywhere(story, runner, after, "kill at write")
    for number in range(instants):
        do = DO[number % 2]
        kill_at_an_instant(story, runner, after, do, took[do])
    yield instants
    yield everywhere(story, runner, after, "end the session")
    yield everywhere(story, runner, after, "crash the server")
    yield sum(rivals(story, runner, after, number) for number in range(ROUNDS))


def rivals(story: Story, runner: Runner, after: State, number: int) -> int:
    """Begin two runs together, by turns from one folder and from a copy of it; counts one."""
    story.again()
    rival = story.copied(story.folder.with_name(f"copy-{number}")) if number % 2 else story
    with Runner() as second:
        two_at_once(story, rival, (runner, second), after)
    return 1


def everywhere(story: Story, runner: Runner, after: State, fault: str) -> int:
    """Strike at the first place, the second, and so on until a run has no more."""
    last = [next(at for at in count(1) if not strike(story, runner, after, do, fault, at)) for do in DO]
    return sum(at - 1 for at in last)


if __name__ == "__main__":
    main()
