"""A Verdict: how a diagnosis, a repair or a rollback ended."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mendbook import render


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """How it ended, and what to do next."""

    verdict: str
    exit_code: int
    digest: str
    folder: Path
    next: str  # the command to type; empty: nothing is left to do

    def _repr_html_(self) -> str:
        command = f"<p>Next:</p><pre>{render.escape(self.next)}</pre>" if self.next else ""
        return f"<p><strong>{render.escape(self.verdict)}</strong></p>{command}"

    def __str__(self) -> str:
        return f"{self.verdict}\n\n{self.next}".strip()
