"""A Preflight: whether a database is ready for a version of an application. Nothing is changed anywhere."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from mendbook import checks, deploy, ledger, report, target
from mendbook.deploy import Deploy
from mendbook.errors import Usage
from mendbook.report import Report
from mendbook.request import new_folder
from mendbook.schema import audit, comparison, expectation, records, snapshot
from mendbook.schema.audit import Audit
from mendbook.schema.comparison import Comparison
from mendbook.schema.snapshot import Snapshot
from mendbook.stages.document import put
from mendbook.symptom import sweep, unreachable
from mendbook.symptom.sweep import Found, Sweep
from mendbook.target import Identity, Target


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """What is asked of a target; what is empty is not asked."""

    target: str  # the reference
    source: str = ""  # the application's source tree, whose statements are judged
    expect: str = ""  # what states the schema that should be
    migrations: str = ""  # the application's folder of migrations
    framework: str = ""  # whose they are; empty: the ledger tells

    @property
    def title(self) -> str:
        """What the report is called."""
        return f"Preflight of {self.target}"


def understand(question: Question) -> None:
    """Raise `Usage` for what cannot be understood; nothing is opened."""
    if not (question.source or question.expect or question.migrations):
        raise Usage(
            "Nothing was asked for; nothing was started. Name the application's source tree (source), what states its "
            "schema (expect), its folder of migrations (migrations), or several of them."
        )
    if question.framework and not question.migrations:
        raise Usage("A framework says whose migrations they are; nothing was started. Name their folder (migrations).")
    if question.migrations and not Path(question.migrations).is_dir():
        raise Usage(
            f"{question.migrations} is no directory; nothing was started. Name the folder that holds the migrations."
        )
    if question.framework and not ledger.of(question.framework).migrations(Path(question.migrations)):
        raise Usage(
            f"{question.migrations} holds no migrations of {question.framework}; nothing was started. Name the folder "
            f"they are in."
        )
    if question.source:
        sweep.tree(question.source)
    if question.expect:
        expectation.check(question.expect)
    target.resolve(question.target)


class Preflight:
    """One target and what is asked of it, with a folder for the answer."""

    def __init__(self, question: Question, folder: Path) -> None:
        self.question = question
        self.folder = folder

    @classmethod
    def begin(
        cls,
        *,
        target: str,
        source: str = "",
        expect: str = "",
        migrations: str = "",
        framework: str = "",
        output: str = "preflight",
        folder: str = "",
    ) -> Preflight:
        """Start in a new folder below *output*, or in *folder*, which is there; raises `Usage`."""
        question = Question(target=target, source=source, expect=expect, migrations=migrations, framework=framework)
        understand(question)
        made = Path(folder) if folder else new_folder(Path(output), "preflight")
        return cls(question, made)

    # ---- what is, and what should be

    @cached_property
    def _opened(self) -> tuple[Target, Identity]:
        return unreachable.opened(self.question.target)

    @property
    def identity(self) -> Identity:
        """Which database it is."""
        return self._opened[1]

    @cached_property
    def comparison(self) -> Comparison | None:
        """The schema, held against the expectation; None where none was named. Raises what `comparison.make` does."""
        return comparison.make(self.question.target, self.question.expect) if self.question.expect else None

    @property
    def _expected(self) -> Snapshot | None:
        return self.comparison.desired.snapshot if self.comparison is not None else None

    @cached_property
    def _schema(self) -> Snapshot:
        if self.comparison is not None:
            return self.comparison.live.snapshot
        with self._opened[0].reading() as conn:
            return snapshot.read(conn)

    @cached_property
    def _framework(self) -> str:
        """Whose migrations they are; raises `Usage` where neither the caller nor the ledger tells."""
        if self.question.framework:
            return self.question.framework
        folder = Path(self.question.migrations)
        known = ledger.known()
        found = [each for each in records.keepers(self._schema) if known[each].migrations(folder)]
        if len(found) == 1:
            return found[0]
        told = f"fits {' and '.join(found)}" if found else "is none that is known"
        raise Usage(
            f"It is not clear whose migrations {folder} holds: the ledger of this database {told}. Name the tool "
            f"(framework) as one of {', '.join(found or known)}."
        )

    @cached_property
    def audit(self) -> Audit | None:
        """The four-way table; None where no migrations were named. Raises what `audit.make` does."""
        if not self.question.migrations:
            return None
        with self._opened[0].reading() as conn:
            return audit.make(
                conn,
                live=self._schema,
                identity=self.identity,
                framework=self._framework,
                folder=Path(self.question.migrations),
                expected=self._expected,
            )

    @cached_property
    def _found(self) -> Found | None:
        return sweep.find(self.question.source) if self.question.source else None

    @cached_property
    def sweep(self) -> Sweep | None:
        """The statements of the source tree, judged by the target; None where no tree was named."""
        if self._found is None:
            return None
        with self._opened[0].reading() as conn:
            return sweep.judge(conn, self._found)

    @cached_property
    def _deploy(self) -> Deploy | None:
        """What the pending migrations would do; None where none is pending."""
        if self.audit is None:
            return None
        titles = {line.migration for line in self.audit.lines if "pending" in line.verdicts}
        known = ledger.of(self._framework).migrations(Path(self.question.migrations))
        pending = [each for each in known if each.title in titles]
        if not pending:
            return None
        promised = deploy.promised(self.audit, self._expected) if self._expected is not None else {}
        return deploy.make(self._schema, self.identity, pending, self._found, promised)

    # ---- the answer

    @cached_property
    def report(self) -> Report:
        """What all checks found."""
        made = []
        if self.audit is not None:
            made.append(checks.migrations(self.audit, self._deploy))
        if self.comparison is not None:
            made.append(checks.schema(self.comparison, self._deploy))
        if self.sweep is not None:
            made.append(checks.statements(self.sweep, self._deploy))
        return Report(title=self.question.title, identity=tuple(self.identity.facts()), checks=tuple(made))

    def reported(self) -> Report:
        """End the preflight: write ``record.json``."""
        # ASCII, since the name of a file may be no text.
        put(self.folder / "record.json", json.dumps(report.to_json(self.report), indent=1) + "\n")
        return self.report
