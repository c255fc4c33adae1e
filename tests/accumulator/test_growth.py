"""The cost of a chunk does not grow with the number of chunks: counted in calls, for a count is the same on every machine."""

import random
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest

from streamtally import Accumulator
from streamtally.testing.clock import FakeClock
from tests.accumulator.wire import call, called, chat, event, said, used
from tests.work import calls_of

FEW, MANY = 1_000, 16_000


def calls_per_chunk(payloads: Sequence[Any], order: Iterable[int | None]) -> float:
    """The calls that adding the payloads takes, and the record at the end, for each of them."""
    accumulator = Accumulator(clock=FakeClock())
    accumulator.open("r", dialect="openai.chat" if "choices" in payloads[0] else None)

    def work() -> None:
        for number, index in enumerate(order):
            accumulator.add("r", payloads[number if index is None else index], index=index)
        accumulator.finish("r")

    return calls_of(work) / len(payloads)


def in_order(count: int) -> list[int | None]:
    """Each index after the one before."""
    return list(range(count))


def shuffled(count: int) -> list[int | None]:
    """All indices in a random order, the same in every run."""
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
    "words": lambda _: said("word "),
    "arguments": lambda number: called(call(0, "1, ", **({} if number else {"id": "call_a", "name": "f"}))),
    "calls": lambda number: called(call(number, "{}", id=f"call_{number}", name="f")),
    "calls without index": lambda number: called(call(None, "{}", id=f"call_{number}", name="f")),
    "log probabilities": lambda _: chat(content="a", logprobs={"content": [{"token": "a"}]}),
    "usage on every chunk": lambda number: {**said("word "), "usage": {"prompt_tokens": 3, "completion_tokens": number}},
    "nothing but usage": lambda number: used(3, number),
    "names of their own": lambda number: {**said(""), f"field_{number}": number},
    "words of an item": lambda number: event(
        "output_text.delta", number, item_id="m", output_index=0, content_index=0, delta="a"
    ),
    "items": lambda number: event("output_item.done", number, output_index=number, item={"id": f"m{number}", "type": "message"}),
    "sound": lambda _: {"type": "speech.audio.delta", "audio": "QUJD"},
    "heard words": lambda _: {"type": "transcript.text.delta", "delta": "word "},
    "previews": lambda _: {"type": "image_generation.partial_image", "b64_json": "QUJD"},
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_chunk(kind: str) -> None:
    """Sixteen times as many chunks take sixteen times as many calls."""
    few, many = (calls_per_chunk([KINDS[kind](number) for number in range(count)], in_order(count)) for count in (FEW, 4 * FEW))
    assert many <= few * 1.05


@pytest.mark.parametrize("order", ORDERS)
def test_each_order(order: str) -> None:
    """However the chunks come, each costs the same, whether there are a thousand or sixteen thousand."""
    few, many = (calls_per_chunk([said("word ")] * count, ORDERS[order](count)) for count in (FEW, MANY))
    assert many <= few * 1.05


def test_many_streams() -> None:
    """A chunk of one stream costs the same, however many others are open."""

    def calls(count: int) -> float:
        accumulator = Accumulator(clock=FakeClock())

        def work() -> None:
            for number in range(count):
                accumulator.add(str(number), said("a"), index=0)
            for number in range(count):
                accumulator.finish(str(number))

        return calls_of(work) / count

    few, many = calls(100), calls(1_600)
    assert many <= few * 1.05


def test_the_state_is_linear_in_the_chunks() -> None:
    """A state that travels grows by a bounded number of bytes for each chunk."""
    sizes = []
    for count in (FEW, MANY):
        accumulator = Accumulator(clock=FakeClock())
        for index in range(count):
            accumulator.add("r", said("word "), index=index)
        sizes.append(len(accumulator.dump("r")) / count)
    assert sizes[1] <= sizes[0]
    assert sizes[1] < 40
