"""Records as lines for people to read."""

from __future__ import annotations

import sys
from collections.abc import Callable
from decimal import Decimal
from threading import Lock
from typing import IO

from ..records import Cost, Outcome, StreamRecord, Usage
from .base import Exporter

MAX_SHOWN = 200
"""Characters of content or of one name in a line: our own choice."""

STYLES = {
    Outcome.COMPLETED: "green",
    Outcome.TRUNCATED: "yellow",
    Outcome.CANCELLED: "yellow",
    Outcome.ABANDONED: "yellow",
    Outcome.LIMIT: "yellow",
    Outcome.TIMEOUT: "red",
    Outcome.ERROR: "red",
}
"""The colour of each outcome, as rich names it."""


class ConsoleExporter(Exporter):
    """Prints one line for each record: outcome, model, speed, tokens and cost.

    If rich is installed and the file is a terminal, the outcome has a colour.

    Args:
        file: the file to print to; standard error by default, apart from the program's own output.
        content: whether the line ends with the generated text, or the error's message.

    Example:
        >>> import sys
        >>> from streamtally.records import StreamType, Timing, Usage
        >>> record = StreamRecord(
        ...     request_id="r1", stream_type=StreamType.CHAT, dialect="openai.chat", outcome="completed", model="gpt-4o",
        ...     usage=Usage(input_tokens=100, output_tokens=180),
        ...     timing=Timing(started_from="request", time_to_first_token=0.31, tokens_per_second=84.2),
        ... )  # fmt: skip
        >>> ConsoleExporter(sys.stdout).export(record)
        completed  gpt-4o  first token 0.31 s  84.2 tokens/s  100 in  180 out  cost unknown (no_usage)
    """

    blocking = False  # so that the line is in order with the program's own output

    def __init__(self, file: IO[str] | None = None, *, content: bool = False) -> None:
        self._file = sys.stderr if file is None else file
        self._content = content
        self._print = _rich_printer(self._file) or self._plain
        self._lock = Lock()

    def export(self, record: StreamRecord) -> None:
        """Print one line."""
        outcome = record.outcome.value if record.outcome else "in flight"
        style = STYLES[record.outcome] if record.outcome else ""
        rest = "".join(f"  {part}" for part in (*_facts(record), *(_content(record) if self._content else ())))
        with self._lock:
            self._print(outcome, style, rest)

    def flush(self, timeout: float | None = None) -> bool:  # noqa: ARG002 - a terminal takes its own time
        """Flush the file."""
        self._file.flush()
        return True

    def close(self) -> None:
        """Do nothing: the file belongs to the caller."""

    def _plain(self, outcome: str, style: str, rest: str) -> None:  # noqa: ARG002 - plain text has no style
        self._file.write(f"{outcome}{rest}\n")


def _rich_printer(file: IO[str]) -> Callable[[str, str, str], None] | None:
    try:
        from rich.console import Console
        from rich.text import Text
    except ImportError:
        return None
    console = Console(file=file, soft_wrap=True, highlight=False)

    def show(outcome: str, style: str, rest: str) -> None:
        console.print(Text.assemble((outcome, style), rest))

    return show


def _facts(record: StreamRecord) -> list[str]:
    return [
        _shown(record.model or record.requested_model or "unknown model"),
        *_speed(record),
        *(_tokens(record.usage) if record.usage else ()),
        _cost(record.cost),
        *([f"error {_shown(record.error.type)}"] if record.error else ()),
    ]


def _speed(record: StreamRecord) -> list[str]:
    timing, found = record.timing, []
    if timing.time_to_first_token is not None:
        at_least = "≥ " if timing.started_from == "wrap" else ""
        found.append(f"first token {at_least}{timing.time_to_first_token:.2f} s")
    if timing.tokens_per_second is not None:
        found.append(f"{timing.tokens_per_second:.1f} tokens/s")
    return found


def _tokens(usage: Usage) -> list[str]:
    about = "~" if usage.source == "estimated" else "≥ " if usage.partial else ""
    counts = ((usage.input_tokens, "in"), (usage.output_tokens, "out"))
    return [f"{about}{count} {direction}" for count, direction in counts if count is not None]


def _cost(cost: Cost) -> str:
    if cost.usd is None:
        return f"cost unknown ({cost.status})"
    if 0 < cost.usd < Decimal("0.000001"):
        return "< $0.000001"
    return f"{'' if cost.complete else '≥ '}${cost.usd:.6f}"


def _content(record: StreamRecord) -> list[str]:
    text = record.text or (record.error.message if record.error else None)
    return [_shown(text)] if text else []


def _shown(text: str) -> str:
    """The beginning of a text, on one line. Control characters, which may move the cursor, are replaced by spaces."""
    cut = text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"
    return "".join(letter if letter.isprintable() else " " for letter in cut)
