"""JupyterLab on a working copy of the notebooks, on loopback, with a token."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import NoReturn

from mendbook import embedded, request, runbook


def run(incidents: Path, *, browser: bool) -> NoReturn:
    """Become JupyterLab: signals and the exit code are its own."""
    folder = request.new_folder(incidents, "lab")
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
    command.append("--LanguageServerManager.autodetect=False")  # it would start npm to look for language servers
    command += [] if browser else ["--ServerApp.open_browser=False"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--ServerApp.allow_root=True")
    print(
        f"The notebooks are a working copy in {folder}; the originals stay clean. Ctrl-C ends JupyterLab.", flush=True
    )
    os.execve(sys.executable, command, {**os.environ, **_places()})  # noqa: S606  no shell is meant


def _places() -> dict[str, str]:
    """Where Jupyter keeps its own files: in the user's cache folder; and no question about news at the first start."""
    cache = embedded.cache_dir() / "jupyter"
    news = cache / "settings" / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    news.parent.mkdir(parents=True, exist_ok=True)
    news.write_text('{"fetchNews": "false", "checkForUpdates": false}', encoding="utf-8")
    folders = {
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "IPYTHONDIR": "ipython",
    }
    return {name: os.environ.get(name, str(cache / folder)) for name, folder in folders.items()}
