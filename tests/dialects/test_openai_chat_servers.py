"""Differences of compatible servers from OpenAI."""

import pytest

from streamtally import Outcome, replay
from tests.dialects.wire import Payload, call, calls, chat, choice, read, stated, stops, texts

ANSWER = {"text": "hello", "finish_reason": "stop", "finish_reason_raw": "stop"}


@pytest.mark.parametrize("word", ["stop", "STOP", "eos_token", "end_turn"])
def test_a_stop_after_calls(word: str) -> None:
    """An answer with tool calls that stopped is `tool_calls`: OpenAI reports stop if the request names the tool."""
    record = read([calls(call(0, "f", "{}", id="c0")), stops(word)])
    assert (record.finish_reason, record.choices[0].finish_reason_raw) == ("tool_calls", word)
    assert read([*texts("a"), stops(word)]).finish_reason == "stop"


@pytest.mark.parametrize("word", ["length", "content_filter", "stop_sequence"])
def test_another_end_after_calls(word: str) -> None:
    """Another reason stays, and the calls may be incomplete."""
    assert read([calls(call(0, "f", "{}", id="c0")), stops(word)]).finish_reason != "tool_calls"


def test_a_finish_reason_that_is_the_word_null() -> None:
    """The text "null" as finish reason is no finish reason."""
    record = read([chat(choice(0, "null", content="hel")), chat(choice(0, "null", content="lo"))])
    assert (record.text, record.finish_reason, record.outcome) == ("hello", None, Outcome.TRUNCATED)


def test_one_call_in_place_of_a_list() -> None:
    """Old releases of TGI send it so."""
    first = chat(choice(tool_calls=call(0, "f", '{"x":', id="c0")))
    record = read([first, chat(choice(tool_calls=call(0, None, " 1}"))), stops("tool_calls")])
    assert [(one.id, one.name, one.arguments_json) for one in record.tool_calls] == [("c0", "f", {"x": 1})]


def test_another_id_on_each_piece() -> None:
    """SGLang and Poolside send them so: pieces are assigned by index, and the first ID counts."""
    pieces = [("f", ""), (None, '{"x":'), (None, " 1}")]
    chunks = [
        calls(call(index, name, arguments, id=f"c{index}-{number}"))
        for index in (0, 1)
        for number, (name, arguments) in enumerate(pieces)
    ]
    record = read([*chunks, stops("tool_calls")])
    assert [(one.id, one.arguments_json) for one in record.tool_calls] == [("c0-0", {"x": 1}), ("c1-0", {"x": 1})]


def test_one_part_in_place_of_a_list() -> None:
    """A content part in place of a list is read as a list of one."""
    assert stated(read([chat(choice(content={"type": "text", "text": "hello"})), stops()]))["choices"] == (ANSWER,)


def test_text_without_a_delta() -> None:
    """A completion's choice has its text in `text`."""
    chunks = [{"id": "id-1", "choices": [{"index": 0, "text": piece}]} for piece in ("hel", "lo")]
    assert replay([*chunks, stops()], dialect="openai.chat").text == "hello"


def test_parts_with_citations_and_images() -> None:
    """Citations inside a text are annotations, and a part that is an image is one."""
    citation = {"url": "u", "title": "t"}
    image = {"type": "image_url", "image_url": {"url": "https://x.test/1.png"}}
    parts = [{"type": "text", "text": "hello", "citations": [citation]}, image]
    record = read([chat(choice(content=parts)), stops()])
    assert (record.text, record.choices[0].annotations, record.images[0].url) == ("hello", (citation,), "https://x.test/1.png")


def test_a_signature_of_a_summary() -> None:
    """Databricks sends it inside the part, beside the text."""
    pieces = [{"type": "summary_text", "text": "hm", "signature": ""}, {"type": "summary_text", "text": "", "signature": "s"}]
    chunks = [chat(choice(content=[{"type": "reasoning", "summary": [piece]}])) for piece in pieces]
    (answer,) = read([*chunks, *texts("hello"), stops()]).choices
    assert (answer.text, answer.reasoning) == ("hello", "hm")
    assert answer.reasoning_details == ({"type": "reasoning", "signature": "s"},)


def test_blocks_of_thinking() -> None:
    """LiteLLM repeats the reasoning in them; the signature is there alone."""
    blocks = [{"type": "thinking", "thinking": piece} for piece in ("h", "m")]
    signed = {"type": "thinking", "thinking": "", "signature": "s"}
    chunks = [
        *(chat(choice(reasoning_content=block["thinking"], thinking_blocks=[block])) for block in blocks),
        chat(choice(reasoning_content="", thinking_blocks=[signed])),
    ]
    (answer,) = read([*chunks, *texts("hello"), stops()]).choices
    assert (answer.reasoning, answer.reasoning_details) == ("hm", ({"type": "thinking", "text": "hm", "signature": "s"},))


def test_padding_is_ignored() -> None:
    """Padding fields are ignored in any object."""
    chunk = chat(choice(content="hello", obfuscation="x", beside={"obfuscation": "y"}), obfuscation="z")
    assert stated(read([chunk, stops()])) == {"outcome": "completed", "choices": (ANSWER,)}


@pytest.mark.parametrize(
    ("error", "message"),
    [
        ({"message": "no Route matched"}, "no Route matched"),
        ({"code": "Throttling", "message": "slow down", "request_id": "r"}, "slow down"),
        ({"detail": "not found"}, "not found"),
        ({"detail": [{"loc": ["body"], "msg": "field required"}]}, None),
    ],
)
def test_an_error_with_nothing_around_it(error: Payload, message: str | None) -> None:
    """Gateways and web frameworks send only a message or a detail."""
    record = replay([*texts("hello"), error], dialect="openai.chat")
    assert record.error is not None
    assert (record.text, record.outcome, record.error.message, record.error.body) == ("hello", Outcome.ERROR, message, error)


def test_a_message_that_is_no_error() -> None:
    """An event of another kind, or a chunk with a note of its own."""
    record = replay(
        [{"type": "info", "message": "queued"}, chat(choice(content="hello"), message="note"), stops()], dialect="openai.chat"
    )
    assert (record.text, record.error) == ("hello", None)
