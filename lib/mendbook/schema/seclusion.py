"""Seclusion: a program that reaches one PostgreSQL server and nothing else, by namespaces of Linux.

It gets no network, and the sockets of all other PostgreSQL servers of this machine are hidden from it.
"""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

_SOCKET = re.compile(r"(?<= )(/.*)/\.s\.PGSQL\.\d+$", re.MULTILINE)  # in /proc/net/unix

# Hides the files before "--" in this mount namespace, and becomes what comes after it. A file can be gone by then.
_HIDE = """
while [ "$1" != -- ]; do
  [ ! -e "$1" ] || mount --bind /dev/null "$1" || [ ! -e "$1" ] || exit 1
  shift
done
shift
exec "$@"
"""


def secluded(words: Sequence[str], server: Path) -> list[str] | None:
    """The command that runs *words* with only the server whose socket is in the folder *server* in reach.

    None where the system does not allow that: no Linux, or a container or user without namespaces.
    """
    unshare = _unshare()
    return _command(unshare, _sockets_outside(server), words) if unshare else None


def _command(unshare: Sequence[str], hidden: Sequence[str], words: Sequence[str]) -> list[str]:
    return [*unshare, "sh", "-c", _HIDE, "sh", *hidden, "--", *words]


def _sockets_outside(server: Path) -> list[str]:
    listening = Path("/proc/net/unix").read_text(errors="surrogateescape")
    found = {match[0]: match[1] for match in _SOCKET.finditer(listening)}
    return [socket for socket, folder in found.items() if Path(folder) != server]


@functools.cache
def _unshare() -> tuple[str, ...]:
    """How unshare(1) is called here, found by trying; empty where it does not work.

    Root needs no user namespace, and would lose its rights over other users' files in one.
    """
    tool = shutil.which("unshare")
    if tool is None:
        return ()
    for user in ((), ("--user", "--map-current-user", "--keep-caps")):
        words = (tool, *user, "--net", "--mount", "--")
        with tempfile.NamedTemporaryFile() as file:
            tried = _command(words, [file.name], ["test", "-c", file.name])
            if subprocess.run(tried, capture_output=True, check=False).returncode == 0:
                return words
    return ()
