"""What all commands share: typer where it is installed, refusals, and the prices that the user has."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from ..errors import CatalogError

if TYPE_CHECKING:
    import typer as typer

    from ..pricing import ModelCatalog
else:
    try:
        import typer
    except ImportError:  # `main` reports the extra to install
        typer = None

UNUSABLE = 2
"""The exit code of a call that cannot be carried out, which is that of typer too."""

T = TypeVar("T")


def refuse(why: str) -> NoReturn:
    """Print why a call cannot be carried out, and exit."""
    typer.echo(f"streamtally: {why}", err=True)
    raise typer.Exit(UNUSABLE)


def attempted(make: Callable[[], T]) -> T:
    """Return `make()`; if the user's files or numbers are invalid, print the error without a traceback and exit."""
    try:
        return make()
    except (CatalogError, ValueError) as error:
        refuse(str(error))


def prices_of(path: Path | None) -> ModelCatalog:
    """The prices at a path, else the newest on this machine: what `catalog refresh` kept, or the bundled ones."""
    from ..pricing import ModelCatalog

    return ModelCatalog.latest() if path is None else attempted(lambda: ModelCatalog.at(path))


def show_json(value: Any) -> None:
    """A value as JSON, for programs."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))
