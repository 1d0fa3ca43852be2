"""A Recording: the folder of an incident and its record, in which every stage is kept as it ended."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from mendbook.errors import ApplyFailed, MendbookError, NotVerified, Surroundings
from mendbook.request import now, who
from mendbook.show import plots
from mendbook.stages import document
from mendbook.stages.document import Record
from mendbook.stages.journal import Journal
from mendbook.verdict import Verdict

_CHANGED = (ApplyFailed.exit_code, NotVerified.exit_code)


class Recording:
    """What an incident keeps of itself."""

    def __init__(self, folder: Path, record: Record) -> None:
        self.folder = folder
        self.record = record
        self.journal = Journal(folder / "journal.jsonl")
        self._diagnosed = False
        self._kept = ExitStack()  # what is open from one stage to the next

    def _hold(self) -> None:
        """Keep other runs out of the folder until this one ends, and take up what they left in the record.

        Raises `Refused` where another run is at it: it would write the record from what it remembers.
        """
        if self.journal.is_held:
            return
        self._kept.enter_context(self.journal.held())
        with suppress(FileNotFoundError):  # a new folder has no record yet
            self.record = document.load(self.folder)

    def _conclude(self, verdict: str, exit_code: int, command: str) -> Verdict:
        self.record.update(verdict=verdict, exit_code=exit_code, next=command)
        self._remember(verdict, exit_code)
        document.write(self.folder, self.record, plots.draw)
        return Verdict(
            verdict=verdict, exit_code=exit_code, digest=self.record["digest"], folder=self.folder, next=command
        )

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        """Time a stage, and keep in the record how it ended, whatever happens."""
        self._hold()
        start = time.monotonic()
        try:
            yield
        except BaseException as error:
            self._time(name, start)
            # A disk that is full must not hide what went wrong.
            with suppress(OSError):
                self._failed(name, error)
            self._kept.close()
            raise
        self._time(name, start)
        try:
            document.save(self.folder, self.record)
        except OSError as error:
            raise Surroundings(
                f"The stage {name!r} ended well, and {self.folder} cannot be written ({error}), so the record lacks "
                f"it. Make room or make the folder writable, then run this again."
            ) from None

    def _time(self, name: str, start: float) -> None:
        self.record["stages"][name] = {"seconds": round(time.monotonic() - start, 3)}

    def _failed(self, name: str, error: BaseException) -> None:
        code = error.exit_code if isinstance(error, MendbookError) else 1
        verdict = str(error) if isinstance(error, MendbookError) else f"{name} stopped ({type(error).__name__})"
        self._remember(verdict, code)
        # What was refused later does not take back what the record says: it changed nothing.
        if not self._diagnosed or code in _CHANGED:
            self.record.update(verdict=verdict, exit_code=code, next="")
        document.save(self.folder, self.record)
        if "reproduction" in self.record:
            document.write(self.folder, self.record, plots.draw)

    def _remember(self, verdict: str, exit_code: int) -> None:
        self.record["history"].append({"when": now(), "who": who(), "verdict": verdict, "exit_code": exit_code})
