"""What goes on beside the steps, in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def running(work: Callable[[threading.Event], None], name: str) -> Iterator[None]:
    """Run *work* until the block ends: the event that it is given is set then, and waited for is its return."""
    ended = threading.Event()
    thread = threading.Thread(target=work, args=(ended,), name=f"mendbook-{name}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
