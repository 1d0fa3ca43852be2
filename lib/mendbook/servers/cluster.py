"""A database cluster of PostgreSQL: the data directory, and the postgres process on it.

Used inside a supervisor (`mendbook.servers.supervisor`), a process without other threads; it has to be quick to import.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import locale
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path

LINUX = sys.platform.startswith("linux")
READY_SECONDS = 120.0

# What postgres is told to end, and the seconds it has to obey. Kept data gets a clean shutdown.
GENTLY = ((signal.SIGINT, 30.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 5.0))
AT_ONCE = ((signal.SIGQUIT, 10.0), (signal.SIGKILL, 5.0))
Signals = tuple[tuple[signal.Signals, float], ...]


def environment(bin_dir: Path) -> dict[str, str]:
    """Return the whole environment of PostgreSQL's programs: nothing of the caller's."""
    found = {"PATH": os.defpath, "TZ": "UTC", "LC_ALL": "C.UTF-8"}
    if (bin_dir.parent / "lib").is_dir():
        # Extensions of some builds find their libpq only this way, and would else load the system's.
        found["LD_LIBRARY_PATH"] = str(bin_dir.parent / "lib")
    return found


class Cluster:
    """The data directory *data*, served by the programs in *bin_dir*."""

    def __init__(self, bin_dir: Path, data: Path, *, kept: bool) -> None:
        self.bin = bin_dir
        self.data = data
        self.last_word = GENTLY if kept else AT_ONCE
        self.kept = kept
        self._disguise, self.uid = _disguise()  # the user that files have to belong to
        self._postgres: subprocess.Popen[bytes] | None = None

    def initialise(self, template: Path | None) -> None:
        """Make the data directory by copying *template*; where that is missing or damaged, it is made anew.

        The caller sees to it that nobody else does this with the template. Raises RuntimeError when initdb fails.
        """
        new = self.data.with_name("data.new")
        shutil.rmtree(new, ignore_errors=True)
        if not (template and _copied(template, new)):
            shutil.rmtree(new, ignore_errors=True)
            new.mkdir()
            self._give(new)
            self._run("initdb", *initdb_options(), "--no-sync", "-D", str(new))
            if template:
                _publish(new, template)
        if self.kept:
            self._run("initdb", "--sync-only", "-D", str(new))
        new.rename(self.data)

    def start(self, settings: dict[str, str], sockets: Path, *, tcp: bool) -> int:
        """Start postgres with its unix socket in *sockets*; return its port once it accepts connections.

        Raises RuntimeError when postgres ends before that.
        """
        self._give(sockets)
        self._give(self.data)
        forget_stale_pid(self.data)
        for _ in range(5 if tcp else 1):  # a port that is free now may be taken a moment later
            port = _free_port() if tcp else 5432
            own = {
                "listen_addresses": "127.0.0.1" if tcp else "",
                "port": str(port),
                "unix_socket_directories": str(sockets),
            }
            options = [word for name, value in (settings | own).items() for word in ("-c", f"{name}={value}")]
            self._postgres = self._child("postgres", "-D", str(self.data), *options)
            if self._ready():
                return port
        raise RuntimeError("postgres ended before it was ready.")

    @property
    def running(self) -> bool:
        """Whether the postgres that was started is there."""
        return self._postgres is not None and self._postgres.poll() is None

    def stop(self) -> None:
        """Stop postgres, the harder the longer it takes."""
        if self._postgres:
            _end(self._postgres.pid, lambda: not self.running, self.last_word)

    def _run(self, program: str, *arguments: str) -> None:
        if self._child(program, *arguments).wait():
            raise RuntimeError(f"{program} failed.")

    def _child(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a program that the kernel ends (Linux) when this process is killed."""
        parent = os.getpid()

        def prepare() -> None:
            self._disguise()
            if LINUX:
                # PR_SET_PDEATHSIG, after the disguise, as a change of user clears it.
                ctypes.CDLL(None).prctl(1, self.last_word[0][0])
                if os.getppid() != parent:
                    os._exit(1)

        command = [str(self.bin / program), *arguments]
        return subprocess.Popen(
            command, cwd="/", env=environment(self.bin), stdin=subprocess.DEVNULL, preexec_fn=prepare
        )

    def _ready(self) -> bool:
        """Wait for line 8 of postmaster.pid; its line 1 tells it from a file that a crash left."""
        deadline = time.monotonic() + READY_SECONDS
        while self._postgres and self.running:
            lines = _pid_file(self.data)
            if len(lines) >= 8 and lines[0] == str(self._postgres.pid) and lines[7].strip() == "ready":
                return True
            if time.monotonic() > deadline:
                self.stop()
            time.sleep(0.004)
        return False

    def _give(self, folder: Path) -> None:
        if folder.stat().st_uid != self.uid:
            for path in (folder, *folder.rglob("*")):
                os.chown(path, self.uid, -1, follow_symlinks=False)


# A postgres that somebody else started


def evict(data: Path, signals: Signals) -> None:
    """End a postgres that outlived its supervisor. The caller knows that *data* is in nobody's use."""
    pid = _postmaster(data)
    if pid is not None:
        _end(pid, lambda: not _serves(pid, data), signals)


def forget_stale_pid(data: Path) -> None:
    """Remove a postmaster.pid whose process is gone, for fear that its number belongs to another one by now.

    Postgres would take that one for a postmaster, and refuse to start.
    """
    pid = _postmaster(data)
    if pid is not None and not _serves(pid, data):
        (data / "postmaster.pid").unlink()


