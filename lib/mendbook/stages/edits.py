"""Edits of the application's files: planned without touching them, applied only to the bytes that were planned for."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from mendbook.errors import ApplyFailed, SchemaMoved, Usage


@dataclass(frozen=True, kw_only=True, slots=True)
class Edit:
    """One file to make or to change."""

    path: str  # absolute
    before: str | None  # the text it has now; None: there is no such file
    after: str  # the text it gets

    @property
    def title(self) -> str:
        """What it does, in words."""
        return f"{'Make' if self.before is None else 'Edit'} {self.path}"


def change(directory: Path, name: str, find: str, replace: str) -> Edit:
    """Plan to replace *find*, which stands exactly once in the file, by *replace*; raises `Usage`.

    A file that has *replace* in its place already gets an edit that changes nothing.
    """
    path = _inside(directory, name)
    before = _read(path)
    if before is None:
        raise Usage(
            f"{path} cannot be read, so it cannot be edited; nothing was changed. Check the application's directory."
        )
    count = before.count(find)
    if count == 0 and before.count(replace) == 1:
        return Edit(path=str(path), before=before, after=before)
    if count != 1:
        raise Usage(
            f"{path} holds {find!r} {count} times, and one was expected; nothing was changed. Make this edit by hand."
        )
    return Edit(path=str(path), before=before, after=before.replace(find, replace))


def write(directory: Path, name: str, text: str) -> Edit:
    """Plan a new file, or an edit that changes nothing where it is there already.

    Raises `Usage` where another file of that name is in the way.
    """
    path = _inside(directory, name)
    before = _read(path)
    if before is not None and before != text:
        raise Usage(
            f"{path} exists already with another content; nothing was changed. Move it away, then run this again."
        )
    return Edit(path=str(path), before=before, after=text)


def holds(edit: Edit, text: str | None) -> bool:
    """Whether the file has that text; None: whether there is no such file."""
    return _read(Path(edit.path)) == text


def check(edit: Edit, *, resumed: bool = False) -> None:
    """Raise `SchemaMoved` unless the file is as it was when the edit was planned, or *resumed* as the edit left it."""
    if not holds(edit, edit.before) and not (resumed and holds(edit, edit.after)):
        raise SchemaMoved(f"{edit.path} is not as it was when the plan was made; nothing was changed. Diagnose again.")


def run(edit: Edit) -> None:
    """Make or change the file, whole or not at all."""
    _write(Path(edit.path), edit.after)


def undo(edit: Edit) -> None:
    """Put back what was there, byte for byte; raises `ApplyFailed` where the file was changed since."""
    path = Path(edit.path)
    now = _read(path)
    if now == edit.before:
        return
    if now != edit.after:
        raise ApplyFailed(f"{path} was changed after the fix, so it was left alone. Undo this edit by hand.")
    if edit.before is None:
        path.unlink()
    else:
        _write(path, edit.before)


def digest(text: str | None) -> str:
    """SHA-256 of a file's text; empty where there is no file."""
    return hashlib.sha256(text.encode()).hexdigest() if text is not None else ""


def _inside(directory: Path, name: str) -> Path:
    root = directory.resolve()
    path = (root / name).resolve()
    if not path.is_relative_to(root):
        raise Usage(f"{name} lies outside {root}, so it is not touched; nothing was changed.")
    return path


def _read(path: Path) -> str | None:
    try:
        return path.read_bytes().decode()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise Usage(f"{path} cannot be read as text ({error}); nothing was changed.") from None


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.mendbook")
    try:
        with draft.open("wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            draft.chmod(path.stat().st_mode)
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise ApplyFailed(
            f"{path} could not be written ({error}). Make the directory writable, then run this again."
        ) from None
