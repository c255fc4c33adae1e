import io
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from streamtally.demo import view
from streamtally.demo.view import Bar, Cell, PlainView, RichView


@dataclass
class Line:
    """A row with given cells."""

    cells: Sequence[Cell]


def test_plain_rows_are_printed_when_they_are_settled(capsys: pytest.CaptureFixture[str]) -> None:
    """A line for each, with the names of the columns; more lines of a cell become one."""
    row = Line(("first", "one\ntwo", ("three", "red"), Bar(4, 0.5)))
    with PlainView().board(("", "a", ">b", "c"), [row]) as board:
        board.refresh()
        assert capsys.readouterr().out == ""
        board.settled(row)
    assert capsys.readouterr().out == "  first | a: one; two | b: three | c: 4\n"


def test_headings_are_set_off(capsys: pytest.CaptureFixture[str]) -> None:
    """By an empty line, but for the first."""
    shown = PlainView()
    shown.heading("one")
    shown.heading("two")
    assert capsys.readouterr().out == "one\n\ntwo\n"


def test_letters_that_the_output_does_not_have_are_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal without Unicode ends no demo."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii", write_through=True)
    monkeypatch.setattr(sys, "stdout", out)
    PlainView().lines("≥ $1")
    assert out.buffer.getvalue() == b"? $1\n"


def test_rich_tables_show_texts_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    """Text that looks like markup is shown as text, and a bar has its count."""
    shown = RichView()
    shown.heading("a heading")
    row = Line((("[red]text[/]", "green"), Bar(7, 2.0)))
    with shown.board(("left", ">right"), [row]) as board:
        board.refresh()
        board.settled(row)
    out = capsys.readouterr().out
    assert "a heading" in out
    assert "[red]text[/]" in out
    assert "━━━━━━━━━━  7" in out


def test_the_view_suits_standard_output(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain lines but for a terminal."""
    assert isinstance(view.view_of_terminal(), PlainView)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert isinstance(view.view_of_terminal(), RichView)
