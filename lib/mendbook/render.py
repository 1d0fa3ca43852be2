"""Tables, SQL and pictures as HTML, Markdown and text; the only place that escapes.

Every noun's ``_repr_html_`` calls this. Nothing here knows what it shows.
"""

from __future__ import annotations

import html
import io
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Row = Sequence[Any]

# How a word in a row's first cell colours the row. The word itself is always there: colour is never the only sign.
_COLOURS = {"bad": "#c62828", "warn": "#b26a00", "note": "#1565c0", "good": "#2e7d32"}
_STYLES = {"bad": "red", "warn": "yellow", "note": "blue", "good": "green"}

_CELL = "text-align:left;vertical-align:top;padding:.25em .8em .25em 0;white-space:pre-wrap"


def escape(value: object) -> str:
    """Return *value* as text that HTML shows and never interprets."""
    return html.escape(str(value), quote=True)


def words(count: int, noun: str) -> str:
    """``1 step``, ``2 steps``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


# ---- tables


def table_html(head: Row, rows: Iterable[Row], *, marks: Mapping[str, str] | None = None, empty: str = "") -> str:
    """An HTML table; *marks* maps the text of a row's first cell to bad, warn, note or good."""
    body = "".join(_row_html(row, marks or {}) for row in rows)
    if not body:
        return f"<p>{escape(empty)}</p>"
    titles = "".join(f'<th scope="col" style="{_CELL}">{escape(cell)}</th>' for cell in head)
    return f'<table style="border-collapse:collapse"><thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table>'


def _row_html(row: Row, marks: Mapping[str, str]) -> str:
    colour = _COLOURS.get(marks.get(str(row[0]), ""))
    first = f"{_CELL};font-weight:600" + (f";border-left:4px solid {colour};padding-left:.6em" if colour else "")
    cells = "".join(
        f'<td style="{first if index == 0 else _CELL}">{cell_html(cell)}</td>' for index, cell in enumerate(row)
    )
    return f"<tr>{cells}</tr>"


def cell_html(cell: object) -> str:
    """A cell: what can show itself as HTML does, all else is escaped text."""
    shown = getattr(cell, "_repr_html_", None)
    return shown() if shown else escape(cell)


