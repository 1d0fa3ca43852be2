"""A process's end of the connection to a server's supervisor: while it is open, the server is up.

`launch` starts a supervisor, `reach` joins one that is up where the server is shared, and waits for one that is
starting or stopping.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mendbook import errors
from mendbook.servers import binaries, supervisor

_MEMORY = Path("/dev/shm")  # noqa: S108 - what is made there gets random names
_MEMORY_FREE = 256 << 20  # bytes that have to be free to put data there
_SOCKET_PATH_LIMIT = 103  # bytes on macOS; Linux has 107

# For many databases, transactions over thousands of relations, and standbys.
_SETTINGS = {
    "cluster_name": "mendbook",
    "jit": "off",
    "max_connections": "100",
    "max_locks_per_transaction": "512",
    "wal_level": "replica",
}
# synchronous_commit stays on: without it, a killed postgres loses committed rows.
_THROW_AWAY = {
    "autovacuum": "off",
    "dynamic_shared_memory_type": "mmap",  # files in the data directory, which go with it
    "fsync": "off",
    "full_page_writes": "off",
}

# The package is appended to the path, so that nothing in it can stand in for the standard library.
_BOOT = (
    f"import sys; sys.path.append({str(Path(__file__).parents[2])!r}); "
    "from mendbook.servers import supervisor; supervisor.main(sys.argv[1])"
)

_children: list[subprocess.Popen[bytes]] = []  # supervisors; one of a shared server may outlive our use of it


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """How a server is to run."""

    bin: Path  # directory of its programs
    home: Path | None = None  # folder that keeps its data; None: throw-away
    shared: bool = False  # other processes may join
    tcp: bool = False  # on 127.0.0.1 besides the unix socket
    password: str | None = field(default=None, repr=False)  # of the user postgres on 127.0.0.1; None: none is asked for
    settings: Mapping[str, str] = field(default_factory=dict)  # of postgresql.conf, besides those above


class Lifeline:
    """What keeps a server up; made when the server accepts connections."""

    def __init__(self, connection: socket.socket) -> None:
        """Raise EOFError if there is no supervisor any more, and Surroundings if postgres does not start."""
        greeting = _greeting(connection)
        if "error" in greeting:
            raise errors.Surroundings(f"The embedded server did not start; nothing is running. {greeting['error']}")
        self.socket_dir = Path(greeting["socket_dir"])
        self.port: int = greeting["port"]
        self.supervisor_pid: int = greeting["pid"]
        self._connection = connection

    def is_up(self) -> bool:
        """Return whether the supervisor holds the other end."""
        try:
            return bool(self._connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
        except BlockingIOError:
            return True
        except OSError:
            return False

    def let_go(self) -> None:
        """Close the lifeline; if it was the last, return when the server is gone."""
        goes_on = b""
        with self._connection, contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_WR)
            self._connection.settimeout(supervisor.STOP_SECONDS)
            goes_on = self._connection.recv(64)
        for child in _children:
            if child.pid == self.supervisor_pid and not goes_on:
                child.wait()
        supervisor.sweep([self.socket_dir.parent.parent])  # in case the supervisor was killed

    def abandon(self) -> None:
        """Close this copy of the lifeline in a forked child; the parent's stays open."""
        self._connection.close()


def abandon_children() -> None:
    """Stop minding supervisors: in a forked child, whose they are not, and when this process ends."""
    for child in _children:
        if child.poll() is None:
            child.returncode = 0  # that a shared server goes on is meant; Popen would complain of it
    _children.clear()


def reach(plan: Plan) -> Lifeline:
    """Start a server whose data is kept, or join it where it is shared and up. Raises Surroundings."""
    if plan.home is None:
        return launch(plan)
    deadline = time.monotonic() + supervisor.START_SECONDS + supervisor.STOP_SECONDS
    while time.monotonic() < deadline:
        if plan.shared and (joined := _joined(plan.home / "run")):
            return joined
        try:
            plan.home.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = supervisor.lock(plan.home)
        except OSError as error:
            raise errors.Surroundings(f"No embedded server was started: its data cannot be kept ({error}).") from error
        if lock is not None:
            return launch(plan, lock)
        if not plan.shared:
            raise errors.Surroundings(
                f"No embedded server was started: another one runs on {plan.home}. Stop it, or name another folder."
            )
        time.sleep(0.02)  # somebody is starting or stopping it
    raise errors.Surroundings(f"The embedded server in {plan.home} neither answers nor ends; see postgres.log there.")


