"""Records as lines on the console."""

import io
import sys
from decimal import Decimal

import pytest

from streamtally.exporters import ConsoleExporter
from streamtally.records import Choice, Cost, ErrorDetails, Outcome, StreamRecord, Timing, Usage
from tests.exporters.samples import MARK, PRICED, TIMING, ended, record, started


class Terminal(io.StringIO):
    """A file that claims to be a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(params=["rich", "plain"])
def printer(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """With rich, and without it."""
    if request.param == "plain":
        monkeypatch.setitem(sys.modules, "rich.console", None)
    return str(request.param)


def printed(of: StreamRecord, *, content: bool = False) -> str:
    """The line that is printed for a record."""
    file = io.StringIO()
    exporter = ConsoleExporter(file, content=content)
    exporter.export(of)
    assert exporter.flush()
    exporter.close()
    assert not file.closed
    return file.getvalue()


@pytest.mark.usefixtures("printer")
def test_a_completed_chat() -> None:
    """Outcome, model, speed, tokens and cost on one line."""
    expected = "completed  gpt-4o-2024-08-06  first token 0.30 s  81.5 tokens/s  100 in  180 out  $0.002050\n"
    assert printed(record()) == expected


@pytest.mark.usefixtures("printer")
@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_is_one_line(outcome: Outcome) -> None:
    """The line begins with the outcome, and has the reason why the cost is unknown."""
    line = printed(ended(outcome))
    assert line.startswith(f"{outcome.value}  gpt-4o")
    assert "cost unknown (no_usage)" in line
    assert line.count("\n") == 1
    assert ("error server_error" in line) == (outcome is Outcome.ERROR)
    assert MARK not in line


@pytest.mark.usefixtures("printer")
def test_content_when_asked() -> None:
    """The beginning of the text, or the error's message, on the same line."""
    long_text = record(choices=(Choice(text="one\ntwo\x1b[31m [bold]three[/bold]" + "x" * 500, finish_reason=None),))
    line = printed(long_text, content=True)
    assert "one two [31m [bold]three[/bold]xxx" in line
    assert line.endswith("…\n")
    assert line.count("\n") == 1
    assert printed(ended(Outcome.ERROR, choices=()), content=True).endswith(f"{MARK}\n")


def test_bounds_and_estimates_are_marked() -> None:
    """Lower bounds and estimates are marked."""
    timing = TIMING.model_copy(update={"started_from": "wrap", "tokens_per_second": None})
    partly = Cost(usd=Decimal("0.5"), status="partial")
    line = printed(record(timing=timing, usage=Usage(output_tokens=7, partial=True), cost=partly))
    assert line == "completed  gpt-4o-2024-08-06  first token ≥ 0.30 s  ≥ 7 out  ≥ $0.500000\n"
    assert "~7 out" in printed(record(usage=Usage(output_tokens=7, source="estimated")))


def test_small_and_no_costs() -> None:
    """A very small cost is not shown as 0."""
    small, free = (PRICED.model_copy(update={"usd": Decimal(usd)}) for usd in ("0.0000004", "0"))
    assert "< $0.000001" in printed(record(cost=small))
    assert "  $0.000000" in printed(record(cost=free))


def test_a_record_of_which_little_is_known() -> None:
    """A record in flight without a model."""
    assert printed(started(requested_model=None, timing=Timing())) == "in flight  unknown model  cost unknown (no_usage)\n"


def test_a_name_cannot_play_with_the_terminal() -> None:
    """Control characters in names are replaced, and rich's markup is printed as text."""
    line = printed(record(model="[red]gpt\n\x1b[2J", error=ErrorDetails(type="bad\nthing")))
    assert "[red]gpt  [2J" in line
    assert "error bad thing" in line
    assert line.count("\n") == 1


def test_colour_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """If rich is installed; the line is not wrapped."""
    pytest.importorskip("rich")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "20")
    monkeypatch.delenv("NO_COLOR", raising=False)
    file = Terminal()
    ConsoleExporter(file).export(record())
    assert file.getvalue().startswith("\x1b[32mcompleted\x1b[0m  gpt-4o")
    assert file.getvalue().count("\n") == 1


def test_standard_error_is_the_default(capsys: pytest.CaptureFixture[str]) -> None:
    """So the lines are apart from the program's own output."""
    ConsoleExporter().export(record())
    out, err = capsys.readouterr()
    assert not out
    assert err.startswith("completed")
