"""Part one: a naive loop compared with streamtally, on the same chunks of the same run.

The loop reads *through* the wrapper, so both see the very same chunks at the very same moments.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..records import Outcome, StreamRecord
from ..tally import Tally
from ..testing import FakeProvider, Scenario
from . import naive, streams
from .formatting import call_in_words, cost_in_words, milliseconds, shortened, tokens_in_words
from .requests import answer_fields
from .view import Cell

COLUMNS = ("", "naive loop", "streamtally")
WORDS_READ = 9


class ReaderLeft(Exception):
    """The reader of the answer has stopped reading."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What both made of one stream, and how to show it.

    Args:
        answer: what the loop returned; None where it never did.
        record: what streamtally recorded.
        naive: the answer in words.
        ours: the record in words.
        holds: whether the record is right and the answer is wrong.
    """

    answer: naive.Answer | None
    record: StreamRecord
    naive: str
    ours: str
    holds: bool


class Stage:
    """Where the comparisons are made.

    Args:
        provider: plays the streams; it runs.
        tally: makes the records.
        pace: how many times as long all waits are.
    """

    def __init__(self, provider: FakeProvider, tally: Tally, pace: float = 1.0) -> None:
        self.provider = provider
        self.tally = tally
        self.pace = pace

    def read(self, scenario: Scenario, show: Callable[[str], object]) -> tuple[naive.Answer | None, StreamRecord]:
        """Play a scenario over HTTP, to the loop and to the wrapper; a reader that leaves leaves no answer."""
        self.provider.enqueue(streams.paced(scenario, self.pace))
        answer = None
        try:
            with self.tally.wrap(lambda: naive.events(self.provider.base_url, streams.KNOWN_MODEL)) as stream:
                answer = naive.read_answer(stream, show)
        except ReaderLeft:
            pass
        return answer, stream.record

    def read_whole(self, scenario: Scenario) -> tuple[naive.Answer, StreamRecord]:
        """`read`, by a reader that stays."""
        answer, record = self.read(scenario, _ignored)
        assert answer is not None
        return answer, record


def first_token(stage: Stage) -> Comparison:
    """The first chunk names a role; the first token comes much later."""
    answer, record = stage.read_whole(streams.late_first_token())
    chunk, token = record.timing.time_to_first_chunk or 0.0, record.timing.time_to_first_token or 0.0
    return Comparison(
        answer,
        record,
        f"{milliseconds(answer.time_to_first_token)}: an empty role chunk",
        f"{milliseconds(token)}; first chunk {milliseconds(chunk)}",
        holds=chunk < token and answer.time_to_first_token < token,
    )


def tool_calls(stage: Stage) -> Comparison:
    """Two calls, the pieces of whose arguments come in turns."""
    answer, record = stage.read_whole(streams.parallel_calls())
    asked = [streams.WEATHER, streams.CLOCK]
    recorded = [(call.name, call.arguments, call.id) for call in record.tool_calls]
    return Comparison(
        answer,
        record,
        f"one call: {answer.tool}(\n{shortened(answer.arguments, 26)}",
        "\n".join(map(call_in_words, record.tool_calls)),
        holds=recorded == asked and answer.arguments not in [call.arguments for call in asked],
    )


def cancelled(stage: Stage) -> Comparison:
    """The reader leaves in the middle of the answer."""
    answer, record = stage.read(streams.held_back(streams.counted_as_it_goes(), 1 + WORDS_READ), _leaving_after(WORDS_READ))
    return Comparison(
        answer,
        record,
        "lost with the exception" if answer is None else shortened(answer.text),
        f"{record.outcome}: “{shortened(record.text)}”\n{tokens_in_words(record.usage)}, {cost_in_words(record.cost)}",
        holds=answer is None
        and record.outcome is Outcome.CANCELLED
        and streams.SEA.startswith(record.text)
        and len(record.text.split()) == WORDS_READ
        and record.usage is not None
        and record.usage.partial
        and record.cost.usd is not None,
    )


def unknown_model(stage: Stage) -> Comparison:
    """A model that is in no price list."""
    answer, record = stage.read_whole(streams.of_unknown_model())
    return Comparison(
        answer,
        record,
        f"${answer.cost:.2f}",
        f"{record.cost.usd}: {record.cost.status}",
        holds=answer.cost == 0 and record.cost.usd is None and record.cost.status == "unknown_model",
    )


def shuffled(stage: Stage) -> Comparison:
    """The chunks of one answer by way of a queue that keeps no order and delivers some of them twice."""
    numbered = list(enumerate(naive.parsed(streams.counted_as_it_goes().frames)))
    delivered = numbered + numbered[::4]
    random.Random(1).shuffle(delivered)
    answer = naive.read_answer((chunk for _, chunk in delivered), _ignored)
    for request_id, messages in (("shuffled", delivered), ("in order", numbered)):
        for index, chunk in messages:
            stage.tally.add(request_id, chunk, index=index)
    record, original = stage.tally.finish("shuffled"), stage.tally.finish("in order")
    same = answer_fields(record) == answer_fields(original)
    return Comparison(
        answer,
        record,
        f"“{shortened(answer.text)}”",
        f"“{shortened(record.text)}”\n{'the' if same else 'NOT the'} same record as in order",
        holds=same and record.text == streams.SEA and answer.text != streams.SEA,
    )


CASES = {
    "time to first token": first_token,
    "two tool calls at once": tool_calls,
    f"reader leaves at word {WORDS_READ}": cancelled,
    "price of an unknown model": unknown_model,
    "chunks shuffled, repeated": shuffled,
}
"""The comparisons, by what they are about."""


@dataclass(slots=True)
class Row:
    """A comparison in the table; empty until it is made."""

    title: str
    comparison: Comparison | None = None

    @property
    def cells(self) -> Sequence[Cell]:
        """The row."""
        if self.comparison is None:
            return self.title, ("…", "dim"), ("…", "dim")
        return self.title, (self.comparison.naive, "red"), (self.comparison.ours, "green")


def _ignored(_: str) -> None:
    """Ignore a piece of text."""


def _leaving_after(words: int) -> Callable[[str], None]:
    left = iter(range(words - 1, -1, -1))

    def show(_: str) -> None:
        if next(left) == 0:
            raise ReaderLeft

    return show
