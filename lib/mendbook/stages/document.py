"""The documents of an incident: ``record.json``, and ``fix.md`` and ``fix.html`` made from it alone."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mendbook import redaction, render
from mendbook.render import Box, Picture
from mendbook.schema import audit
from mendbook.stages import timeline
from mendbook.stages.rehearse import MARKS

Record = dict[str, Any]
Draw = Callable[[Record], str]  # a time line as SVG

_STYLE = """
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
table{font-size:.93em;margin:.5em 0}td,th{border-bottom:1px solid #8884}
pre{background:#f4f4f4;color:#111;padding:.7em;overflow:auto;white-space:pre-wrap;border-radius:4px}
h1{line-height:1.2}.verdict{font-size:1.15em;border-left:.4em solid;padding-left:.6em}
@media print{body{margin:0;max-width:none}}
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """The files that were written."""

    folder: Path
    verdict: str
    files: tuple[Path, ...]

    def _repr_html_(self) -> str:
        links = render.list_html(path.name for path in self.files)
        return f"<p><strong>{render.escape(self.verdict)}</strong></p>{links}"

    def __str__(self) -> str:
        return "\n".join([self.verdict, *map(str, self.files)])


def save(folder: Path, record: Record) -> None:
    """Write ``record.json``, whole or not at all."""
    put(folder / "record.json", json.dumps(redaction.scrub_all(record), indent=1, ensure_ascii=False) + "\n")


def load(folder: Path) -> Record:
    """Read ``record.json``."""
    record: Record = json.loads((folder / "record.json").read_text(encoding="utf-8"))
    return record


def write(folder: Path, record: Record, draw: Draw) -> Document:
    """Write the record and both documents into *folder*; *draw* makes the picture of the time line."""
    record = redaction.scrub_all(record)
    save(folder, record)
    put(folder / "fix.md", markdown(record))
    put(folder / "fix.html", html(record, draw))
    files = tuple(folder / name for name in ("fix.html", "fix.md", "record.json"))
    return Document(folder=folder, verdict=str(record["verdict"]), files=files)


def put(path: Path, text: str) -> None:
    """Write a file, whole or not at all."""
    draft = path.with_name(f".{path.name}.draft")
    with draft.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


# ---- what the documents say: blocks, in order


@dataclass(frozen=True, slots=True)
class Heading:
    text: str


@dataclass(frozen=True, slots=True)
class Prose:
    text: str


@dataclass(frozen=True, slots=True)
class Items:
    items: list[str]


@dataclass(frozen=True, slots=True)
class Code:
    text: str
    language: str = "sql"


@dataclass(frozen=True, slots=True)
class Rows:
    head: tuple[str, ...]
    rows: list[Any]
    marks: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Drawn:
    data: Record  # a time line; the tables behind it say the same


Block = Heading | Prose | Items | Code | Rows | Picture | Drawn


def blocks(record: Record) -> Iterator[Block]:
    """Everything the documents say, from the record."""
    text = record["text"]
    yield Rows(("", ""), [["verdict", record["verdict"]], *_head(record)], {})
    yield from _error(record, text)
    yield from _option(record, text)
    yield from _evidence(record)
    yield from _migration(record)
    yield Heading("Impact")
    yield Items(text["impact"])
    yield Heading("Before and after")
    yield Rows(("before", "after"), _side_by_side(text["before"], text["after"]), {})
    yield from _rollback(record)
    if text["notes"]:
        yield Heading("Notes")
        yield Items(text["notes"])
    yield Heading("History")
    yield Rows(("when", "who", "what happened"), [[h["when"], h["who"], h["verdict"]] for h in record["history"]], {})


def _head(record: Record) -> list[list[str]]:
    text = record["text"]
    rows = [["target", record["target"]], *record.get("identity", [])]
    rows += [["severity", text["severity"]], ["risk", text["risk"]], ["downtime", text["downtime"]]]
    values = "\n".join(f"{name} = {value}" for name, value in record["values"].items() if value != "")
    for name, said in [("values", values), *((name, record.get(name)) for name in ("who", "when", "digest"))]:
        if said:
            rows.append([name, str(said)])
    took = sum(each.get("seconds", 0) for each in record["stages"].values())
    return [*rows, ["took", f"{took:.1f} s of work in {render.words(len(record['stages']), 'stage')}"]]


def _migration(record: Record) -> Iterator[Block]:
    if record.get("migration"):
        written = record["migration"]
        yield Heading("The migration for the next deploy")
        yield Prose(
            f"For {written['framework']}, in the folder migration beside this page: copy it to the application's."
        )
        for path, text in written["files"].items():
            yield Prose(path)
            yield Code(text, "text")


def _error(record: Record, text: Record) -> Iterator[Block]:
    yield Heading("What failed")
    if record.get("error"):
        yield Code(record["error"], "text")
    yield Prose(text["summary"])
    yield Heading("Root cause")
    yield Prose(text["root_cause"])
    if record.get("audit"):
        yield Heading("The migrations")
        yield Rows(audit.HEAD, record["audit"]["rows"], audit.marks(record["audit"]["rows"]))
        if record["audit"]["notes"]:
            yield Items(record["audit"]["notes"])
    if record.get("reproduction"):
        yield Heading("The failing statements")
        yield Rows(
            ("", "place", "PostgreSQL says"),
            [[o["verdict"], o["at"], o["said"]] for o in record["reproduction"]],
            _VERDICTS,
        )
        for outcome in record["reproduction"]:
            yield Prose(outcome["at"])
            yield Code(outcome["shown"])


def _option(record: Record, text: Record) -> Iterator[Block]:
    yield Heading("Options")
    rows = [
        [
            option["advice"].replace("_", " "),
            option["title"],
            "\n".join(option["pros"]),
            "\n".join(filter(None, [*option["cons"], option["reason"]])),
        ]
        for option in text["options"]
    ]
    yield Rows(("", "option", "for", "against"), rows, {"recommended": "good", "advised against": "bad"})
    for option in text["options"]:
        if option["by_hand"]:
            yield Prose(f"By hand, without Mendbook: {option['title']}")
            yield Code("\n".join(option["by_hand"]), "text")
    if record.get("plan"):
        yield Heading(f"The fix: {record['option']}")
        for danger in record["plan"]["dangers"]:
            yield Prose(f"Dangerous: {danger}")
        if record["plan"]["picture"]["boxes"]:
            yield _picture(record["plan"]["picture"])
        yield Rows(("step", "what", "lock", "loses", "undo"), record["plan"]["rows"], {})
        if record["plan"]["forward"]:
            yield Code(record["plan"]["forward"])


def _evidence(record: Record) -> Iterator[Block]:
    for name, title in _CHECKS.items():
        if record.get(name):
            yield Heading(title)
            yield Rows(("", "what had to hold", ""), record[name]["checks"], MARKS)
            if record[name].get("steps"):
                yield Rows(("step", "what", "stated lock", "measured lock", "took"), record[name]["steps"], {})
            if record[name].get("omitted"):
                yield Items([f"The clone lacks {each}" for each in record[name]["omitted"]])
        if name == "rehearsal" and record.get("application", {}).get("rows"):
            yield Heading("Applied")
            yield Rows(("step", "done", "attempts", "took"), record["application"]["rows"], {})
        if name == "rehearsal" and record.get("timeline", {}).get("steps"):
            yield Heading("While it was applied")
            yield Drawn(record["timeline"])
            for head, rows in timeline.tables(record["timeline"]):
                yield Rows(head, rows, {})


_CHECKS = {"rehearsal": "Rehearsed on a clone", "verification": "Verified on the target", "rolled_back": "Rolled back"}


def _rollback(record: Record) -> Iterator[Block]:
    if record.get("plan"):
        yield Heading("Rollback")
    if record.get("plan") and not record["plan"]["rollback"]:
        yield Prose("Nothing has to be taken back.")
    elif record.get("plan"):
        yield Prose("The undo of every step, last step first, is one command:")
        yield Code(record["plan"]["rollback"], "sh")
        if record["plan"]["backward"]:
            yield Code(record["plan"]["backward"])


_VERDICTS = {"fails": "bad", "passes": "good"}


def _side_by_side(before: list[str], after: list[str]) -> list[list[str]]:
    height = max(len(before), len(after))
    return [
        [*pair]
        for pair in zip(before + [""] * (height - len(before)), after + [""] * (height - len(after)), strict=True)
    ]


def _picture(data: Record) -> Picture:
    boxes = tuple(Box(name=b["name"], mark=b["mark"], columns=tuple(map(tuple, b["columns"]))) for b in data["boxes"])
    return Picture(boxes=boxes, links=tuple(map(tuple, data["links"])))


# ---- the two forms


def markdown(record: Record) -> str:
    """``fix.md``: reads well on a code host."""
    parts = [f"# {render.markdown(record['text']['title'])}"]
    for block in blocks(record):
        match block:
            case Heading():
                parts.append(f"## {render.markdown(block.text)}")
            case Prose():
                parts.append(render.markdown(block.text))
            case Items():
                parts.append("\n".join(f"- {render.markdown(item)}" for item in block.items))
            case Code():
                parts.append(render.fence(block.text, block.language))
            case Rows():
                parts.append(render.table_markdown(block.head, block.rows))
            case Picture():
                parts.append(block._repr_markdown_())
            case Drawn():
                pass
    return "\n\n".join(parts) + "\n"


def html(record: Record, draw: Draw) -> str:
    """``fix.html``: stands alone, without network or script."""
    title = render.escape(record["text"]["title"])
    body = "\n".join(_html(block, draw) for block in blocks(record))
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<style>{_STYLE}</style></head>\n<body><h1>{title}</h1>\n{body}\n</body></html>\n"
    )


def _html(block: Block, draw: Draw) -> str:
    match block:
        case Heading():
            return f"<h2>{render.escape(block.text)}</h2>"
        case Prose():
            return render.paragraphs_html(block.text)
        case Items():
            return render.list_html(block.items)
        case Code():
            return render.sql_html(block.text) if block.language == "sql" else f"<pre>{render.escape(block.text)}</pre>"
        case Rows():
            return render.table_html(block.head, block.rows, marks=block.marks)
        case Picture():
            return block.html()
        case Drawn():
            return draw(block.data)
