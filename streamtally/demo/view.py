"""How the demo looks: in a terminal tables that fill as things happen, elsewhere a plain line for each thing that did."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

from ..errors import MissingExtra

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live
    from rich.table import Table
    from rich.text import Text

_BAR = 10


@dataclass(frozen=True, slots=True)
class Bar:
    """A count, and how much of the whole it is; a bar in a terminal."""

    count: int
    share: float


Cell: TypeAlias = str | tuple[str, str] | Bar
"""A text, a text and the style that it has in a terminal, or a bar. It stands at the right where the column's name has a `>`."""


class Row(Protocol):
    """One row of a board, that may still change."""

    @property
    def cells(self) -> Sequence[Cell]:
        """The row as it is now."""


class Board(Protocol):
    """A table that is being filled."""

    def refresh(self) -> None:
        """Show the rows as they are now."""

    def settled(self, row: Row) -> None:
        """Show a row that will not change any more."""


class View(Protocol):
    """Where the demo shows itself."""

    def heading(self, text: str) -> None:
        """Begin a part."""

    def lines(self, *lines: str, style: str = "") -> None:
        """Show lines as they are."""

    def board(self, columns: Sequence[str], rows: Sequence[Row]) -> AbstractContextManager[Board]:
        """Show a table while the context lasts; its last state stays."""


class PlainView:
    """Plain lines on standard output, without any control codes."""

    def __init__(self) -> None:
        self._begun = False

    def heading(self, text: str) -> None:
        """The text, after an empty line where there is something before it."""
        self.lines(*([""] if self._begun else []), text)
        self._begun = True

    def lines(self, *lines: str, style: str = "") -> None:  # noqa: ARG002 - plain text has no style
        """The lines, at once."""
        encoding = sys.stdout.encoding or "utf-8"
        for line in lines:
            sys.stdout.write(f"{line}\n".encode(encoding, "replace").decode(encoding))
        sys.stdout.flush()

    @contextmanager
    def board(self, columns: Sequence[str], rows: Sequence[Row]) -> Iterator[Board]:  # noqa: ARG002 - as they settle
        """A line for each row when it is settled."""
        yield _PlainBoard(self, [column.lstrip(">") for column in columns])


class _PlainBoard:
    def __init__(self, view: PlainView, columns: Sequence[str]) -> None:
        self._view = view
        self._columns = columns

    def refresh(self) -> None:
        """Lines that are printed stay as they are."""

    def settled(self, row: Row) -> None:
        texts = map(_plain, row.cells)
        named = [f"{column}: {text}" if column else text for column, text in zip(self._columns, texts, strict=True)]
        self._view.lines("  " + " | ".join(named).replace("\n", "; "))


class RichView:
    """Tables in a terminal that change in place.

    Raises:
        MissingExtra: rich is not installed.
    """

    def __init__(self) -> None:
        try:
            from rich.console import Console
        except ImportError as error:
            raise MissingExtra("cli", "rich") from error
        self._console: Console = Console(highlight=False)
        self._begun = False

    def heading(self, text: str) -> None:
        """The text in bold."""
        self.lines(*([""] if self._begun else []), text, style="bold")
        self._begun = True

    def lines(self, *lines: str, style: str = "") -> None:
        """Each line as one line, which only the terminal may fold: it can be copied."""
        for line in lines:
            self._console.print(line, style=style, markup=False, soft_wrap=True)

    @contextmanager
    def board(self, columns: Sequence[str], rows: Sequence[Row]) -> Iterator[Board]:
        """A table that is drawn again with each change."""
        from rich.live import Live

        board = _RichBoard(columns, rows)
        with Live(get_renderable=board.table, console=self._console, auto_refresh=False) as board.live:
            yield board


class _RichBoard:
    live: Live

    def __init__(self, columns: Sequence[str], rows: Sequence[Row]) -> None:
        self._columns = columns
        self._rows = rows

    def refresh(self) -> None:
        self.live.refresh()

    def settled(self, row: Row) -> None:  # noqa: ARG002 - the whole table is drawn
        self.live.refresh()

    def table(self) -> Table:
        from rich.box import SIMPLE_HEAD
        from rich.table import Table

        table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, header_style="dim", show_edge=False)
        for column in self._columns:
            table.add_column(column.lstrip(">"), justify="right" if column.startswith(">") else "left")
        for row in self._rows:
            table.add_row(*map(_rich, row.cells))
        return table


def _plain(cell: Cell) -> str:
    return cell if isinstance(cell, str) else str(cell.count) if isinstance(cell, Bar) else cell[0]


def _rich(cell: Cell) -> Text:
    from rich.text import Text

    if not isinstance(cell, Bar):
        return Text.assemble(cell)
    full = round(_BAR * min(1.0, cell.share))
    return Text.assemble(("━" * full, "cyan"), ("─" * (_BAR - full), "dim"), f"{cell.count:3}")


def view_of_terminal() -> View:
    """The view that suits standard output.

    Raises:
        MissingExtra: it is a terminal, and rich is not installed.
    """
    if not sys.stdout.isatty():
        return PlainView()
    return RichView()
