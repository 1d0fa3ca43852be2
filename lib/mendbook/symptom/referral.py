"""`Referral`: what triage makes of an error text: what failed, what the target says, which runbook is next."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mendbook import redaction
from mendbook.errors import NotThisIncident, Refused, Usage
from mendbook.runbook import find, nearest
from mendbook.runbook_text import Value
from mendbook.symptom import inference, inquiry, match, triage
from mendbook.symptom.inference import Inference
from mendbook.symptom.match import Match
from mendbook.symptom.triage import Diagnosis

if TYPE_CHECKING:
    from mendbook.schema.snapshot import Snapshot
    from mendbook.symptom.memory import Memory
    from mendbook.symptom.proof import Proof
    from mendbook.symptom.sweep import Sweep

LARGEST = 64 << 20  # bytes of pasted text
EXCERPT = 4_000  # characters of it that a record keeps

_SHOWN = (
    *("kind", "sqlstate", "message", "schema", "table", "column", "alias", "constraint", "function", "type", "role"),
    *("database", "framework", "statement", "location"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Referral:
    """Where an error text leads."""

    text: str
    diagnosis: Diagnosis
    matches: tuple[Match, ...]  # the catalogue, what fits best first
    types: tuple[Inference, ...]  # of a missing column, the likeliest first
    memory: Memory | None  # where a target was named, and the text lacks the statement
    proof: Proof | None  # where a target was named
    sweep: Sweep | None  # where a source tree was named too

    @property
    def best(self) -> Match | None:
        """The runbook that fits best, and mends what the target says is the cause, where there is one that does."""
        fitting = [each for each in self.matches if each.fits]
        return next((each for each in fitting if self._mends(each)), fitting[0] if fitting else None)

    @property
    def mends(self) -> bool:
        """Whether the best runbook mends what the target says is the cause."""
        return self.best is not None and self._mends(self.best)

    def _mends(self, each: Match) -> bool:
        """Where the target tells another cause, what a generic runbook makes would only hide it."""
        book = each.runbook.text
        return self.proof is None or not book.generic or self.proof.cause in ("unknown", *book.causes)

    def suggested(self, parameter: str) -> Value | None:
        """What is likely for a parameter that the best runbook needs."""
        if self.best is None:
            return None
        typed = self.best.runbook.text.parameters[parameter].type == "type"
        return self.best.guesses.get(parameter, self.types[0].type if typed and self.types else None)

    def command(self, target: str, error_file: str) -> str:
        """The next command to type; ``…`` stands for what the reader has to say, also where it can be guessed."""
        if self.best is None or not self.mends:
            return ""
        words = ["mendbook", "diagnose", self.best.runbook.slug, "--target", target or "env:DATABASE_URL"]
        read: Mapping[str, Value] = {}
        if error_file:
            words += ["--error", error_file]
            read = match.fill(self.best.runbook, triage.diagnose(self.text), self.text).values
        for name, value in self.best.values.items():
            if name not in read:  # the target told it, or nothing else will
                words += ["-p", f"{name}={value}"]
        return " ".join([shlex.join(words), *(f"-p {name}=…" for name in self.best.needs)])

    def to_json(self) -> dict[str, Any]:
        """What ``mendbook triage --json`` prints; None is what is not known."""
        best = self.best
        said: dict[str, Any] = self.diagnosis.to_json()
        said["runbook"] = best.runbook.slug if best else None
        said["values"] = dict(best.values) if best else None
        said["needs"] = {name: self.suggested(name) for name in best.needs} if best else None
        said["types"] = [asdict(each) for each in self.types]
        if self.memory is not None:
            said["memory"] = [asdict(each) for each in self.memory.sources]
        if self.proof is not None:
            said["proof"] = {
                "cause": self.proof.cause,
                "summary": self.proof.summary(),
                "findings": [asdict(each) for each in self.proof.findings],
            }
        if self.sweep is not None:
            said["sweep"] = sweep_json(self.sweep)
        cleaned: dict[str, Any] = redaction.scrub_all(said)
        return cleaned

    def facts(self) -> list[tuple[str, str, str]]:
        """(certainty, field, value) of what the text says, for people."""
        known = {name: value for name in _SHOWN if (value := getattr(self.diagnosis, name))}
        known["kind"] = self.diagnosis.kind.replace("_", " ")
        certainty = self.diagnosis.certainty
        return [(certainty.get(name, "derived"), name, redaction.scrub(str(value))) for name, value in known.items()]

    def others(self) -> list[str]:
        """The further errors of the text, one line each."""
        return [
            redaction.scrub(f"{each.kind.replace('_', ' ')}: {each.message or ''}") for each in self.diagnosis.others
        ]

    def rows(self) -> list[tuple[str, str, str]]:
        """(fits or not, runbook, why) of those that fit, and of those for the same kind that do not."""
        kind = self.diagnosis.kind
        alike = [
            each
            for each in self.matches
            if each.fits or any(symptom.kind == kind for symptom in each.runbook.text.symptoms)
        ]
        first = sorted(alike, key=lambda each: each is not self.best)
        return [(*self._verdict(each), each.reason) for each in first]

    def _verdict(self, each: Match) -> tuple[str, str]:
        """Whether a runbook is for this error, and where it is and would mend another cause, that."""
        fits = each.fits and self._mends(each)
        return "fits" if fits else "not the cause" if each.fits else "not this", each.runbook.slug

    def answers(self) -> list[tuple[str, str, str]]:
        """(how certain, parameter, value or what it means) of the best runbook's parameters."""
        if self.best is None:
            return []
        given = [("from the text", name, str(value)) for name, value in self.best.values.items()]
        return [*given, *(("for you to say", name, self._wanted(name)) for name in self.best.needs)]

    def _wanted(self, name: str) -> str:
        best = self.best
        meaning = best.needs[name] if best else ""
        likely = self.suggested(name)
        if likely is None:
            return meaning
        typed = best is not None and best.runbook.text.parameters[name].type == "type" and self.types
        because = "; ".join(self.types[0].evidence) if typed else "the text makes it likely"
        others = ", ".join(each.type for each in self.types[1:]) if typed else ""
        return f"{meaning}\nperhaps -p {shlex.quote(f'{name}={likely}')}: {because}" + (
            f"\nor {others}" if others else ""
        )


