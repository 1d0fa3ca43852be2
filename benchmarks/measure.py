"""Time and peak memory of a command, and a table of ratios."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mendbook import render


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """The median of several runs."""

    seconds: float
    megabytes: float  # peak resident memory of the process and its children


def command(arguments: Sequence[str], *, times: int, cwd: Path, env: Mapping[str, str] | None = None) -> Cost:
    """Run a command several times, each in a process of its own."""
    seconds, peaks = [], []
    for _ in range(times):
        start = time.perf_counter()
        process = subprocess.Popen(
            list(arguments),
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        errors = process.stderr.read() if process.stderr else b""
        _, status, usage = os.wait4(process.pid, 0)
        seconds.append(time.perf_counter() - start)
        # Linux counts kilobytes, macOS bytes.
        peaks.append(usage.ru_maxrss / (1024 if sys.platform == "linux" else 1_048_576))
        code = os.waitstatus_to_exitcode(status)
        if code not in (0, 3):
            raise SystemExit(f"{arguments} ended with {code}:\n{errors.decode()[-2000:]}")
    return Cost(seconds=statistics.median(seconds), megabytes=max(peaks))


def table(title: str, costs: Mapping[str, Cost]) -> None:
    """Print each cost, and what it is of the first."""
    first = next(iter(costs.values()))
    rows = [
        (name, f"{cost.seconds:.2f} s", f"{cost.seconds / first.seconds:.2f}", f"{cost.megabytes:.0f} MB")
        for name, cost in costs.items()
    ]
    print(f"{title}\n")
    render.print_table(("", "median", "ratio to the first", "peak memory"), rows)
    print()
