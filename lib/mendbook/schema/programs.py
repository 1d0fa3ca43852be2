"""Programs of the application that bring a schema about, run so that they reach the scratch database and no other.

Three things see to that. A program gets a short list of environment variables, with `DATABASE_URL` and libpq's own
pointing at the scratch database. Inside of it, the driver (SQLAlchemy, Django, node-postgres) is told to connect
there whatever the application's configuration says. And where the system allows it, no other server is in reach.
Afterwards the scratch database has to show what the program did.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from mendbook import redaction
from mendbook.errors import Refused, Surroundings, Usage
from mendbook.origin import Command, Program
from mendbook.schema import seclusion
from mendbook.schema.scratch import Scratch

TIME_LIMIT_S = 300
MISSING = 90  # exit code of the scripts in `inside` where the tool is not installed

_INSIDE = Path(__file__).with_name("inside")
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "NODE_PATH", "NODE_ENV", "VIRTUAL_ENV")
_TAIL = 25  # lines of a program's output that people are shown
_FRAME = re.compile(r'File "(?P<python>[^"\n]+)", line (?P<at>\d+)|(?P<node>/[^\s()]+):(?P<line>\d+):\d+')
_LIBRARIES = ("site-packages", "node_modules", str(_INSIDE))


def run(scratch: Scratch, reference: str, program: Program, command: Command) -> tuple[str, list[str]]:
    """Run the program; return what it printed, and what has to be said about the run.

    Raises `Surroundings` where the tool is missing, `Usage` where it fails, and `Refused` where it left nothing in
    the scratch database.
    """
    url = _url(scratch)
    words = [word.replace("{url}", url) for word in _words(program, command)]
    secluded = seclusion.secluded(words, scratch.server.socket_dir)
    ended = _call(reference, secluded or words, command.folder, _environment(scratch, url, program))
    if ended.code == MISSING:
        raise Surroundings(
            f"{reference} needs a tool that is not there: {ended.said.strip()} Run: {program.install}, then run this "
            f"again."
        )
    if ended.code != 0:
        raise _failed(scratch, reference, program, command, ended)
    if program.prints and not ended.printed.strip():
        raise Refused(
            f"{reference} printed no SQL, so it is not known which schema is expected; nothing was compared. "
            f"Run {command.words[0]} by hand to see why.\n{ended.tail()}"
        )
    if not program.prints and not scratch.filled():
        raise Refused(
            f"{reference} ran and left nothing in the scratch database, so it may have worked on another one; nothing "
            f"was compared. Make its configuration read DATABASE_URL, and check that it states tables at all.\n"
            f"{ended.tail()}"
        )
    if secluded:
        return ended.printed, []
    return ended.printed, [f"{command.words[0]} ran with a network, for this system does not let programs be secluded."]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Ended:
    code: int
    printed: str  # on standard output
    said: str  # on both

    def tail(self) -> str:
        """The end of what it said, for people."""
        lines = [line for line in self.said.splitlines() if line.strip()]
        return redaction.scrub("\n".join(lines[-_TAIL:]))


def _words(program: Program, command: Command) -> list[str]:
    name, *arguments = command.words
    if program.language == "Python":
        return [_python(command.folder), str(_INSIDE / name), *arguments]
    if name.endswith(".cjs"):
        return [_tool("node", "install Node.js"), str(_INSIDE / name), *arguments]
    _tool("node", "install Node.js")
    for place in (command.folder, *command.folder.parents):
        tool = place / "node_modules" / ".bin" / name
        if tool.exists():
            return [str(tool), *arguments]
    raise Surroundings(
        f"{name} is not installed in {command.folder}, so it is not known which schema is expected. "
        f"Run: {program.install}, then run this again."
    )


def _tool(name: str, install: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise Surroundings(f"There is no {name} here, so it is not known which schema is expected. First {install}.")
    return found


def _python(folder: Path) -> str:
    """The application's own Python, where it has one, else the one that runs this."""
    own = (place / venv / "bin" / "python" for place in (folder, *folder.parents) for venv in (".venv", "venv"))
    return str(next((path for path in own if path.exists()), sys.executable))


def _url(scratch: Scratch) -> str:
    socket = quote(str(scratch.server.socket_dir), safe="/")
    return f"postgresql://postgres@localhost:{scratch.server.port}/{scratch.database}?host={socket}"


def _environment(scratch: Scratch, url: str, program: Program) -> dict[str, str]:
    """The whole environment of a program: nothing in it leads to another database."""
    return {
        **{name: os.environ[name] for name in (*_KEPT, *program.keeps) if name in os.environ},
        "DATABASE_URL": url,
        "PGHOST": str(scratch.server.socket_dir),
        "PGPORT": str(scratch.server.port),
        "PGUSER": "postgres",
        "PGDATABASE": scratch.database,
        "PGPASSFILE": os.devnull,
        "PGSERVICEFILE": os.devnull,
        "NODE_OPTIONS": f"--require {json.dumps(str(_INSIDE / 'land.cjs'))}",
        "NO_COLOR": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def _call(reference: str, words: list[str], folder: Path, environment: dict[str, str]) -> _Ended:
    with subprocess.Popen(
        words,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as process:
        try:
            printed, complained = process.communicate(timeout=TIME_LIMIT_S)
        except subprocess.TimeoutExpired:
            raise Surroundings(
                f"{reference} did not end within {TIME_LIMIT_S} s and was stopped, so it is not known which schema is "
                f"expected. Run it by hand on an empty database to see what it waits for."
            ) from None
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # also what it started and left behind
    return _Ended(code=process.returncode, printed=printed, said=printed + complained)


def _failed(scratch: Scratch, reference: str, program: Program, command: Command, ended: _Ended) -> Usage:
    place = _place(ended.said, command.folder)
    if not place:
        announced = re.findall(program.announces, ended.said) if program.announces else []
        place = ", ".join([reference, *announced[-1:]])
    # Tools also try statements and go on when these fail, so only an error that is shown counts.
    error = next(((state, text) for state, text in scratch.errors() if text in ended.said), None)
    if error:
        what = f"{place} fails on the scratch database ({error[0]}): {error[1].rstrip('.')}."
    else:
        what = f"{place} fails; the scratch database refused none of its statements."
    return Usage(
        f"{what} It is not known which schema is expected. Repair that, then run this again; of the environment the "
        f"program got only {', '.join(_KEPT)} and the address of the scratch database. It said:\n{ended.tail()}"
    )


def _place(output: str, folder: Path) -> str:
    """Where in the application the last error of *output* comes from, as file:line; empty where nothing says it."""
    frames = [(each["python"] or each["node"], each["at"] or each["line"]) for each in _FRAME.finditer(output)]
    own = [
        f"{path}:{line}"
        for path, line in frames
        if Path(path).is_relative_to(folder) and not any(part in path for part in _LIBRARIES)
    ]
    return own[-1] if own else ""
