"""The runner: what it refuses, and what the record says when a run does not end well."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import psutil
import pytest
from mendbook import redaction
from mendbook.errors import Usage
from mendbook.run import notebooks

from tests.helpers import BOOK, broken, run

SLEEP = "import time\ntry:\n    time.sleep(60)\nfinally:\n    open({marker!r}, 'w').write('cleaned up')"


def page(path: Path, *cells: str, parameters: str = "") -> Path:
    """Write a notebook with a heading above each cell."""
    node = nbformat.v4.new_notebook(
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    )
    if parameters:
        node.cells.append(nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]}))
    for number, cell in enumerate(cells, 1):
        node.cells += [nbformat.v4.new_markdown_cell(f"## Part {number}"), nbformat.v4.new_code_cell(cell)]
    nbformat.write(node, path)
    return path


def states(path: Path) -> list[str]:
    """The state of each code cell in an executed notebook, parameters aside."""
    cells = nbformat.read(path, as_version=4).cells
    code = [cell for cell in cells if cell.cell_type == "code"]
    return [cell.metadata.papermill.status for cell in code if "papermill" in cell.metadata][-3:]


PARAMETERS = 'name: str = "x"  # a name\ncount: int = 1  # how many\nshare: float = 0.5  # of all'


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"nmae": "y"}, "Did you mean name?"),
        ({"count": "7"}, "wants int for 'count', and got '7'"),
        ({"count": True}, "wants int"),
        ({"name": 7}, "wants str"),
        ({"name\nimport os": "y"}, "has no parameter"),
    ],
)
def test_parameters_are_held_against_the_notebook(given: dict[str, object], said: str, tmp_path: Path) -> None:
    source = page(tmp_path / "a.ipynb", "name", parameters=PARAMETERS)
    with pytest.raises(Usage, match=said.replace("?", r"\?")):
        notebooks.run(source, tmp_path / "out.ipynb", given)
    assert not (tmp_path / "out.ipynb").exists()


def test_values_arrive_as_they_were_given(tmp_path: Path) -> None:
    cell = "assert (name, count, share) == ('007', 2, 1), (name, count)"
    source = page(tmp_path / "a.ipynb", cell, parameters=PARAMETERS)
    stages: list[str] = []
    given = {"name": "007", "count": 2, "share": 1}
    ended = notebooks.run(source, tmp_path / "out.ipynb", given, progress=stages.append)
    assert ended.completed, ended
    assert ended.exit_code == 0
    assert "Part 1" in stages


def test_an_error_of_ours_decides_the_exit_code_and_shows_no_traceback(tmp_path: Path) -> None:
    cell = "from mendbook.errors import WrongTarget\nraise WrongTarget('Not here.')"
    source = page(tmp_path / "a.ipynb", "1", cell, "3")
    ended = notebooks.run(source, tmp_path / "out.ipynb", {})
    assert (ended.completed, ended.exit_code, ended.message) == (False, 4, "Not here.")
    assert states(tmp_path / "out.ipynb") == ["completed", "failed", "pending"]
    assert "Traceback" not in (tmp_path / "out.ipynb").read_text()


def test_a_dead_kernel_leaves_a_true_record(tmp_path: Path) -> None:
    source = page(tmp_path / "a.ipynb", "1", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "3")
    ended = notebooks.run(source, tmp_path / "out.ipynb", {})
    assert (ended.completed, ended.exit_code) == (False, 1)
    assert states(tmp_path / "out.ipynb") == ["completed", "aborted", "pending"]


def test_the_time_limit_is_for_the_whole_run(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    source = page(tmp_path / "a.ipynb", "1", SLEEP.format(marker=str(marker)), "3")
    ended = notebooks.run(source, tmp_path / "out.ipynb", {}, time_limit=4)
    assert "time limit" in ended.message
    assert (ended.completed, ended.exit_code) == (False, 1)
    assert marker.read_text() == "cleaned up"
    assert states(tmp_path / "out.ipynb") == ["completed", "failed", "pending"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_cleans_up(number: signal.Signals, tmp_path: Path) -> None:
    marker, output = tmp_path / "marker", tmp_path / "out.ipynb"
    begin = f"open({str(tmp_path / 'up')!r}, 'w').close()\n"
    source = page(tmp_path / "a.ipynb", "1", begin + SLEEP.format(marker=str(marker)), "3")
    program = (
        "import sys; from pathlib import Path; from mendbook.run import notebooks\n"
        f"sys.exit(notebooks.run(Path({str(source)!r}), Path({str(output)!r}), {{}}).exit_code)"
    )
    with subprocess.Popen([sys.executable, "-c", program]) as process:
        wait_for((tmp_path / "up").exists)
        kernels = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(number)
        assert process.wait(30) == 1
    assert marker.read_text() == "cleaned up"
    assert states(output) == ["completed", "failed", "pending"]
    assert kernels
    assert not any(kernel.is_running() for kernel in kernels)


def test_what_is_killed_leaves_a_whole_file(tmp_path: Path) -> None:
    """SIGKILL at any moment: the record is valid, and says which cell was running."""
    output = tmp_path / "out.ipynb"
    source = page(tmp_path / "a.ipynb", *["import time; time.sleep(0.01)"] * 60)
    program = (
        "from pathlib import Path; from mendbook.run import notebooks\n"
        f"notebooks.run(Path({str(source)!r}), Path({str(output)!r}), {{}})"
    )
    with subprocess.Popen([sys.executable, "-c", program]) as process:
        wait_for(output.exists)
        time.sleep(0.3)
        children = psutil.Process(process.pid).children(recursive=True)
        process.kill()
    nbformat.validate(nbformat.read(output, as_version=4))
    for child in children:  # the plain kernel notices by itself that its parent is gone; the test does not wait for it
        child.kill()


def test_a_known_secret_is_masked_in_the_record(tmp_path: Path) -> None:
    redaction.remember("hunter2-and-more")
    secret = "'hunter2-' + 'and-more'"
    source = page(tmp_path / "a.ipynb", f"print('it is ' + {secret})", f"raise ValueError({secret})")
    ended = notebooks.run(source, tmp_path / "out.ipynb", {})
    assert not ended.completed
    assert "hunter2-and-more" not in (tmp_path / "out.ipynb").read_text() + ended.message


def papermill(*arguments: str, cwd: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "papermill", "--no-progress-bar", *arguments]
    env = {**os.environ, "IPYTHONDIR": str(cwd / "ipython"), **env}
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=120, check=False)


def test_the_plain_papermill_command_runs_the_same_page(database: str, tmp_path: Path) -> None:
    run(database, broken())
    given = ["-p", "runbook", BOOK, "-p", "target", "env:SHOP"]
    done = papermill(str(notebooks.path("diagnose")), "out.ipynb", *given, cwd=tmp_path, env={"SHOP": database})
    assert done.returncode == 0, done.stderr
    [folder] = (tmp_path / "incidents").iterdir()
    assert (folder / "plan.json").exists()


def test_the_library_refuses_what_papermill_lets_through(tmp_path: Path) -> None:
    given = ["-p", "target", "postgres://u:pl4nted@localhost/d"]
    done = papermill(str(notebooks.path("diagnose")), "out.ipynb", *given, cwd=tmp_path, env={})
    assert done.returncode != 0
    assert "holds a password" in done.stderr
    assert not (tmp_path / "incidents").exists()


def wait_for(condition: object, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if condition():  # type: ignore[operator]
                return
        except (OSError, IndexError, ValueError):
            pass
        time.sleep(0.02)
    raise TimeoutError("the condition did not come true")
