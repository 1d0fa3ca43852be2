"""JupyterLab on a working copy: on loopback, behind a token, with the originals left clean."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from mendbook import runbook

from tests.run.test_notebooks import wait_for


def test_lab_serves_a_working_copy_on_loopback(tmp_path: Path) -> None:
    env = {**os.environ, "HOME": str(tmp_path / "home"), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "mendbook.cli", "lab", "--no-browser", "--incidents", "here"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as lab:
        assert lab.stdout
        try:
            address = next(
                found for line in lab.stdout if (found := re.search(r"http://127\.0\.0\.1:\d+/lab\S+", line))
            )[0]
            place, token = re.fullmatch(r"(http://[^/]+)/lab/tree/diagnose\.ipynb\?token=(\w+)", address).groups()  # type: ignore[union-attr]
            # It says its address before it listens.
            wait_for(lambda: urllib.request.urlopen(f"{place}/api?token={token}", timeout=20).close() is None)
            with urllib.request.urlopen(f"{place}/api/contents/diagnose.ipynb?token={token}", timeout=20) as answer:
                assert answer.status == 200
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(f"{place}/api/contents/diagnose.ipynb", timeout=20)
            assert refused.value.code == 403
            refused.value.close()
        finally:
            lab.terminate()
            lab.stdout.read()
            assert lab.wait(20) in (0, -15)
    [folder] = (tmp_path / "here").iterdir()
    copied = {path.name for path in folder.glob("*.ipynb")}
    assert copied == {path.name for path in runbook.shared("notebooks").glob("*.ipynb")}
    # Jupyter's own files are in the cache folder, not in the home directory's .local or .ipython.
    made = {path.name for path in (tmp_path / "home").iterdir()} if (tmp_path / "home").exists() else set()
    assert made <= {".cache"}
