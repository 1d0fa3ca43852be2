"""Plots as SVG that needs no script and no colour: what happened when while a plan was applied."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from mendbook import render
from mendbook.stages import timeline

_WIDTH, _LEFT, _ROW, _PANEL, _BOTTOM = 760, 12, 34, 90, 34
_TICKS = 5
_NOTHING = "No step was applied."


@dataclass(frozen=True, kw_only=True, slots=True)
class Plot:
    """The time line of a record: drawn where there is a page, and in tables everywhere."""

    data: Mapping[str, Any]  # as `mendbook.stages.timeline.Timeline.to_json` gives it; empty: no step was applied

    def _repr_html_(self) -> str:
        if not self.data:
            return f"<p>{_NOTHING}</p>"
        tables = "".join(render.table_html(head, rows) for head, rows in timeline.tables(self.data))
        return draw(self.data) + tables

    def __str__(self) -> str:
        if not self.data:
            return _NOTHING
        return "\n\n".join(render.table_text(head, rows) for head, rows in timeline.tables(self.data))


def draw(data: Mapping[str, Any]) -> str:
    """A time line as SVG: above each step's lock, waited for and held; below the canary, its latency and its errors."""
    height = _ROW * len(data["steps"]) + _PANEL + _BOTTOM + 24
    size = {"viewBox": f"0 0 {_WIDTH} {height}", "width": "100%", "role": "img", "fill": "currentColor"}
    root = Element("svg", {**size, "font-size": "12", "font-family": "system-ui, sans-serif"})
    SubElement(root, "title").text = "Lock wait, lock hold, canary latency and canary errors; the tables say the same"
    scale = (_WIDTH - 2 * _LEFT) / max(data["seconds"], 0.001)
    for number, (title, lock, *times, done) in enumerate(data["steps"]):
        _step(root, number * _ROW, scale, (title, lock), times, done=done)
    top = _ROW * len(data["steps"]) + 20
    _canary(root, top, scale, data["slots"])
    _axis(root, top + _PANEL, scale, data["seconds"])
    return tostring(root, encoding="unicode")


def _step(root: Element, top: int, scale: float, names: tuple[str, str], times: list[float], *, done: bool) -> None:
    """The wait is an outline, the hold is filled."""
    asked, granted, ended = (_LEFT + each * scale for each in times)
    said = " · ".join(names) if done else f"{names[0]} · did not get {names[1]}"
    anchor = {"text-anchor": "end"} if asked > _WIDTH / 2 else {}
    _text(root, said, ended if anchor else asked, top + 12, **anchor)
    wait = {"fill": "none", "stroke": "currentColor", "stroke-dasharray": "3 2"}
    _box(root, asked, granted, top + 17, **wait)
    _box(root, granted, ended, top + 17, fill="#1565c0")


def _canary(root: Element, top: int, scale: float, slots: list[list[float]]) -> None:
    """A line for each slot as high as its slowest call, and a cross where something failed that had not before."""
    worst = max((slot[2] for slot in slots), default=0.0) or 1.0
    _text(root, f"canary: slowest call, up to {worst:.1f} ms; ✕ is a new error", _LEFT, top)
    for at, _, latency, errors in slots:
        x, foot = f"{_LEFT + at * scale:.1f}", top + _PANEL - 4
        high = max(1.0, latency / worst * (_PANEL - 26))
        line = {"x1": x, "x2": x, "y1": f"{foot}", "y2": f"{foot - high:.1f}"}
        SubElement(root, "line", {**line, "stroke": "#c62828" if errors else "#2e7d32", "stroke-width": "2"})
        if errors:
            _text(root, "✕", float(x), top + 14, **{"text-anchor": "middle"})


def _axis(root: Element, top: int, scale: float, seconds: float) -> None:
    line = {"x1": f"{_LEFT}", "x2": f"{_WIDTH - _LEFT}", "y1": f"{top}", "y2": f"{top}", "stroke": "currentColor"}
    SubElement(root, "line", line)
    for tick in range(_TICKS + 1):
        at = seconds * tick / _TICKS
        anchor = "start" if not tick else "end" if tick == _TICKS else "middle"
        _text(
            root, f"{at:.2g} s" if at < 10 else f"{at:.0f} s", _LEFT + at * scale, top + 16, **{"text-anchor": anchor}
        )


def _box(root: Element, left: float, right: float, top: int, **look: str) -> None:
    wide = {"x": f"{left:.1f}", "y": f"{top}", "width": f"{max(right - left, 0.5):.1f}", "height": "12"}
    SubElement(root, "rect", {**wide, **look})


def _text(root: Element, said: str, x: float, y: float, **look: str) -> None:
    SubElement(root, "text", {"x": f"{x:.1f}", "y": f"{y:.1f}", **look}).text = said
