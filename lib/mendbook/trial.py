"""A Trial: a runbook taken through all that it is for, on databases that end with it."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from mendbook import embedded, lexer, runbook
from mendbook.errors import MendbookError, NotApproved, NotThisIncident, Refused
from mendbook.incident import Incident
from mendbook.runbook import Runbook
from mendbook.runbook_text import Value
from mendbook.schema import snapshot
from mendbook.stages.plan import Plan
from mendbook.symptom import match, referral, triage
from mendbook.target import Target, resolve

Make = Callable[[str], str]  # SQL -> the reference of a new database that it has built
State = tuple[str, Mapping[str, int], Mapping[str, str]]  # the schema's fingerprint, the rows, the files

_TABLES = "SELECT schemaname::text, relname::text FROM pg_stat_user_tables"


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """One thing that has to hold."""

    title: str
    said: str = ""  # why it does not hold; empty where it does

    @property
    def held(self) -> bool:
        """Whether it does."""
        return not self.said


class _Differs(Exception):
    """What has to hold does not."""


@contextmanager
def databases() -> Iterator[Make]:
    """Databases on the server that Mendbook runs, dropped at the end whatever happened."""
    server = embedded.server("mendbook")
    with ExitStack() as made:

        def make(script: str) -> str:
            reference = f"embedded:{made.enter_context(server.scratch())}"
            with resolve(reference).connect() as conn:
                conn.execute(script.encode())
            return reference

        yield make


def checks(book: Runbook, option: str = "") -> Iterator[Check]:
    """Take an option of *book* through; what comes last is the first thing that does not hold, if anything does not.

    Raises `Usage` for an option that it does not offer.
    """
    with databases() as make, tempfile.TemporaryDirectory(prefix="mendbook-") as folder:
        yield from Trial(book, Path(folder)).checks(option, make)


class Trial:
    """A runbook with a copy of its application, in a folder that also takes its incidents."""

    def __init__(self, book: Runbook, folder: Path) -> None:
        self.book = book
        self.folder = folder
        self.app = folder / "app"
        if (book.folder / "app").is_dir():
            shutil.copytree(book.folder / "app", self.app)

    def values(self) -> dict[str, Value]:
        """What triage reads in ``error.txt``, what a person answers, and where the application is."""
        app = {"app": str(self.app)} if "app" in self.book.text.parameters else {}
        read = match.fill(self.book, triage.diagnose(self.book.error), self.book.error)
        return {**read.values, **self.book.example, **app}

    def begin(self, reference: str, option: str = "") -> Incident:
        """Begin the incident on a database."""
        return Incident.begin(
            runbook=str(self.book.folder),
            target=reference,
            option=option,
            values=self.values(),
            incidents=str(self.folder / "incidents"),
            allow_dangerous=self.book.option(option).advice == "advised_against",
        )

    def state(self, target: Target) -> State:
        """What a rollback has to bring back."""
        with target.reading() as conn:
            names = conn.execute(_TABLES).fetchall()
            count = sql.SQL("SELECT FROM {}")
            rows = {".".join(name): conn.execute(count.format(sql.Identifier(*name))).rowcount for name in names}
            return snapshot.read(conn).fingerprint(), rows, self.files()

    def files(self) -> Mapping[str, str]:
        """The digest of every file of the application."""
        paths = (path for path in self.app.rglob("*") if path.is_file())
        return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}

    def checks(self, option: str, make: Make) -> Iterator[Check]:
        """Everything that has to hold, up to the first thing that does not."""
        with ExitStack() as sessions:
            for title, check in _Round(self, option, make, sessions).steps():
                try:
                    check()
                except _Differs as error:
                    yield Check(title=title, said=str(error))
                    return
                except (MendbookError, psycopg.Error) as error:
                    yield Check(title=title, said=f"{type(error).__name__}: {error}")
                    return
                yield Check(title=title)


class _Round:
    """One option, from a healthy database to the rollback."""

    def __init__(self, trial: Trial, option: str, make: Make, sessions: ExitStack) -> None:
        self.trial, self.option, self.make, self.sessions = trial, option, make, sessions
        self.broken = ""
        self.before: State = ("", {}, {})
        self.plan: Plan
        self.incident = ""

    def steps(self) -> Iterator[tuple[str, Callable[[], None]]]:
        """What is done, in order."""
        if self.trial.book.healthy is not None:
            yield "a healthy database does not have the incident", self.healthy
        yield "an empty database is not called mended", self.empty
        yield "broken.sql builds the broken database", self.build
        yield "error.txt leads to this runbook", self.lead
        yield "the statements fail, and the plan is rehearsed", self.diagnose
        yield "nothing is done without approval", self.unapproved
        yield "applied and verified", self.repair
        yield "mended: there is nothing more to plan", self.again
        yield "rolled back: schema, rows and files are as before", self.roll_back

    def healthy(self) -> None:
        try:
            # As the recommended option leaves it; another one may want other tables.
            self.trial.begin(self.make(self.trial.book.healthy or "")).diagnosed()
        except NotThisIncident:
            return
        raise _Differs("healthy.sql builds a database on which a statement of the runbook fails")

    def empty(self) -> None:
        incident = self.trial.begin(self.make(""), self.option)
        try:
            code = incident.diagnosed().exit_code
        except Refused:
            code = incident.record["exit_code"]
        _require(code in (3, 4), f"the diagnosis of an empty database ended with {code}")

    def build(self) -> None:
        self.broken = self.make(self.trial.book.broken)
        self.sessions.enter_context(held(self.broken, self.trial.book.sessions))
        self.before = self.trial.state(resolve(self.broken))

    def lead(self) -> None:
        book = self.trial.book
        found = referral.refer(book.error, target=self.broken)
        leads = found.best.runbook if found.best else None
        if leads is None or leads.text != book.text:
            unknown = book.folder not in [folder.resolve() for folder in runbook.catalogue().values()]
            hint = f"; it is not searched for in {book.folder.parent}: set MENDBOOK_RUNBOOKS to that" if unknown else ""
            raise _Differs(f"it leads to {leads.slug if leads else 'no runbook'}{hint}")
        _require(found.mends, "what is found on the broken database is no cause that this runbook mends")

    def diagnose(self) -> None:
        found = self.trial.begin(self.broken, self.option)
        _require(bool(found.reproduction.failing), "no statement fails on the broken database")
        _require(found.diagnosed().exit_code == 3 and found.rehearsal.green, "the rehearsal is not green")
        self.plan, self.incident = found.plan, str(found.folder)
        self.unchanged("the diagnosis")

    def unapproved(self) -> None:
        incident = Incident.resume(self.incident)
        try:
            incident.approve("")
        except NotApproved:
            self.unchanged("what was refused")
            return
        raise _Differs("it was approved by an empty digest")

    def repair(self) -> None:
        incident = Incident.resume(self.incident)
        incident.approve(self.plan.digest)
        _require(bool(incident.still_there().failing), "no statement fails any more")
        incident.apply()
        if self.plan.by_hand:
            self.sessions.close()
        incident.verify()
        _require(incident.repaired().exit_code == 0, "the repair did not end well")

    def again(self) -> None:
        try:
            self.trial.begin(self.broken, self.option).diagnosed()
        except NotThisIncident:
            return
        raise _Differs("the incident is still found on the mended database")

    def roll_back(self) -> None:
        incident = Incident.resume(self.incident)
        incident.approve(self.plan.digest)
        incident.rollback()
        incident.verify_rollback()
        _require(incident.rolled_back().exit_code == 0, "the rollback did not end well")
        self.unchanged("the rollback", save=bool(self.plan.lasting))

    def unchanged(self, what: str, *, save: bool = False) -> None:
        """Whether everything is as it was, but for the schema where *save*: some steps of the plan last."""
        now = self.trial.state(resolve(self.broken))
        for name, old, new in zip(("the schema", "the rows", "the files"), self.before, now, strict=True):
            if not (save and name == "the schema"):
                _require(old == new, f"after {what}, {name} differ from what was there before")


@contextmanager
def held(reference: str, sessions: Iterable[tuple[str, str]]) -> Iterator[None]:
    """Keep a connection open for each (application, SQL) that it ran."""
    with ExitStack() as connections:
        for name, text in sessions:
            conn = resolve(reference).connect(application_name=name)
            connections.callback(conn.close)
            for piece in lexer.split(text):
                conn.execute(piece.text.encode())
        yield


def _require(holds: bool, said: str) -> None:
    if not holds:
        raise _Differs(said)
