"""The command-line program: its commands, and its message where an optional package is missing."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from ..errors import MissingExtra
from . import catalog, price, replay
from .output import UNUSABLE, refuse, typer


def main() -> None:
    """Run the program; if an optional package is missing, name the extra to install and exit with 2."""
    try:
        program()()
    except MissingExtra as error:
        sys.stderr.write(f"streamtally: {error}\n")
        sys.exit(UNUSABLE)


def program() -> typer.Typer:
    """The commands.

    Raises:
        MissingExtra: typer is not installed.
    """
    if typer is None:
        raise MissingExtra("cli", "typer")
    app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
    app.callback()(_streamtally)
    app.command("replay")(replay.replay)
    app.command("price")(price.command())
    app.add_typer(catalog.commands(), name="catalog")
    app.command("demo")(_demo)
    return app


def _show_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(version("streamtally"))
        raise typer.Exit


def _streamtally(
    version: Annotated[bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")] = False,
) -> None:
    """One truthful record of any stream of LLM chunks."""


def _demo(
    corpus: Annotated[Path | None, typer.Option(help="A folder of recorded streams to play instead.")] = None,
    serve: Annotated[bool, typer.Option("--serve", help="Keep /metrics up until Ctrl-C.")] = False,
    pace: Annotated[float, typer.Option(min=0, hidden=True)] = 1.0,
) -> None:
    """Show what streamtally does, without a key and without the network."""
    from ..demo.program import run

    if corpus is not None and not corpus.is_dir():
        refuse(f"{corpus} is no folder")
    if not run(recordings=corpus, serve=serve, pace=pace):
        raise typer.Exit(1)
