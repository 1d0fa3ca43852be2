"""A noun that is shown once and then changes in its place, where there is a page to show it on."""

from __future__ import annotations

from collections.abc import Callable


def place() -> Callable[[object], None]:
    """Return what shows a noun, each in the place of the one before; outside a notebook it shows nothing."""
    from IPython import get_ipython
    from IPython.display import DisplayHandle, display

    if get_ipython() is None:
        return lambda noun: None
    handle: DisplayHandle | None = None

    def show(noun: object) -> None:
        nonlocal handle
        if handle is None:
            handle = display(noun, display_id=True)  # type: ignore[no-untyped-call]
        else:
            handle.update(noun)  # type: ignore[no-untyped-call]

    return show
