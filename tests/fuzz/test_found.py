"""Faults that fuzzing found, as small examples."""

from typing import Any

import pytest

from streamtally import Outcome, collect, replay
from streamtally.framing import SSEDecoder
from tests.dialects.wire import envelope, event, pieces
from tests.quirks import anthropic
from tests.quirks.bodies import sse


@pytest.mark.parametrize("body", [b"data: a\n\n\n{", b"data: a\r\n\r\n\r\n\r\ndata: b"])
def test_the_tail_of_events_does_not_depend_on_the_cuts(body: bytes) -> None:
    """Several blank lines end one event, and are part of none."""
    tails = set()
    for size in range(1, len(body) + 1):
        decoder = SSEDecoder()
        for piece in pieces(body, size):
            decoder.feed(piece)
        decoder.flush()
        tails.add(decoder.tail)
    assert tails == {body.rsplit(b"\n", 1)[1].decode()}


@pytest.mark.parametrize("text", [["x"], [None], [[]], {"a": 1}, 5])
def test_a_block_that_opens_with_something_else_than_a_text(text: Any) -> None:
    """A start of a block whose text is no string is no fault; the text that follows is kept."""
    block = anthropic.opened(0, "text", text=text)
    record = replay([anthropic.start(), block, *anthropic.texts("a", index=1), *anthropic.ends()], dialect="anthropic.messages")
    assert (record.text, record.outcome, record.extras) == ("a", Outcome.COMPLETED, {})


def test_what_follows_a_broken_image_in_one_read() -> None:
    """What follows a broken image in the same read is kept, as it is in a read of its own."""
    broken = event("image_generation_call.partial_image", item_id="a", output_index=0, partial_image_b64="aW\u00dcn")
    words = [event("output_text.delta", item_id="m", output_index=1, content_index=0, delta=word) for word in ("a", "b")]
    body = sse([broken, *words, envelope("completed")], named=True)
    for record in (replay(body), replay(pieces(body, 9)), collect([body], dialect="openai.responses")):
        assert (record.text, record.outcome, record.extras["observation_faults"]) == ("ab", Outcome.COMPLETED, 1)