def _joined(door: Path) -> Lifeline | None:
    connection = socket.socket(socket.AF_UNIX)
    try:
        run = door.readlink()
        if run.stat().st_uid == os.geteuid():  # else somebody took the name of a folder that is gone
            connection.connect(str(run / "lifeline"))
            return Lifeline(connection)
    except (OSError, EOFError):  # nobody there, or just leaving
        pass
    connection.close()
    return None


def launch(plan: Plan, *locks: int, fill: Callable[[Path], None] | None = None) -> Lifeline:
    """Start a supervisor and hand it *locks*; *fill* makes the data directory if it is not to be an empty one.

    Raises Surroundings.
    """
    try:
        run, run_lock = _run_folder()
    except OSError as error:
        raise errors.Surroundings(f"No embedded server was started: {error}.") from error
    connection, theirs = socket.socketpair()
    child = None
    try:
        with theirs, _closing(run_lock, *locks):
            if fill:
                fill(run / "data")
            child = _supervised(plan, run, (theirs.fileno(), run_lock, *locks))
        return Lifeline(connection)
    except BaseException as error:
        connection.close()
        if child:
            child.wait()
        supervisor.sweep([run.parent])
        if isinstance(error, OSError | EOFError):
            reason = str(error) or "its supervisor was killed"
            raise errors.Surroundings(f"No embedded server was started: {reason}.") from error
        raise


def _supervised(plan: Plan, run: Path, handed: tuple[int, ...]) -> subprocess.Popen[bytes]:
    """Start a supervisor, handing it file descriptors, the lifeline first."""
    home = plan.home or run
    orders = {
        "bin": str(plan.bin),
        "build": f"{binaries.version(plan.bin)}-{(plan.bin / 'postgres').stat().st_size}",
        "run": str(run),
        "home": str(home),
        "templates": str(binaries.cache_dir() / "templates"),
        "settings": _SETTINGS | ({} if plan.home else _THROW_AWAY) | dict(plan.settings),
        "tcp": (plan.tcp or None) and ("scram-sha-256" if plan.password else "trust"),
        "shared": plan.shared,
        "lifeline": handed[0],
        "roots": [str(root) for root in _roots()],
    }
    with (home / "postgres.log").open("wb") as log:
        child = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _BOOT, json.dumps(orders)],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=handed,
            start_new_session=True,
        )
    _children[:] = [other for other in _children if other.poll() is None] + [child]
    return child


@contextlib.contextmanager
def _closing(*descriptors: int) -> Iterator[None]:
    try:
        yield
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def _greeting(connection: socket.socket) -> dict[str, Any]:
    connection.settimeout(supervisor.START_SECONDS)
    text = b""
    while not text.endswith(b"\n"):
        part = connection.recv(4096)
        if not part:
            raise EOFError
        text += part
    connection.settimeout(None)
    greeting: dict[str, Any] = json.loads(text)
    return greeting


def _run_folder() -> tuple[Path, int]:
    """Make the short-named folder of a running server; return it and its lock."""
    while True:
        run = Path(tempfile.mkdtemp(prefix=supervisor.RUN_PREFIX, dir=_roots()[0]))
        lock = supervisor.lock(run, wait=True)
        if lock is not None:  # else a sweep was quicker
            return run, lock


def _roots() -> list[Path]:
    """Return the folders where run folders may be, the best first."""
    roots = [Path(tempfile.gettempdir()), Path("/tmp")]  # noqa: S108 - mkdtemp's random names
    if os.access(_MEMORY, os.W_OK):
        space = os.statvfs(_MEMORY)
        roots.insert(0 if space.f_bavail * space.f_frsize >= _MEMORY_FREE else 2, _MEMORY)
    longest_name = f"/{supervisor.RUN_PREFIX}12345678/s/.s.PGSQL.65535"
    return [root for root in dict.fromkeys(roots) if len(os.fsencode(root)) + len(longest_name) <= _SOCKET_PATH_LIMIT]
