"""The Application: what was done on the target, step by step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mendbook import render
from mendbook.stages.execution import Applied


@dataclass(frozen=True, kw_only=True, slots=True)
class Application:
    """What was done on the target."""

    direction: str  # forward or undo
    digest: str
    applied: tuple[Applied, ...]
    seconds: float

    @property
    def resumed(self) -> bool:
        """Whether it went on where an earlier run had stopped."""
        return any(not each.attempts for each in self.applied)

    def rows(self) -> list[tuple[str, str, str, str]]:
        """(number, what, attempts, milliseconds) of each step."""
        return [
            (
                str(number),
                each.title,
                str(each.attempts) if each.attempts else "earlier",
                f"{each.seconds * 1000:.0f} ms" if each.attempts else "",
            )
            for number, each in enumerate(self.applied, 1)
        ]

    def to_json(self) -> dict[str, Any]:
        """As the record keeps it."""
        return {"rows": [list(row) for row in self.rows()], "seconds": self.seconds, "resumed": self.resumed}

    def _repr_html_(self) -> str:
        return render.table_html(_HEAD, self.rows())

    def __str__(self) -> str:
        return render.table_text(_HEAD, self.rows())


_HEAD = ("step", "done", "attempts", "took")
