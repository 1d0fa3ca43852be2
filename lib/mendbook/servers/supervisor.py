"""The process between one embedded PostgreSQL server and the processes that use it.

`mendbook.servers.lifeline` starts it as ``python -I -S``. It prepares the data directory, starts postgres, and holds
*lifelines*: one unix-socket connection per process that uses the server. The kernel closes a lifeline when its
process ends, however it ends; after the last one the supervisor stops postgres, removes what is throw-away, and
ends. When the supervisor itself is killed, the kernel tells postgres to stop (Linux: PR_SET_PDEATHSIG, bound to
the *thread* that started postgres, hence a process of its own with one thread), and the next start sweeps up.

A folder in use is locked with flock(2). The lock is taken by the process that starts a server, and inherited by the
supervisor: a folder whose lock can be had is provably unused.

Only the standard library is imported, and little of it: this is on the way of every start.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import selectors
import shutil
import signal
import socket
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from mendbook.servers import cluster

RUN_PREFIX = "mendbook-pg-"
START_SECONDS = cluster.READY_SECONDS + 60  # making the data directory, and waiting for others who do
STOP_SECONDS = sum(seconds for _, seconds in cluster.GENTLY) + 15

Greeting = dict[str, str | int]


class Orders:
    """What a supervisor is started for; made from JSON."""

    def __init__(self, text: str) -> None:
        given = json.loads(text)
        self.bin = Path(given["bin"])  # directory of postgres and initdb
        self.build: str = given["build"]  # tells these programs from others
        self.run = Path(given["run"])  # short-named folder of sockets, removed in the end
        self.home = Path(given["home"])  # holds data and postgres.log; the same as run for a throw-away server
        self.templates = Path(given["templates"])  # folder of initialised data directories
        self.settings: dict[str, str] = given["settings"]
        self.tcp: str | None = given["tcp"]  # authentication method on 127.0.0.1; None: unix socket alone
        self.shared: bool = given["shared"]  # other processes may join
        self.lifeline: int = given["lifeline"]  # file descriptor
        self.roots = [Path(root) for root in given["roots"]]  # where run folders of others may be


def main(text: str) -> None:
    """Run one server from its start to its end."""
    orders = Orders(text)
    os.umask(0o077)
    # The end of this process closes what is in this set, which tells the last owners that the server is gone.
    lifelines = {socket.socket(fileno=orders.lifeline)}
    wake = _wake_on_signals()
    server = None
    try:
        server = cluster.Cluster(orders.bin, orders.home / "data", kept=orders.home != orders.run)
        greeting = _bring_up(server, orders)
        _say(lifelines, greeting)
        sweep(orders.roots)
        with _listening(orders) as listener:
            _hold(server, lifelines, listener, wake, greeting)
    except Exception as error:  # whatever it is, the owner has to hear of it
        log = (orders.home / "postgres.log").read_text(errors="replace")
        _say(lifelines, {"error": f"{error}\n{log[-2000:]}".strip()})
    finally:
        if server:
            server.stop()
        _remove(orders.run)


def _bring_up(server: cluster.Cluster, orders: Orders) -> Greeting:
    if not server.data.is_dir():
        with _templates(orders.templates) as writable:
            template = orders.templates / cluster.template_name(orders.build)
            server.initialise(template if writable else None)
    cluster.evict(server.data, server.last_word)
    sockets = orders.run / "s"
    sockets.mkdir()
    hba = orders.run / "pg_hba.conf"
    hba.write_text(_hba(orders.tcp))
    if server.uid != os.geteuid():
        orders.run.chmod(0o711)
        hba.chmod(0o644)
    port = server.start(orders.settings | {"hba_file": str(hba)}, sockets, tcp=orders.tcp is not None)
    return {"socket_dir": str(sockets), "port": port, "pid": os.getpid()}


def _hba(tcp: str | None) -> str:
    """Who reaches the socket's folder is trusted."""
    lines = ["local all,replication all trust"]
    if tcp:
        lines.append(f"host all,replication all 127.0.0.1/32 {tcp}")
    return "\n".join(lines) + "\n"


