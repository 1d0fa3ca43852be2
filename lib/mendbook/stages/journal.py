"""The Journal: what was done to the target, line by line, each on the disk before the next thing happens."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mendbook import redaction
from mendbook.errors import Refused
from mendbook.request import now, who

Line = dict[str, Any]


class Journal:
    """One JSON object a line."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.is_held = False

    def write(self, event: str, **facts: Any) -> None:
        """Add one line and wait until the disk has it; raises `Refused` where that fails."""
        try:
            self._add(event, facts)
        except OSError as error:
            raise Refused(
                f"The journal {self.path} cannot be written ({error}), and without it nothing is changed on the "
                f"target. Make room or make the folder writable, then run this again."
            ) from None

    def note(self, event: str, **facts: Any) -> None:
        """Add one line if that is possible: taking something back does not wait for a full disk."""
        with suppress(OSError):
            self._add(event, facts)

    def _add(self, event: str, facts: Line) -> None:
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = json.dumps({"at": at, "event": event, **redaction.scrub_all(facts)}, ensure_ascii=False)
        with self.path.open("ab+") as file:
            # A disk that was full may have kept the beginning of a line.
            torn = file.seek(0, os.SEEK_END) and (file.seek(-1, os.SEEK_END), file.read(1))[1] != b"\n"
            file.write(b"\n" * bool(torn) + line.encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def read(self) -> list[Line]:
        """Every complete line, in order."""
        if not self.path.is_file():
            return []
        return list(_complete(self.path.read_bytes().split(b"\n")))

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other runs from working with this folder; raises `Refused` where one does. Its end lets go."""
        if self.is_held:
            yield
            return
        holder = self.path.with_name(".held")
        try:
            descriptor = os.open(holder, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise Refused(f"The folder {holder.parent} cannot be used ({error}); nothing was changed.") from None
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Refused(
                    f"Another run works on {holder.parent}: {holder.read_text()}; this one changed nothing. Let that "
                    f"run end, or close the notebook that holds it, then run this again."
                ) from None
            with suppress(OSError):  # a full disk
                os.ftruncate(descriptor, 0)
                os.write(descriptor, f"{who()}, since {now()}".encode())
            self.is_held = True
            yield
        finally:
            self.is_held = False
            os.close(descriptor)


def _complete(lines: list[bytes]) -> Iterator[Line]:
    for line in lines:
        with suppress(ValueError):
            found = json.loads(line)
            if isinstance(found, dict) and "event" in found:
                yield found
