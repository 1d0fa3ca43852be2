"""The checks of a preflight: what of an audit, a comparison and a sweep fails, and what only waits for the deploy."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator, Mapping

from mendbook.deploy import Deploy
from mendbook.report import Check, Finding
from mendbook.schema import audit, drift
from mendbook.schema.audit import Audit
from mendbook.schema.comparison import Comparison
from mendbook.schema.drift import Difference, Drift
from mendbook.schema.key import Key
from mendbook.schema.objects import Object
from mendbook.symptom import sweep
from mendbook.symptom.sweep import Failure, Sweep

_WAITS = "pending"  # the pending migrations mend it
_THEN = "will fail"  # when the pending migrations run, or because they did


def migrations(found: Audit, deploy: Deploy | None) -> Check:
    """All that is neither applied nor pending fails, and what is pending and does not run on the clone."""
    untold = f"{deploy.why}, so it is not known what it and the later ones mend." if deploy and deploy.why else ""
    findings = tuple(_unapplied(found, deploy))
    counts = Counter({"applied": len(found.lines) - len(findings)})
    counts.update(verdict for each in findings for verdict in each.cells[0].split(", "))
    return Check(
        name="migrations",
        summary=_counted(+counts) or audit.EMPTY,
        head=audit.HEAD,
        findings=findings,
        notes=tuple(filter(None, (*found.notes, untold))),
        next="",
    )


def _unapplied(found: Audit, deploy: Deploy | None) -> Iterator[Finding]:
    failing, why = (deploy.failing, deploy.why) if deploy else (None, "")
    for line, (verdicts, title, live, *more) in zip(found.lines, found.rows(), strict=True):
        if failing and title == failing.title and "pending" in line.verdicts:
            yield Finding(fails=True, cells=(f"{verdicts}, {_THEN}", title, why, *more))
        elif line.verdicts != ("applied",):
            yield Finding(fails=line.verdicts != ("pending",), cells=(verdicts, title, live, *more))


def schema(found: Comparison, deploy: Deploy | None) -> Check:
    """What the live schema lacks or has otherwise fails; a comment, and what is only live, does not."""
    changes = deploy.changes if deploy else {}
    groups: dict[str, list[Difference]] = {"fails": [], "harmless": [], _WAITS: []}
    for each in found.drift.differences:
        groups[_group(each, changes)].append(each)
    findings = [
        Finding(fails=group == "fails", cells=(_WAITS if group == _WAITS else verdict, *more))
        for group, members in groups.items()
        for verdict, *more in Drift(differences=tuple(members)).rows()
    ]
    failing = any(each.fails for each in findings)
    sides = (found.live.reference, found.desired.reference)
    return Check(
        name="schema",
        summary=_counted(Counter(each.cells[0] for each in findings)) or drift.SAME,
        head=drift.HEAD,
        findings=tuple(findings),
        notes=tuple(found.notes()),
        next=f"mendbook diff {' '.join(map(shlex.quote, sides))}" if failing else "",
    )


def _group(each: Difference, changes: Mapping[Key, Object | None]) -> str:
    if each.key in changes and changes[each.key] == each.desired:
        return _WAITS
    return "harmless" if each.verdict == "extra" or each.fields == ("comment",) else "fails"


def statements(found: Sweep, deploy: Deploy | None) -> Check:
    """A statement that fails now fails, unless it passes on the clone; and so does one that passes only now."""
    findings = [*_failing_now(found, deploy), *_failing_then(found, deploy)]
    counts = Counter(each.cells[0] for each in findings)
    counts["passes"] = len(found.passed) - counts[_THEN]
    counts["not judged"] = len(found.apart) + len(found.unjudged)
    return Check(
        name="statements",
        summary=_counted(+counts) or "There is no SQL in this source tree.",
        head=sweep.HEAD,
        findings=tuple(findings),
        notes=(),
        next="",
    )


def _failing_now(found: Sweep, deploy: Deploy | None) -> Iterator[Finding]:
    mended = {each.statement.sql for each in deploy.sweep.passed} if deploy and deploy.sweep else set()
    for each, (verdict, *more, message) in _failures(found):
        if each.place.statement.sql in mended:
            said = f"{message}\nIt passes once the pending migrations have run."
            yield Finding(fails=False, cells=(_WAITS, *more, said))
        else:
            yield Finding(fails=True, cells=(verdict, *more, message))


def _failing_then(found: Sweep, deploy: Deploy | None) -> Iterator[Finding]:
    if not deploy or not deploy.sweep or deploy.stopped or not deploy.whole:
        return
    passing = {each.statement.sql for each in found.passed}
    for each, (_, *more, message) in _failures(deploy.sweep):
        if each.place.statement.sql in passing:
            said = f"{message}\nIt passes only until the pending migrations have run."
            yield Finding(fails=True, cells=(_THEN, *more, said))


def _failures(found: Sweep) -> Iterator[tuple[Failure, tuple[str, ...]]]:
    return zip(found.failures, found.rows(), strict=False)  # the rows of what fails come first


def _counted(verdicts: Counter[str]) -> str:
    return ", ".join(f"{count} {verdict}" for verdict, count in verdicts.items())
