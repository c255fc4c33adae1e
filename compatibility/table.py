"""Finds the rows: each is the `ROW` of a module in `sdks/` or `frameworks/`. No SDK is imported."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from pkgutil import iter_modules

from .case import Row

GROUPS = {"sdks": "Provider SDKs", "frameworks": "Frameworks"}
"""The folders with rows, and their titles."""


def names_in(group: str) -> list[str]:
    """The names of the rows in a folder, sorted."""
    return sorted(module.name for module in iter_modules([str(Path(__file__).parent / group)]))


def row_named(name: str) -> Row:
    """The row of this name.

    Raises:
        LookupError: there is none.
    """
    for group in GROUPS:
        module = f"{__package__}.{group}.{name}"
        if name.isidentifier() and find_spec(module) is not None:
            row = import_module(module).ROW
            assert isinstance(row, Row)
            return row
    raise LookupError(f"no row is called {name!r}; there are {', '.join(name for group in GROUPS for name in names_in(group))}")
