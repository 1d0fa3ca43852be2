"""A Report: what the checks of a target found; for people, as JUnit XML, and as Markdown for the page of a CI job."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any
from xml.etree import ElementTree

from mendbook import redaction, render

SHOWN = 50  # findings of one check in the Markdown: a step's summary on GitHub may have 1 MiB

_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # section 2.2 of XML 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing that is not simply fine."""

    fails: bool
    cells: tuple[str, ...]  # its verdict, its name, and what is to be known of it


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """One check that was made."""

    name: str
    summary: str
    head: tuple[str, ...]  # of the findings' cells
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]  # what could not be told, and why
    next: str  # the command that says how to mend it; empty: there is none

    @property
    def failing(self) -> tuple[Finding, ...]:
        """The findings that fail."""
        return tuple(each for each in self.findings if each.fails)

    @property
    def verdict(self) -> str:
        """``fails`` or ``passes``."""
        return "fails" if self.failing else "passes"

    @property
    def marks(self) -> dict[str, str]:
        """The colours of the findings' verdicts."""
        return {each.cells[0]: "bad" if each.fails else "note" for each in self.findings}

    def rows(self) -> list[tuple[str, ...]]:
        """The cells of each finding, for people."""
        return [each.cells for each in self.findings]


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """All checks of one target."""

    title: str
    identity: tuple[tuple[str, str], ...]  # (label, value) of which database it is
    checks: tuple[Check, ...]
    error: str = ""  # why the checks did not come to their end; empty: they did
    error_code: int = 0  # the exit code that goes with it

    @property
    def exit_code(self) -> int:
        """0 where nothing fails, else 3, or that of the error."""
        return self.error_code or (3 if any(each.failing for each in self.checks) else 0)

    @property
    def verdict(self) -> str:
        """What came of it, in a sentence."""
        if self.error:
            return self.error
        count = sum(len(each.failing) for each in self.checks)
        names = ", ".join(each.name for each in self.checks if each.failing or not count)
        return f"{render.words(count, 'problem')} ({names}); nothing was changed" if count else f"healthy ({names})"

    def rows(self) -> list[tuple[str, str, str]]:
        """(verdict, name, summary) of each check, for people."""
        return [(each.verdict, each.name, each.summary) for each in self.checks]

    def _repr_html_(self) -> str:
        found = "".join(
            f"<p>The {render.escape(each.name)}:</p>{render.table_html(each.head, each.rows(), marks=each.marks)}"
            + render.list_html(each.notes)
            for each in self.checks
            if each.findings or each.notes
        )
        verdict = f"<p><strong>{render.escape(self.verdict)}</strong></p>"
        return verdict + render.table_html(HEAD, self.rows(), marks=MARKS) + found

    def __str__(self) -> str:
        return f"{render.table_text(HEAD, self.rows())}\n\n{self.verdict}"


HEAD = ("", "check", "found")
MARKS = {"fails": "bad", "passes": "good"}


# ---- the record


def to_json(report: Report) -> dict[str, Any]:
    """The report as JSON values, without secrets."""
    said: dict[str, Any] = redaction.scrub_all(asdict(report))
    return {"verdict": report.verdict, "exit_code": report.exit_code, **said}


def load(text: str) -> Report:
    """The report that was written as JSON."""
    said = json.loads(text)
    identity = tuple((label, value) for label, value in said["identity"])
    return Report(title=said["title"], identity=identity, checks=tuple(map(_check, said["checks"])))


def _check(said: Mapping[str, Any]) -> Check:
    return Check(
        name=said["name"],
        summary=said["summary"],
        head=tuple(said["head"]),
        findings=tuple(Finding(fails=each["fails"], cells=tuple(each["cells"])) for each in said["findings"]),
        notes=tuple(said["notes"]),
        next=said["next"],
    )


# ---- JUnit


def junit(report: Report) -> str:
    """JUnit XML: a test case for each finding that fails, for each check that passes, and for the error."""
    cases = [case for check in report.checks for case in _cases(check)]
    if report.error:
        case = ElementTree.Element("testcase", classname="mendbook", name=_xml(report.title))
        ElementTree.SubElement(case, "error", message=_xml(report.error)).text = _xml(report.error)
        cases.append(case)
    counts = {f"{name}s": str(sum(case.find(name) is not None for case in cases)) for name in ("failure", "error")}
    said = {"name": _xml(report.title), "tests": str(len(cases)), **counts}
    root = ElementTree.Element("testsuites", said)
    ElementTree.SubElement(root, "testsuite", said).extend(cases)
    ElementTree.indent(root)
    text: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return f"{text.decode()}\n"


def _cases(check: Check) -> Iterator[ElementTree.Element]:
    group = f"mendbook.{check.name}"
    if not check.failing:
        case = ElementTree.Element("testcase", classname=group, name=check.name)
        ElementTree.SubElement(case, "system-out").text = _xml(check.summary)
        yield case
    seen: Counter[str] = Counter()
    for each in check.failing:
        verdict, name, *more = each.cells
        seen[name] += 1
        # GitLab takes two cases of one name for one.
        unique = name if seen[name] == 1 else f"{name} ({seen[name]})"
        case = ElementTree.Element("testcase", classname=group, name=_xml(unique))
        labelled = zip(check.head[2:], more, strict=True)
        said = "\n".join([f"{name}: {verdict}", *(f"{label}: {cell}" for label, cell in labelled if cell)])
        ElementTree.SubElement(case, "failure", type=verdict, message=_xml(said)).text = _xml(said)
        yield case


def _xml(text: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)


# ---- Markdown


def markdown(report: Report) -> str:
    """Markdown for the page of a CI job."""
    title, verdict = render.markdown(report.title), render.markdown(report.verdict)
    parts = [f"## {title}", f"**{verdict}**", render.table_markdown(HEAD, report.rows())]
    parts += [part for check in report.checks if check.findings or check.notes for part in _section(check)]
    return "\n\n".join(filter(None, parts)) + "\n"


def _section(check: Check) -> Iterator[str]:
    yield f"### {render.markdown(check.name.capitalize())}"
    rows = sorted(check.findings, key=lambda each: not each.fails)
    yield render.table_markdown(check.head, [each.cells for each in rows[:SHOWN]])
    if len(rows) > SHOWN:
        yield f"… and {len(rows) - SHOWN} more."
    yield "\n".join(f"- {render.markdown(note)}" for note in check.notes)
    if check.next:
        yield render.fence(check.next, "sh")
