"""Run notebooks headless; the only caller of papermill.

papermill does the work, and three things are done differently, because the record of an incident has to be true:
parameters are held against the notebook's own before anything starts, each save is whole or not at all, and a cell
that never ran is never called completed.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import nbformat
from nbformat import NotebookNode

from mendbook import redaction
from mendbook.errors import Surroundings, Usage, exit_code_of
from mendbook.runbook import nearest, shared
from mendbook.stages.document import put

TIME_LIMIT_S = 3600.0  # for a whole run
GRACE_S = 10.0  # for a kernel to clean up after an interrupt

_TYPES = {"str": str, "int": int, "float": float, "bool": bool, "dict": dict, "list": list}


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """How a notebook ended."""

    notebook: Path  # the executed notebook
    completed: bool  # every cell ran
    error: str = ""  # the class of the exception that stopped it
    message: str = ""

    @property
    def exit_code(self) -> int:
        """The exit code of the exception that stopped it; 0 where none did."""
        return 0 if self.completed else exit_code_of(self.error)


def path(name: str) -> Path:
    """The file of one of Mendbook's own notebooks."""
    return shared("notebooks") / f"{name}.ipynb"


def copy(name: str, folder: Path) -> Path:
    """A copy of one of Mendbook's own notebooks in *folder*, to be executed, beside those that are there already.

    Raises `Surroundings` where it cannot be written.
    """
    text = path(name).read_text(encoding="utf-8")
    number = 0
    while True:
        number += 1
        made = folder / (f"{name}.ipynb" if number == 1 else f"{name}-{number}.ipynb")
        try:
            with made.open("x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError:
            continue
        except OSError as error:
            raise Surroundings(
                f"{made} cannot be written ({error}), so there would be no record; nothing was started. "
                f"Make room or make the folder writable, then run this again."
            ) from None
        return made


def parameters(notebook: Path) -> dict[str, tuple[str, object]]:
    """(type, default) of each parameter that *notebook* declares, as ``name: type = literal`` in its tagged cell."""
    import ast

    node = nbformat.read(notebook, as_version=4)
    cell = next((cell for cell in node.cells if "parameters" in cell.metadata.get("tags", [])), None)
    found: dict[str, tuple[str, object]] = {}
    for line in ast.parse(cell.source).body if cell else []:
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name) and line.value is not None:
            found[line.target.id] = (ast.unparse(line.annotation), ast.literal_eval(line.value))
    return found


def check(notebook: Path, given: Mapping[str, object]) -> None:
    """Raise `Usage` for a parameter that *notebook* does not declare, or one of another type."""
    declared = parameters(notebook)
    for name, value in given.items():
        if name not in declared:
            hint = nearest(name, declared, "parameter")
            raise Usage(f"{notebook.name} has no parameter {name!r}; nothing was started. {hint}")
        wanted = _TYPES.get(declared[name][0])
        fits = isinstance(value, int | float) if wanted is float else isinstance(value, wanted or object)
        if not fits or (isinstance(value, bool) and wanted is not bool):
            raise Usage(
                f"{notebook.name} wants {declared[name][0]} for {name!r}, and got {value!r}; nothing was started."
            )


def run(
    notebook: Path,
    output: Path,
    given: Mapping[str, object],
    *,
    progress: Callable[[str], None] = lambda stage: None,
    time_limit: float = TIME_LIMIT_S,
) -> Run:
    """Run *notebook* with the *given* parameters and keep the executed one in *output*, saved after every cell.

    *progress* is called with the heading above each cell that starts. SIGINT, SIGTERM and the end of *time_limit*
    (seconds) interrupt the kernel, so that what it does is cleaned up.
    """
    check(notebook, given)
    _keep_to_the_cache()
    from papermill import execute_notebook
    from papermill.engines import papermill_engines
    from papermill.exceptions import PapermillException

    from mendbook.run.engine import Engine

    papermill_engines.register("mendbook", Engine)
    watch = Watch(time_limit=time_limit, progress=progress)
    with watch.signals():
        try:
            # No output path: papermill's own saves are neither atomic nor true, so the engine keeps the record.
            execute_notebook(
                str(notebook), None, dict(given), engine_name="mendbook", progress_bar=False, record=output, watch=watch
            )
        except PapermillException as error:
            name, said = getattr(error, "ename", type(error).__name__), getattr(error, "evalue", error)
        except (RuntimeError, TimeoutError) as error:
            name, said = "Surroundings", f"The notebook's kernel stopped ({error}); see {output}."
        else:
            name, said = "", ""
    if watch.interrupted:
        name, said = "KeyboardInterrupt", f"{watch.reason} The record in {output} shows how far it came."
    return Run(notebook=output, completed=not name, error=str(name), message=redaction.scrub(str(said)))


class Watch:
    """Stops a run from outside: by a signal, or when its time is over."""

    def __init__(self, *, time_limit: float, progress: Callable[[str], None]) -> None:
        self.time_limit = time_limit
        self.progress = progress
        self.interrupted = False
        self.reason = ""
        self.interrupt: Callable[[], None] | None = None  # set by the engine while a kernel runs

    @contextmanager
    def signals(self) -> Iterator[None]:
        """Turn SIGINT and SIGTERM into an interrupt of the kernel, and watch the clock."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {each: signal.signal(each, self._signal) for each in (signal.SIGINT, signal.SIGTERM)}
        timer = threading.Timer(
            self.time_limit, self._stop, [f"The time limit of {self.time_limit:.0f} s was reached."]
        )
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            for number, handler in before.items():
                signal.signal(number, handler)

    def _signal(self, number: int, frame: FrameType | None) -> None:
        self._stop(f"Stopped by {signal.Signals(number).name}.")

    def _stop(self, reason: str) -> None:
        self.interrupted, self.reason = True, reason
        if self.interrupt:
            self.interrupt()


def _keep_to_the_cache() -> None:
    """Let Jupyter and IPython write below the user's cache folder, and nowhere else."""
    from mendbook import embedded

    cache = embedded.cache_dir()
    for name, folder in (("JUPYTER_RUNTIME_DIR", "runtime"), ("IPYTHONDIR", "ipython")):
        os.environ.setdefault(name, str(cache / "jupyter" / folder))
        Path(os.environ[name]).mkdir(parents=True, exist_ok=True)


def save(output: Path, node: NotebookNode) -> None:
    """Write an executed notebook, whole or not at all, without secrets."""
    clean = nbformat.from_dict(redaction.scrub_all(node))
    put(output, nbformat.writes(clean))
