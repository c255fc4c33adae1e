"""The cost of a chunk does not grow with the length of the stream; it is counted in calls, which no machine's speed affects."""

import random
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest

from streamtally import Accumulator
from streamtally.testing.clock import FakeClock
from tests.accumulator.wire import call_chunk, call_piece, chat, event, text_chunk, usage_chunk
from tests.work import calls_of

pytestmark = pytest.mark.no_cover  # what is counted here are calls, and tracing each line would only make it slow

FEW, MANY = 1_000, 16_000


def calls_per_chunk(payloads: Sequence[Any], order: Iterable[int | None]) -> float:
    """Return the number of calls for each payload that adding them all and finishing the stream takes."""
    accumulator = Accumulator(clock=FakeClock())
    accumulator.open("r", dialect="openai.chat" if "choices" in payloads[0] else None)

    def work() -> None:
        for number, index in enumerate(order):
            accumulator.add("r", payloads[number if index is None else index], index=index)
        accumulator.finish("r")

    return calls_of(work) / len(payloads)


def in_order(count: int) -> list[int | None]:
    """Return all indices in order."""
    return list(range(count))


def shuffled(count: int) -> list[int | None]:
    """Return all indices in a random order, which is the same in every run."""
    order: list[int | None] = list(range(count))
    random.Random(5).shuffle(order)
    return order


ORDERS: dict[str, Callable[[int], list[int | None]]] = {
    "in order": in_order,
    "without index": lambda count: [None] * count,
    "reversed": lambda count: in_order(count)[::-1],
    "shuffled": shuffled,
}
KINDS: dict[str, Callable[[int], dict[str, Any]]] = {
    "text": lambda _: text_chunk("word "),
    "arguments": lambda number: call_chunk(call_piece(0, "1, ", **({} if number else {"id": "call_a", "name": "f"}))),
    "calls": lambda number: call_chunk(call_piece(number, "{}", id=f"call_{number}", name="f")),
    "calls without index": lambda number: call_chunk(call_piece(None, "{}", id=f"call_{number}", name="f")),
    "log probabilities": lambda _: chat(content="a", logprobs={"content": [{"token": "a"}]}),
    "usage on every chunk": lambda number: {**text_chunk("word "), "usage": {"prompt_tokens": 3, "completion_tokens": number}},
    "usage only": lambda number: usage_chunk(3, number),
    "new extras": lambda number: {**text_chunk(""), f"field_{number}": number},
    "text of an item": lambda number: event("output_text.delta", number, item_id="m", output_index=0, content_index=0, delta="a"),
    "items": lambda number: event("output_item.done", number, output_index=number, item={"id": f"m{number}", "type": "message"}),
    "audio": lambda _: {"type": "speech.audio.delta", "audio": "QUJD"},
    "transcript": lambda _: {"type": "transcript.text.delta", "delta": "word "},
    "previews": lambda _: {"type": "image_generation.partial_image", "b64_json": "QUJD"},
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_chunk(kind: str) -> None:
    """A chunk of a stream of four thousand costs as many calls as one of a thousand."""
    few, many = (calls_per_chunk([KINDS[kind](number) for number in range(count)], in_order(count)) for count in (FEW, 4 * FEW))
    assert many <= few * 1.05


@pytest.mark.parametrize("order", ORDERS)
def test_each_order(order: str) -> None:
    """A chunk of a stream of sixteen thousand costs as many calls as one of a thousand, in any order."""
    few, many = (calls_per_chunk([text_chunk("word ")] * count, ORDERS[order](count)) for count in (FEW, MANY))
    assert many <= few * 1.05


def test_many_streams() -> None:
    """A chunk costs as many calls with many open streams as with few."""

    def calls(count: int) -> float:
        accumulator = Accumulator(clock=FakeClock())

        def work() -> None:
            for number in range(count):
                accumulator.add(str(number), text_chunk("a"), index=0)
            for number in range(count):
                accumulator.finish(str(number))

        return calls_of(work) / count

    few, many = calls(100), calls(1_600)
    assert many <= few * 1.05


def test_the_state_is_linear_in_the_chunks() -> None:
    """A dumped state grows by a bounded number of bytes for each chunk."""
    sizes = []
    for count in (FEW, MANY):
        accumulator = Accumulator(clock=FakeClock())
        for index in range(count):
            accumulator.add("r", text_chunk("word "), index=index)
        sizes.append(len(accumulator.dump("r")) / count)
    assert sizes[1] <= sizes[0]
    assert sizes[1] < 40
