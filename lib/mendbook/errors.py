"""Every exception of Mendbook, and the exit code that each ends a command with.

::

    MendbookError                 1
    ├── Surroundings              1   something around the program is not there
    ├── Usage                     2   wrong usage: parameter, file, reference
    │   ├── BadRunbook            2
    │   └── UnreadableTarget      2
    ├── Refused                   4   nothing was changed, on purpose
    │   ├── NotThisIncident       4
    │   ├── WrongTarget           4
    │   ├── NotApproved           4
    │   ├── SchemaMoved           4
    │   └── RehearsalFailed       4
    ├── ApplyFailed               5   what was done is undone or named exactly
    │   └── Halted                5   stopped between two steps; a further run goes on
    ├── NotVerified               6   applied, and not verified
    └── LockNotObtained           7   nothing changed

Each message says the consequence first, then what to do next, with the reader's own names.
Inside a notebook these errors show as their message alone: the place in the library where one was
raised tells the reader nothing.
"""

from __future__ import annotations


class MendbookError(Exception):
    """Mendbook stopped; nothing was changed on the target."""

    exit_code = 1

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").strip())

    def _render_traceback_(self) -> list[str]:
        """What IPython prints in place of a traceback."""
        return [f"{type(self).__name__}: {self}"]


class Surroundings(MendbookError):
    """Something that Mendbook needs around it is not there."""


class Usage(MendbookError):
    """The call cannot be understood; nothing was started."""

    exit_code = 2


class BadRunbook(Usage):
    """The runbook cannot be used as it is written; nothing was started."""


class UnreadableTarget(Usage):
    """The target cannot be opened; nothing was changed."""


class Refused(MendbookError):
    """Refused; nothing was changed."""

    exit_code = 4


class NotThisIncident(Refused):
    """This database does not have this incident; nothing was changed."""


class WrongTarget(Refused):
    """This is not the database that was meant; nothing was changed."""


class NotApproved(Refused):
    """The plan has not been approved by its digest; nothing was changed."""


class SchemaMoved(Refused):
    """The schema is no longer the one that was planned for; nothing was changed."""


class RehearsalFailed(Refused):
    """The plan did not work on the clone, so it was not offered for the target; nothing was changed."""


class ApplyFailed(MendbookError):
    """The plan could not be applied."""

    exit_code = 5


class Halted(ApplyFailed):
    """Applying stopped between two steps, since going on would have harmed what runs; run it again to go on."""


class NotVerified(MendbookError):
    """The plan was applied, and what it should have done could not be shown."""

    exit_code = 6


class LockNotObtained(MendbookError):
    """The lock was not obtained in the time allowed; nothing was changed."""

    exit_code = 7


def exit_code_of(name: str) -> int:
    """Return the exit code of the exception class called *name*; 1 for a name that is not ours."""
    found = globals().get(name)
    return found.exit_code if isinstance(found, type) and issubclass(found, MendbookError) else 1
