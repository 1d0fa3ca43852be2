"""The wheel, installed into an empty environment, works outside the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.helpers import BOOK

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin directory of an environment that holds the wheel, and borrows its dependencies from this one."""
    place = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(place), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    [wheel] = place.glob("*.whl")
    venv.create(place / "env", with_pip=False)
    uv = [str(Path(sys.executable).with_name("uv")), "pip", "install", "--quiet", "--no-deps", "--offline"]
    python = str(place / "env" / "bin" / "python")
    subprocess.run([*uv, "--python", python, str(wheel)], check=True, capture_output=True)
    site = next((place / "env" / "lib").glob("python*/site-packages"))
    own = next(path for path in map(Path, sys.path) if path.name == "site-packages")
    # The dependencies of this environment without its own mendbook, which is the checkout.
    (site / "borrowed.pth").write_text(f"{own}\n")
    kernels = place / "env" / "share" / "jupyter"
    kernels.parent.mkdir(exist_ok=True)
    kernels.symlink_to(Path(sys.prefix) / "share" / "jupyter")
    return place / "env" / "bin"


def test_the_first_incident_of_the_demo_runs_from_another_folder(installed: Path, tmp_path: Path) -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith("VIRTUAL_ENV")}
    done = subprocess.run(
        [str(installed / "mendbook"), "demo", BOOK], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "fixed and verified" in done.stdout
    [folder] = (tmp_path / "incidents").iterdir()
    assert (folder / "fix.html").exists()
    assert str(ROOT) not in (folder / "record.json").read_text()
