"""An Incident: what a notebook holds in its hand. It calls the stages and remembers their results."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import cache, cached_property, partial
from pathlib import Path
from typing import Any

import psycopg

from mendbook import runbook as runbooks
from mendbook import target as targets
from mendbook.errors import Refused, Usage
from mendbook.recording import Recording
from mendbook.render import Picture
from mendbook.request import new_folder, understand
from mendbook.runbook import Runbook
from mendbook.runbook_text import Option, Value
from mendbook.schema import audit, clone, picture, snapshot, tables
from mendbook.schema.audit import Audit
from mendbook.schema.clone import Clone
from mendbook.schema.snapshot import Snapshot
from mendbook.schema.tables import Tables
from mendbook.show import live
from mendbook.show.plots import Plot
from mendbook.stages import apply, canary, document, edits, lasting, plan, rehearse, reproduce, resume, verify
from mendbook.stages.application import Application
from mendbook.stages.canary import Canary
from mendbook.stages.document import Record
from mendbook.stages.plan import Plan
from mendbook.stages.rehearse import Rehearsal
from mendbook.stages.reproduce import Reproduction
from mendbook.stages.verify import Verification
from mendbook.symptom import referral, statements, unreachable
from mendbook.target import Identity, Target
from mendbook.verdict import Verdict

WAIT_S = 60.0  # how long `repair` goes on asking for locks, in all


class Incident(Recording):
    """One runbook on one target, with its folder."""

    def __init__(self, folder: Path, record: Record, *, expected_database: str = "", wait: float = 0.0) -> None:
        super().__init__(folder, record)
        opened = partial(unreachable.opened, record["target"], expected_database=expected_database, wait=wait)
        self._opened = cache(opened)

    # ---- beginning

    @classmethod
    def begin(
        cls,
        *,
        runbook: str = "",
        error: str = "",
        error_file: str = "",
        target: str,
        values: Mapping[str, object] | None = None,
        option: str = "",
        expected_database: str = "",
        incidents: str = "incidents",
        folder: str = "",
        allow_dangerous: bool = False,
        migrations: str = "",
        framework: str = "",
        record: bool = False,
    ) -> Incident:
        """Start a new incident, in a new folder below *incidents* or in *folder*, which is there and empty.

        *error*, or what stands in *error_file*, gives values; where no *runbook* is named, it leads to one. The fix is
        also written as a migration of *framework* for the folder *migrations*, and with *record* the plan records that
        one in the ledger. Raises `Usage` for what cannot be understood (then there is no folder), `Refused` for an
        error that no runbook is for, `UnreadableTarget` and `WrongTarget`.
        """
        text = error or (referral.read(error_file) if error_file else "")
        if text:
            runbook, values = referral.choose(text, runbook=runbook, values=values or {})
        request = understand(
            runbook=runbook,
            target=target,
            values=values or {},
            option=option,
            error=referral.excerpt(text),
            expected_database=expected_database,
            allow_dangerous=allow_dangerous,
            migrations=migrations,
            framework=framework,
            record=record,
        )
        made = Path(folder) if folder else new_folder(Path(incidents), request.runbook.slug)
        incident = cls(made, request.first_record(made), expected_database=expected_database)
        with incident._stage("identify"):
            incident.record["identity"] = [list(fact) for fact in incident.identity.facts()]
            targets.require_primary(incident.target, incident.identity)
        return incident

    @classmethod
    def resume(cls, folder: str, *, expected_database: str = "", wait: float = 0.0) -> Incident:
        """Take up a diagnosed incident, and its database within *wait* seconds; raises `Usage` where there is none."""
        path = Path(folder)
        try:
            record = document.load(path)
        except (OSError, ValueError):
            raise Usage(
                f"{folder or 'The empty name'} is no incident folder; nothing was started. Name the folder that "
                f"diagnose made, such as incidents/20261120-031500-socket-sessions-updated-at."
            ) from None
        incident = cls(path, record, expected_database=expected_database or record["expected_database"], wait=wait)
        incident._diagnosed = True
        with incident._stage("identify again"):
            incident.record["identity"] = [list(fact) for fact in incident.identity.facts()]
        return incident

    # ---- what it is about

    @cached_property
    def runbook(self) -> Runbook:
        """The runbook."""
        return runbooks.load(Path(self.record["runbook_folder"]))

    @cached_property
    def option(self) -> Option:
        """The chosen option."""
        return self.runbook.option(self.record["option"])

    @property
    def values(self) -> Mapping[str, Value]:
        """The value of every parameter."""
        values: Mapping[str, Value] = self.record["values"]
        return values

    @property
    def target(self) -> Target:
        """The target."""
        return self._opened()[0]

    @property
    def identity(self) -> Identity:
        """Which database it is."""
        return self._opened()[1]

    # ---- diagnose

    @cached_property
    def schema(self) -> Snapshot:
        """The schema of the target."""
        with self._stage("inspect"), self.target.reading() as conn:
            return snapshot.read(conn)

    @cached_property
    def audit(self) -> Audit | None:
        """The four-way table of the application's migrations; None where the incident does not know their folder."""
        known = self.values if self.values.get("migrations") else self.record["lasting"]
        if not known["migrations"] or not known.get("framework"):
            return None
        live = self.schema
        with self._stage("audit"), self.target.reading() as conn:
            made = audit.make(
                conn,
                live=live,
                identity=self.identity,
                framework=str(known["framework"]),
                folder=Path(str(known["migrations"])).expanduser(),
                schema=str(known.get("schema", "")),
            )
            self.record["audit"] = {"rows": [list(row) for row in made.rows()], "notes": list(made.notes)}
            return made

    @cached_property
    def tables(self) -> Tables:
        """The tables that the statements name, as they are now."""
        sent = [each.sql for each in self.runbook.statements(self.values) if not each.fails_with]
        names = [name for sql in sent for name in statements.tables(sql).values()]
        with self.target.reading() as conn:
            return tables.describe(conn, self.schema, names, self.identity.schemas)

    @cached_property
    def reproduction(self) -> Reproduction:
        """The failing statements; raises `NotThisIncident` where they do not fail as the runbook says."""
        with self._stage("reproduce"):
            with self.target.reading() as conn:
                found = reproduce.run(conn, self.runbook, self.values)
            self.record["reproduction"] = [outcome.to_json() for outcome in found.outcomes]
            reproduce.confirm(found, self.runbook, self.values)
            return found

    @cached_property
    def _clone(self) -> Clone:
        return self._kept.enter_context(clone.build(self.schema, self.identity))

    @cached_property
    def plan(self) -> Plan:
        """The plan: made once, then read from the folder."""
        path = self.folder / "plan.json"
        if path.exists():
            return plan.load(path.read_text(encoding="utf-8"))
        _ = self.reproduction
        with self._stage("plan"), self.target.reading() as conn:
            made = plan.make(
                conn=conn,
                identity=self.identity,
                live=self.schema,
                clone=self._clone,
                runbook=self.runbook,
                option=self.option,
                values=self.values,
                files=(self.folder / "app").resolve(),
                allow_dangerous=self.record["allow_dangerous"],
            )
            made = self._lasting(conn, made)
            self._keep_plan(made)
            return made

    def _lasting(self, conn: psycopg.Connection[Any], made: Plan) -> Plan:
        """Write the migration that was asked for; the plan comes back with the steps that record it."""
        asked = self.record["lasting"]
        if not asked["framework"] or not made.steps:
            return made
        written = lasting.make(made.steps, framework=asked["framework"], folder=Path(asked["migrations"]))
        lasting.save(written, self.folder / "migration")
        self.record["migration"] = lasting.to_json(written)
        recorded = lasting.recorded(conn, written, self.schema, self.identity) if asked["record"] else ()
        return replace(made, steps=(*made.steps, *recorded))

    def _keep_plan(self, made: Plan) -> None:
        drawn = picture.draw(self.schema, made.desired)
        back = f"mendbook rollback {shlex.quote(str(self.folder))} --approve {made.digest}"
        for number, edit in enumerate(made.edits, 1):
            if edit.before is not None:
                backup = self.folder / "backup" / f"{number}-{Path(edit.path).name}"
                backup.parent.mkdir(exist_ok=True)
                document.put(backup, edit.before)
        document.put(self.folder / "plan.json", plan.dump(made))
        self.record["digest"] = made.digest
        self.record["plan"] = {
            "dangers": list(made.dangers),
            "rows": [list(row) for row in made.rows()],
            "forward": made.forward(),
            "backward": made.backward(),
            "rollback": back if made.can_go_back else "",
            "edits": [{"title": e.title, "sha256": edits.digest(e.before)} for e in made.edits],
            "picture": {"boxes": [asdict(box) for box in drawn.boxes], "links": [list(link) for link in drawn.links]},
        }

    @property
    def picture(self) -> Picture:
        """The tables that the plan is about, with what is missing marked."""
        return picture.draw(self.schema, self.plan.desired)

    @cached_property
    def rehearsal(self) -> Rehearsal:
        """The rehearsal on the clone; raises `RehearsalFailed` where something did not hold."""
        made = self.plan
        with self._stage("rehearse"):
            found = rehearse.run(made, self._clone, self.runbook, self.option)
            self.record["rehearsal"] = {
                "server": found.server_version,
                "checks": [list(fact) for fact in found.facts()],
                "steps": [list(row) for row in found.steps()],
                "omitted": list(found.omitted),
                "green": found.green,
            }
            rehearse.require_green(found)
            return found

    def diagnosed(self) -> Verdict:
        """End a diagnosis: write the documents and say what to type next."""
        _ = self.rehearsal
        command = f"mendbook repair {shlex.quote(str(self.folder))} --approve {self.plan.digest}"
        said = "incident found; the plan is ready, and nothing was changed"
        if self.plan.by_hand:
            said = "incident found; what mends it is done by hand, and nothing was changed"
            command = f"# once you have done it, to verify and document that:\n{command}"
        with self._kept:
            return self._conclude(said, 3, command)

    # ---- repair, rollback

    def approve(self, digest: str) -> Plan:
        """The plan, if *digest* approves it; raises `NotApproved`, or `Refused` for a red or missing rehearsal."""
        with self._stage("approve"):
            if not (self.folder / "plan.json").exists():
                raise Refused(f"{self.folder} holds no plan, so nothing was changed. Diagnose the incident first.")
            if not self.record.get("rehearsal", {}).get("green"):
                raise Refused(
                    f"The plan in {self.folder} was not rehearsed with success, so nothing was changed. Diagnose again."
                )
            apply.approve(self.plan, digest)
            self.record["approved"] = digest
            return self.plan

    def still_there(self) -> Reproduction:
        """Reproduce once more, just before the change.

        Raises `NotThisIncident` where it is mended already, unless that was to be done by hand or was begun.
        """
        with self._stage("reproduce again"):
            with self.target.reading() as conn:
                found = reproduce.run(conn, self.runbook, self.values)
            if not self.option.done_by_hand and not resume.begun(self.journal, self.record["digest"]):
                reproduce.confirm(found, self.runbook, self.values)
            return found

    def apply(self, *, wait: float = WAIT_S) -> Application:
        """Apply the approved plan; raises what `apply.run` raises."""
        with self._stage("apply"):
            by, show = self.record.get("approved", ""), live.place()
            bird = Canary(canary.traffic(self.runbook, self.option, self.values))
            try:
                done = apply.run(self.plan, self.target, self.journal, approved=by, wait=wait, show=show, canary=bird)
            finally:
                if bird.timeline.holds:  # what was refused takes nothing away from the record
                    self.record["timeline"] = bird.timeline.to_json()
            self.record["application"] = done.to_json()
            return done

    @property
    def timeline(self) -> Plot:
        """What happened when while the plan was applied."""
        return Plot(data=self.record.get("timeline", {}))

    def verify(self) -> Verification:
        """Verify on the target; raises `NotVerified` naming what does not hold."""
        with self._stage("verify"):
            found = verify.run(self.plan, self.target, self.runbook, self.option)
            self.record["verification"] = {"checks": [list(f) for f in found.facts()], "fingerprint": found.fingerprint}
            self.record.pop("rolled_back", None)
            verify.require(found, self.plan)
            return found

    def repaired(self) -> Verdict:
        """End a repair."""
        command = self.record["plan"]["rollback"]
        back = f"# if it has to be taken back:\n{command}" if command else ""
        resumed = "resumed, " if self.record.get("application", {}).get("resumed") else ""
        return self._ended(f"{resumed}fixed and verified", back)

    def rollback(self, *, wait: float = WAIT_S) -> Application:
        """Take the applied plan back; raises what `apply.undo` raises, and `Refused` where nothing was applied."""
        with self._stage("roll back"):
            after = self.record.get("verification", {}).get("fingerprint", "")
            undone = not after or self.record.get("rolled_back")
            if undone and not resume.begun(self.journal, self.record["digest"]):
                raise Refused(
                    f"The plan in {self.folder} is not applied, so there is nothing to take back; nothing was changed."
                )
            more = {"fingerprint": after, "wait": wait, "show": live.place()}
            return apply.undo(self.plan, self.target, self.journal, approved=self.record.get("approved", ""), **more)

    def verify_rollback(self) -> Verification:
        """Verify that the schema is as it was before the fix; raises `NotVerified`."""
        with self._stage("verify the rollback"):
            found = verify.after_undo(self.plan, self.target, self.runbook)
            self.record["rolled_back"] = {"checks": [list(fact) for fact in found.facts()]}
            verify.require(found, self.plan)
            return found

    def rolled_back(self) -> Verdict:
        """End a rollback."""
        if not self.plan.can_go_back:
            return self._ended("nothing had to be taken back; the schema is as it was before the fix", "")
        save = "".join(f", save what cannot be taken back: {each}" for each in self.plan.lasting)
        return self._ended(f"rolled back; the schema is as it was before the fix{save}", "")

    def _ended(self, verdict: str, command: str) -> Verdict:
        """End a repair or a rollback: nothing of it is left to be resumed."""
        with self._kept:
            ended = self._conclude(verdict, 0, command)
            self.journal.note("verified")
            return ended
