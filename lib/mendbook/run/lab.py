"""JupyterLab on a working copy of the notebooks, on loopback, with a token."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from mendbook import incident, runbook


def run(incidents: Path, *, browser: bool) -> int:
    """Start JupyterLab and wait until it ends; returns its exit code."""
    folder = incident.new_folder(incidents, "lab")
    for notebook in sorted(runbook.shared("notebooks").glob("*.ipynb")):
        shutil.copy(notebook, folder)
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.root_dir={folder.resolve()}",
    ]
    command += ["--LabApp.default_url=/lab/tree/diagnose.ipynb", "--LabApp.extension_manager=readonly"]
    command += [] if browser else ["--ServerApp.open_browser=False"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--ServerApp.allow_root=True")
    print(
        f"The notebooks are a working copy in {folder}; the originals stay clean. Ctrl-C ends JupyterLab.", flush=True
    )
    process = subprocess.Popen(command)
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.terminate()
        return process.wait()