def refer(text: str, *, target: str = "", source: str = "") -> Referral:
    """Read *text*, and ask the *target* and the tree *source* where they are named.

    Raises `Usage`, `UnreadableTarget` and `Surroundings`; nothing is executed on the target.
    """
    diagnosis = triage.diagnose(text)
    if source and not target:
        raise Usage("--source wants a database that judges its statements; nothing was read. Name one with --target.")
    if not target or not diagnosis.is_postgres:
        return _referral(text, diagnosis)
    from mendbook.schema import snapshot
    from mendbook.symptom import memory, proof, sweep, unreachable

    found = sweep.find(source) if source else None
    opened, identity = unreachable.opened(target)
    with opened.reading() as conn:
        remembered = memory.search(conn, diagnosis)
        if remembered and remembered.statement:
            diagnosis = inquiry.say(diagnosis, statement=remembered.statement)
        proven = proof.prove(conn, diagnosis, identity)
        live = snapshot.read(conn) if diagnosis.kind == "missing_column" else None
        judged = sweep.judge(conn, found) if found else None
    return _referral(text, proven.refined, live, remembered, proven, judged)


def _referral(
    text: str,
    diagnosis: Diagnosis,
    live: Snapshot | None = None,
    memory: Memory | None = None,
    proof: Proof | None = None,
    sweep: Sweep | None = None,
) -> Referral:
    return Referral(
        text=text,
        diagnosis=diagnosis,
        matches=tuple(match.rank(diagnosis, text, sweep.failures if sweep else ())),
        types=_types(diagnosis, live),
        memory=memory,
        proof=proof,
        sweep=sweep,
    )


