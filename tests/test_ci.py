"""The examples for CI: their own steps, run in a shell as the services run them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.helpers import run
from tests.test_preflight import MIGRATIONS, Make, Shop, applied
from tests.test_report import suite

ROOT = Path(__file__).resolve().parents[1]


def github() -> list[str]:
    said = yaml.safe_load((ROOT / "docs" / "ci" / "github-actions.yml").read_text())
    return [step["run"] for step in said["jobs"]["preflight"]["steps"] if "run" in step]


def gitlab() -> list[str]:
    said = yaml.safe_load((ROOT / "docs" / "ci" / "gitlab-ci.yml").read_text())
    script: list[str] = said["preflight"]["script"]
    return script


STEPS = {"github": github, "gitlab": gitlab}


@pytest.fixture(params=STEPS)
def steps(request: pytest.FixtureRequest) -> list[str]:
    return STEPS[request.param]()


@pytest.fixture
def checkout(tmp_path: Path, make_database: Make) -> Shop:
    """The application of the examples, with its migrations where they say that those are."""
    shop = Shop(tmp_path, make_database(applied(*MIGRATIONS)))
    shop.folder.joinpath("db").mkdir()
    shop.migrations.rename(shop.folder / "db" / "migrations")
    return shop


def job(steps: list[str], shop: Shop) -> int:
    """Run the steps up to the first that fails; return how that ended."""
    here: dict[str, Any] = {
        "DATABASE_URL": shop.conninfo,
        "GITHUB_STEP_SUMMARY": str(shop.folder / "page.md"),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        # What the first step installs goes into a folder of its own, from this tree and without any network.
        "MENDBOOK": str(ROOT),
        "PIP_TARGET": str(shop.folder / "installed"),
        "PIP_NO_DEPS": "1",
        "PIP_NO_INDEX": "1",
        "PIP_NO_BUILD_ISOLATION": "0",  # pip reads this one the other way round
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
    for step in steps:
        done = subprocess.run(
            ["bash", "-e", "-c", step],
            cwd=shop.folder,
            env={**os.environ, **here},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            print(done.stdout, done.stderr)
            return done.returncode
    return 0


def test_the_job_passes_while_the_database_is_ready_and_fails_where_it_is_not(steps: list[str], checkout: Shop) -> None:
    assert job(steps, checkout) == 0
    assert len(suite((checkout.folder / "preflight.xml").read_text())) == 3
    assert (checkout.folder / "installed" / "mendbook" / "share" / "notebooks" / "preflight.ipynb").exists()
    run(checkout.conninfo, "ALTER TABLE users DROP COLUMN nickname")
    assert job(steps[-1:], checkout) == 3
    found = suite((checkout.folder / "preflight.xml").read_text())
    assert found.attrib["failures"] == "3"
    assert len(list((checkout.folder / "preflight").iterdir())) == 2
    assert (checkout.folder / "page.md").exists() == any("--github-summary" in step for step in steps)
