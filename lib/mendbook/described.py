"""What the files of `frameworks/` describe, found by listing them."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Mapping
from typing import Any

_PACKAGE = "mendbook.frameworks"


@functools.cache
def every(name: str) -> Mapping[str, Any]:
    """What each file that has it calls *name*, such as ``LEDGER``, by the file's name, in the order of these."""
    folder = importlib.import_module(_PACKAGE).__path__
    modules = {
        found.name: importlib.import_module(f"{_PACKAGE}.{found.name}") for found in pkgutil.iter_modules(folder)
    }
    return {file: getattr(module, name) for file, module in modules.items() if hasattr(module, name)}