def _types(diagnosis: Diagnosis, live: Snapshot | None) -> tuple[Inference, ...]:
    if diagnosis.kind != "missing_column" or not diagnosis.column:
        return ()
    return inference.column_type(diagnosis.column, diagnosis.table or "", diagnosis.statement or "", live)


def choose(text: str, *, runbook: str, values: Mapping[str, object]) -> tuple[str, dict[str, object]]:
    """The runbook that *text* leads to, or the one that is named, with the values that the text gives it.

    *values* come before those of the text. Raises `NotThisIncident` for a text without an error of PostgreSQL's,
    `Refused` where no runbook fits, `Usage` for a value that is needed and in neither.
    """
    if runbook:
        found = match.fill(find(runbook), triage.diagnose(text), text)
        return str(found.runbook.folder), {**found.values, **values}
    referral = refer(text)
    if not referral.diagnosis.is_postgres:
        raise NotThisIncident("The text holds no error of PostgreSQL's; nothing was started. Paste the whole message.")
    best = referral.best
    if best is None:
        kind = referral.diagnosis.kind.replace("_", " ")
        raise Refused(
            f"No runbook is for this error ({kind}); nothing was started. mendbook triage says what it means."
        )
    for name in values.keys() - best.runbook.text.parameters.keys():
        hint = nearest(name, best.runbook.text.parameters, "parameter")
        raise Usage(
            f"{best.runbook.slug}, which fits the error, has no parameter {name!r}; nothing was started. {hint}"
        )
    likely = "".join(
        f"\nPerhaps {name}={value}, which only you can confirm."
        for name in best.needs
        if name not in values and (value := referral.suggested(name)) is not None
    )
    chosen = {**best.values, **values}
    try:
        best.runbook.values(chosen)
    except Usage as error:
        raise Usage(f"The error leads to {best.runbook.slug}. {error}{likely}") from None
    return str(best.runbook.folder), chosen


def read(path: str) -> str:
    """The text of a file, or of standard input for ``-``; raises `Usage`. What is no UTF-8 is kept as a mark."""
    try:
        if path == "-":
            content = sys.stdin.buffer.read(LARGEST + 1)
        else:
            with Path(path).open("rb") as file:
                content = file.read(LARGEST + 1)
    except OSError as error:
        raise Usage(f"{path} cannot be read ({error.strerror}); nothing was started. Name a text file.") from None
    if len(content) > LARGEST:
        raise Usage(f"{path} is larger than {LARGEST >> 20} MB; nothing was started. Paste the part around the error.")
    return content.decode(errors="replace")


def excerpt(text: str) -> str:
    """The part of *text* that the error was read from, in whole lines, without secrets."""
    places = [(one.start, one.end) for one in triage.diagnose(text).evidence]
    if len(text) <= EXCERPT or not places:
        return redaction.scrub(text[:EXCERPT])
    start = text.rfind("\n", 0, min(place[0] for place in places)) + 1
    end = text.find("\n", min(max(place[1] for place in places), start + EXCERPT))
    return redaction.scrub(text[start : end if end >= 0 else len(text)][:EXCERPT])


def sweep_json(sweep: Sweep) -> dict[str, Any]:
    """What ``mendbook sweep --json`` prints."""
    failures = [
        {
            "place": str(each.place),
            "sqlstate": each.sqlstate,
            "message": each.message,
            "schema": each.missing.schema,
            "table": each.missing.table,
            "column": each.missing.column,
            "object": each.missing.other,
            "statement": each.place.statement.written,
        }
        for each in sweep.failures
    ]
    unjudged = [{"place": str(each), "reason": each.reason} for each in sweep.unjudged]
    apart = [{"place": str(each.place), "reason": each.reason} for each in sweep.apart]
    return {
        "failures": failures,
        "passed": len(sweep.passed),
        "not_judged": apart + unjudged,
        "files": sweep.files,
        "skipped": [{"file": file, "reason": reason} for file, reason in sweep.skipped],
    }