def forget_shared_memory(data: Path) -> None:
    """Remove the System V segment of a killed postgres; a clean shutdown leaves neither it nor postmaster.pid."""
    with contextlib.suppress(IndexError, ValueError):
        segment = int(_pid_file(data)[6].split()[1])  # line 7: key and id
        ctypes.CDLL(None).shmctl(segment, 0, None)  # IPC_RMID


def _postmaster(data: Path) -> int | None:
    lines = _pid_file(data)
    return int(lines[0]) if lines and lines[0].isdigit() else None


def _pid_file(data: Path) -> list[str]:
    try:
        return (data / "postmaster.pid").read_text().splitlines()
    except OSError:
        return []


def _serves(pid: int, data: Path) -> bool:
    """Return whether process *pid* is a postgres on *data*."""
    if LINUX:
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ")
        except OSError:
            return False
    else:
        command = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, check=False).stdout
    return b"postgres -D " + os.fsencode(data) + b" " in command


def _end(pid: int, gone: Callable[[], bool], signals: Signals) -> None:
    for number, seconds in signals:
        if gone():
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + seconds
        while not gone() and time.monotonic() < deadline:
            time.sleep(0.002)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


# Templates: an initialised data directory beside a file that says how large it was when it was made


def initdb_options() -> list[str]:
    """Options that every data directory is made with: UTF-8, compared by code point; small WAL files."""
    name = "C.UTF-8"
    try:
        locale.setlocale(locale.LC_CTYPE, name)
    except locale.Error:  # not every system has it
        name = "C"
    return ["-U", "postgres", "-A", "trust", "-E", "UTF8", f"--locale={name}", "--wal-segsize=1"]


def template_name(build: str) -> str:
    """Return a name for the template of the programs known as *build*."""
    return f"{build}-{zlib.crc32(' '.join(initdb_options()).encode()):08x}"


def _copied(template: Path, data: Path) -> bool:
    """Copy *template*; return whether it was there and whole."""
    try:
        return _copy(template / "data", data) == (template / "size").read_text()
    except OSError:
        return False


def _publish(data: Path, template: Path) -> None:
    new = template.with_name("new")
    for old in (new, template):
        shutil.rmtree(old, ignore_errors=True)
    new.mkdir()
    (new / "size").write_text(_copy(data, new / "data"))
    new.rename(template)


def _copy(source: Path, target: Path) -> str:
    """Copy a folder, sharing blocks where the file system can; return the number of its files and bytes."""
    files = size = 0
    target.mkdir()
    for folder, folders, names in os.walk(source):
        there = target / Path(folder).relative_to(source)
        for name in folders:
            (there / name).mkdir()
        for name in names:
            size += _copy_file(f"{folder}/{name}", f"{there}/{name}")
        files += len(names)
    return f"{files} files, {size} bytes"


def _copy_file(source: str, target: str) -> int:
    with open(source, "rb") as reader, open(target, "xb") as writer:  # noqa: PTH123 - there are a thousand
        try:
            fcntl.ioctl(writer, 0x40049409, reader.fileno())  # FICLONE: ioctl_ficlone(2)
        except OSError:
            shutil.copyfileobj(reader, writer)
        return os.fstat(reader.fileno()).st_size


# Who postgres runs as: it refuses root, and initdb wants the user to have a name


def _disguise() -> tuple[Callable[[], None], int]:
    """Return what a child calls before it becomes postgres, and the user that it then is outside of any namespace."""
    users = {user.pw_uid: user for user in pwd.getpwall()}
    if os.geteuid() != 0 and os.geteuid() in users:
        return lambda: None, os.geteuid()
    nobody = next((user for user in users.values() if user.pw_name == "nobody" and user.pw_uid), None)
    stand_in = nobody or next((user for uid, user in users.items() if uid), None)
    if LINUX and stand_in and _works(lambda: _enter_namespace(stand_in.pw_uid)):
        return lambda: _enter_namespace(stand_in.pw_uid), os.geteuid()
    if nobody and os.geteuid() == 0:
        return lambda: _become(nobody), nobody.pw_uid
    raise RuntimeError(
        f"PostgreSQL does not run as user id {os.geteuid()}: it wants an ordinary user with an entry in /etc/passwd."
    )


def _works(attempt: Callable[[], None]) -> bool:
    child = os.fork()
    if child == 0:
        try:
            attempt()
            os._exit(0)
        finally:
            os._exit(1)
    return os.waitpid(child, 0)[1] == 0


def _enter_namespace(uid: int) -> None:
    """Become *uid* in a user namespace of its own; seen from outside nothing changes: user_namespaces(7)."""
    outside_uid, outside_gid = os.geteuid(), os.getegid()
    if ctypes.CDLL(None, use_errno=True).unshare(0x10000000):  # CLONE_NEWUSER
        raise OSError(ctypes.get_errno(), "unshare")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{uid} {outside_uid} 1")
    Path("/proc/self/gid_map").write_text(f"{uid} {outside_gid} 1")


def _become(user: pwd.struct_passwd) -> None:
    """Stop being root, but still reach programs and data in folders that only root may enter (on Linux)."""
    libc = ctypes.CDLL(None)
    if LINUX:
        libc.prctl(8, 1)  # PR_SET_KEEPCAPS
    os.setgroups([])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
    if LINUX:
        dac_override = 1
        version_3, sets = 0x20080522, (1 << dac_override,) * 3  # effective, permitted, inheritable
        libc.capset((ctypes.c_uint32 * 2)(version_3, 0), (ctypes.c_uint32 * 6)(*sets))
        libc.prctl(47, 2, dac_override, 0, 0)  # PR_CAP_AMBIENT_RAISE lets it survive exec: capabilities(7)