# Folders and their locks


def lock(folder: Path, *, wait: bool = False) -> int | None:
    """Lock *folder* for this process and those that inherit the descriptor; None when it is in use or gone."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        # It may have been removed between opening and locking.
        if os.path.samestat(os.fstat(descriptor), folder.stat()):
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(descriptor)
    return None


@contextlib.contextmanager
def _templates(folder: Path) -> Iterator[bool]:
    """Have the folder of templates for oneself; yield whether it can be written: if not, that only costs time."""
    descriptor = None
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            descriptor = lock(folder, wait=True)
    try:
        yield descriptor is not None
    finally:
        if descriptor is not None:
            os.close(descriptor)


def sweep(roots: Iterable[Path]) -> None:
    """Remove run folders that killed supervisors left behind."""
    for folder in [folder for root in roots for folder in root.glob(RUN_PREFIX + "*")]:
        with contextlib.suppress(OSError):
            # What stands in another user's folder is not to be believed.
            descriptor = lock(folder) if folder.lstat().st_uid == os.geteuid() else None
            if descriptor is not None:
                cluster.evict(folder / "data", cluster.AT_ONCE)
                _remove(folder)
                os.close(descriptor)


def _remove(run: Path) -> None:
    cluster.forget_shared_memory(run / "data")
    for _ in range(20):  # children of a killed postgres may still be writing
        shutil.rmtree(run, ignore_errors=True)
        if not run.exists():
            return
        time.sleep(0.05)


# Lifelines


@contextlib.contextmanager
def _listening(orders: Orders) -> Iterator[socket.socket | None]:
    """Let other processes join a shared server at home/run/lifeline."""
    if not orders.shared:
        yield None
        return
    door, new = orders.home / "run", orders.home / "run.new"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(orders.run / "lifeline"))
        listener.listen(64)
        listener.setblocking(False)
        new.unlink(missing_ok=True)
        new.symlink_to(orders.run)
        new.replace(door)
        try:
            yield listener
        finally:
            door.unlink()


def _hold(
    server: cluster.Cluster,
    lifelines: set[socket.socket],
    listener: socket.socket | None,
    wake: socket.socket,
    greeting: Greeting,
) -> None:
    """Return when the last of *lifelines* is closed, postgres is gone, or this process is asked to end."""
    with selectors.DefaultSelector() as selector:
        for source in (*lifelines, wake, *([listener] if listener else [])):
            selector.register(source, selectors.EVENT_READ)
        while server.running:
            ready = [key.fileobj for key, _ in selector.select()]
            if wake in ready and set(wake.recv(64)) & {signal.SIGTERM, signal.SIGINT}:
                return
            ended = {lifeline for lifeline in lifelines.intersection(ready) if _closed(lifeline)}
            for joined in _joining(listener):
                _say({joined}, greeting)
                selector.register(joined, selectors.EVENT_READ)
                lifelines.add(joined)
            if ended == lifelines:
                return
            for lifeline in ended:
                _say({lifeline}, {"remaining": len(lifelines) - len(ended)})
                selector.unregister(lifeline)
                lifelines.remove(lifeline)
                lifeline.close()


def _joining(listener: socket.socket | None) -> Iterator[socket.socket]:
    while listener:
        try:
            yield listener.accept()[0]
        except BlockingIOError:
            return


def _closed(lifeline: socket.socket) -> bool:
    try:
        return not lifeline.recv(64)
    except ConnectionError:
        return True


def _say(lifelines: Iterable[socket.socket], message: Greeting) -> None:
    for lifeline in lifelines:
        with contextlib.suppress(OSError):  # that an owner is gone shows in its lifeline
            lifeline.sendall(json.dumps(message).encode() + b"\n")


def _wake_on_signals() -> socket.socket:
    """Return a socket that receives the number of each signal about postgres's end or this process's own."""
    wake, written = socket.socketpair()
    for end in (wake, written):
        end.setblocking(False)
    signal.set_wakeup_fd(written.detach())
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    return wake