def table_text(head: Row, rows: Iterable[Row], *, marks: Mapping[str, str] | None = None, empty: str = "") -> str:
    """The same table as plain text."""
    rows = [list(map(str, row)) for row in rows]
    if not rows:
        return empty
    with io.StringIO() as out:
        _console(out).print(_rich_table(head, rows, marks or {}))
        return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def table_markdown(head: Row, rows: Iterable[Row], *, empty: str = "") -> str:
    """The same table as Markdown."""
    rows = [[markdown(cell) for cell in row] for row in rows]
    if not rows:
        return empty
    lines = [[markdown(cell) for cell in head], ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def print_table(head: Row, rows: Iterable[Row], *, marks: Mapping[str, str] | None = None) -> None:
    """Print the table to standard output, coloured only on a terminal and without NO_COLOR."""
    from rich.console import Console

    # A file or a pipe has no width to fit into.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 200)
    console.print(_rich_table(head, list(rows), marks or {}))


def _rich_table(head: Row, rows: Iterable[Row], marks: Mapping[str, str]) -> Any:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for title in head:
        table.add_column(Text(str(title)), overflow="fold")
    for row in rows:
        style = _STYLES.get(marks.get(str(row[0]), ""), "")
        table.add_row(*(Text(str(cell), style=style if index == 0 else "") for index, cell in enumerate(row)))
    return table


def _console(out: io.StringIO) -> Any:
    from rich.console import Console

    return Console(file=out, width=120, no_color=True, highlight=False, force_terminal=False)


def facts_html(facts: Iterable[tuple[str, object]]) -> str:
    """Label and value pairs as an HTML table with row headers."""
    rows = "".join(
        f'<tr><th scope="row" style="{_CELL}">{escape(label)}</th><td style="{_CELL}">{cell_html(value)}</td></tr>'
        for label, value in facts
    )
    return f'<table style="border-collapse:collapse">{rows}</table>'


def facts_text(facts: Iterable[tuple[str, object]]) -> str:
    """Label and value pairs as aligned text."""
    pairs = [(label, str(value)) for label, value in facts]
    width = max((len(label) for label, _ in pairs), default=0) + 2
    return "\n".join(f"{label:<{width}}" + value.replace("\n", "\n" + " " * width) for label, value in pairs)


# ---- text, SQL


def markdown(value: object) -> str:
    """*value* as Markdown that shows it as it is, inside one table cell or line."""
    text = html.escape(str(value), quote=False).replace("\n", "<br>")
    return re.sub(r"([\\`*_\[\]|~])", r"\\\1", text)


def fence(text: str, language: str = "") -> str:
    """A Markdown code block that *text* cannot close."""
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    ticks = "`" * (longest + 1)
    return f"{ticks}{language}\n{text.rstrip()}\n{ticks}"


def paragraphs_html(text: str) -> str:
    """Paragraphs of plain text."""
    return "".join(f"<p>{escape(part.strip())}</p>" for part in re.split(r"\n\s*\n", text.strip()) if part.strip())


def list_html(items: Iterable[object]) -> str:
    """A bullet list of plain texts."""
    return "<ul>" + "".join(f"<li>{cell_html(item)}</li>" for item in items) + "</ul>"


def sql_html(text: str) -> str:
    """SQL, highlighted; the colours are readable on light and dark pages."""
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PostgresLexer

    style = HtmlFormatter(noclasses=True, nobackground=True, style="default", wrapcode=True)
    return str(highlight(text.strip(), PostgresLexer(), style))


def pointer(text: str, position: int | None) -> str:
    """The SQL with a caret under the 1-based character *position* that the server named."""
    if not position or position > len(text):
        return text
    start = text.rfind("\n", 0, position - 1) + 1
    end = text.find("\n", position - 1)
    end = len(text) if end < 0 else end
    return f"{text[:end]}\n{' ' * (position - 1 - start)}^{text[end:]}"


# ---- the picture of tables


@dataclass(frozen=True, kw_only=True, slots=True)
class Box:
    """One table of a picture."""

    name: str
    mark: str  # "" or MISSING, …: what is wrong with the table itself
    columns: tuple[tuple[str, str, str], ...]  # (type, name, mark)


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """Tables with their columns and foreign keys, and what is missing marked: in Mermaid, in HTML, in text."""

    boxes: tuple[Box, ...]
    links: tuple[tuple[str, str, str], ...]  # (from table, to table, label)

    def mermaid(self) -> str:
        """A Mermaid entity-relationship diagram."""
        known = {box.name for box in self.boxes}
        lines = ["erDiagram"]
        for box in self.boxes:
            lines.append(f"    {_entity(box.name)} {{")
            lines += [f'        {_word(kind)} {_word(name)} "{_label(mark)}"' for kind, name, mark in box.columns]
            lines.append("    }")
        lines += [
            f'    {_entity(source)} }}o--|| {_entity(to)} : "{_label(label)}"'
            for source, to, label in self.links
            if {source, to} <= known
        ]
        return "\n".join(lines)

    def _repr_markdown_(self) -> str:
        return fence(self.mermaid(), "mermaid")

    def html(self) -> str:
        """Boxes that need no script."""
        return f'<div style="display:flex;flex-wrap:wrap;gap:1em">{"".join(map(_box_html, self.boxes))}</div>'

    def __str__(self) -> str:
        lines = []
        for box in self.boxes:
            lines.append(f"{box.name}  {box.mark}".rstrip())
            lines += [f"    {name} {kind}  {mark}".rstrip() for kind, name, mark in box.columns]
        return "\n".join(lines)


def _box_html(box: Box) -> str:
    rows = "".join(
        f'<tr style="{_missing(mark)}"><td style="{_CELL}">{escape(name)}</td><td style="{_CELL}">{escape(kind)}</td>'
        f'<td style="{_CELL}">{escape(mark)}</td></tr>'
        for kind, name, mark in box.columns
    )
    title = f"{escape(box.name)} {escape(box.mark)}".strip()
    return (
        '<table style="border:1px solid;border-collapse:collapse;padding:.3em">'
        f'<caption style="text-align:left;font-weight:600;{_missing(box.mark)}">{title}</caption>{rows}</table>'
    )


def _missing(mark: str) -> str:
    return f"color:{_COLOURS['bad']};font-weight:600" if "MISSING" in mark else ""


def _entity(name: str) -> str:
    return f'"{_label(name)}"'


def _label(text: str) -> str:
    """Text inside Mermaid's double quotes: its grammar has no escape for a quote or a line break."""
    return re.sub(r"[\"\\%;<>{}\r\n]", "·", text)


def _word(text: str) -> str:
    """A name or type as Mermaid's attribute grammar allows it."""
    cleaned = re.sub(r"[^\w()\[\]-]+", "_", text, flags=re.ASCII).strip("_") or "_"
    return cleaned if re.match(r"[A-Za-z_]", cleaned) else f"_{cleaned}"
