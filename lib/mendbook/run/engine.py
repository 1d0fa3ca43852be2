"""papermill's engine with truthful cell states and atomic saves.

papermill's own marks every cell "completed" when a run ends, also those that never ran after a dead kernel, a timeout
or an interrupt, and a signal in the middle of a save leaves half a file.
"""

from __future__ import annotations

import os
import signal
import tempfile
import threading
from pathlib import Path
from typing import Any

from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import CellExecutionError
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, NotebookExecutionManager

from mendbook.run import notebooks

ABORTED = "aborted"  # it was running when the run was stopped or its kernel died


class Manager(NotebookExecutionManager):
    """Keeps the states of the cells, and saves after each change."""

    def __init__(self, nb: Any, record: Path) -> None:
        super().__init__(nb, progress_bar=False)
        self.record = record

    def save(self, **kwargs: Any) -> None:
        """Write the notebook, whole or not at all."""
        notebooks.save(self.record, self.nb)
        self.last_save_time = self.now()

    def cell_aborted(self, cell: Any) -> None:
        """Mark a cell that did not get to its end."""
        cell.metadata.papermill["exception"] = True
        cell.metadata.papermill["status"] = self.FAILED
        self.cell_complete(cell)
        cell.metadata.papermill["status"] = ABORTED

    def notebook_complete(self, **kwargs: Any) -> None:
        """End the run; what never ran stays pending."""
        self.end_time = self.now()
        self.nb.metadata.papermill["end_time"] = self.end_time.isoformat()
        self.nb.metadata.papermill["duration"] = (self.end_time - self.start_time).total_seconds()
        self.save()


class SocketKernelManager(AsyncKernelManager):
    """Talks to the kernel over Unix sockets: nobody else can listen, and no port is raced for."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        # A short folder of our own: the name of a socket has at most 107 bytes.
        self._sockets = tempfile.TemporaryDirectory(prefix="mendbook-kernel-")
        self.transport = "ipc"
        self.ip = f"{self._sockets.name}/k"

    async def cleanup_resources(self, restart: bool = False) -> None:  # type: ignore[override]  # async in this class
        """Remove the sockets with the kernel."""
        await super()._async_cleanup_resources(restart=restart)
        if not restart:
            self._sockets.cleanup()


class Client(PapermillNotebookClient):
    """Runs the cells, one after the other, until one fails or the run is stopped."""

    watch: notebooks.Watch
    _begun = False  # the kernel has begun the current cell

    def papermill_execute_cells(self) -> None:
        """Execute every cell; the first failure ends the run."""
        self.watch.interrupt = self._interrupt
        for index, cell in enumerate(self.nb.cells):
            if self.watch.interrupted:
                return
            self.watch.progress(_heading(self.nb.cells, index))
            self._begun = False
            self.nb_man.cell_start(cell, index)
            try:
                self.execute_cell(cell, index)
            except CellExecutionError as error:
                self.nb_man.cell_exception(self.nb.cells[index], cell_index=index, exception=error)
                self.nb_man.cell_complete(self.nb.cells[index], cell_index=index)
                return
            except BaseException:
                self.nb_man.cell_aborted(self.nb.cells[index])
                raise
            self.nb_man.cell_complete(self.nb.cells[index], cell_index=index)

    def process_message(self, *arg: Any, **kwargs: Any) -> Any:
        """Note when the kernel has begun a cell, before which an interrupt would be lost; tell what it shows live."""
        if arg[0]["msg_type"] == "execute_input":
            self._begun = True
            if self.watch.interrupted:
                self._signal(signal.SIGINT)
        if arg[0]["msg_type"] in ("display_data", "update_display_data"):
            self.watch.progress(f"{_heading(self.nb.cells, arg[2])}: {arg[0]['content']['data'].get('text/plain', '')}")
        return super().process_message(*arg, **kwargs)

    def _interrupt(self) -> None:
        """Interrupt the kernel, so that its clean-up runs; one that does not end by itself is killed."""
        if self._begun:
            self._signal(signal.SIGINT)
        killer = threading.Timer(notebooks.GRACE_S, self._signal, [signal.SIGKILL])
        killer.daemon = True
        killer.start()

    def _signal(self, number: signal.Signals) -> None:
        try:
            os.kill(self.km.provisioner.pid, number)  # type: ignore[union-attr]  # a kernel that runs has both
        except (AttributeError, ProcessLookupError, TypeError):
            return  # it has ended


class Engine(NBClientEngine):
    """The engine that `notebooks.run` registers with papermill."""

    @classmethod
    def execute_notebook(  # type: ignore[override]  # papermill passes these two through
        cls, nb: Any, kernel_name: str, *, record: Path, watch: notebooks.Watch, **options: Any
    ) -> Any:
        """Run *nb* and keep it in *record*."""
        manager = Manager(nb, record)
        manager.notebook_start()
        client = Client(
            manager,
            kernel_name=kernel_name,
            kernel_manager_class=SocketKernelManager,
            timeout=None,
            startup_timeout=options["start_timeout"],
            shutdown_kernel="immediate",
            extra_arguments=["--HistoryManager.enabled=False"],
        )
        client.watch = watch
        try:
            client.execute()
        finally:
            watch.interrupt = None
            manager.notebook_complete()
        return nb


def _heading(cells: list[Any], index: int) -> str:
    """The nearest heading above a cell."""
    for cell in reversed(cells[: index + 1]):
        lines = [line for line in cell.source.splitlines() if cell.cell_type == "markdown" and line.startswith("#")]
        if lines:
            return str(lines[-1]).lstrip("# ")
    return ""
