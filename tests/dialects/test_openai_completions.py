"""Legacy text completions, with text beside the delta."""

import pytest

from tests.dialects.wire import Payload, read, stated

DIALECT = "openai.completions"


def completion(*choices: Payload, **fields: object) -> Payload:
    """One chunk."""
    return {"id": "id-1", "object": "text_completion", "created": 1, "model": "m-1", "choices": list(choices), **fields}


def choice(text: str | None = "", finish: str | None = None, index: int = 0, **fields: object) -> Payload:
    """One choice of a chunk."""
    return {"index": index, "text": text, "finish_reason": finish, "logprobs": None, **fields}


def test_a_plain_answer() -> None:
    """Text, finish reason, and usage in a frame of its own."""
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    chunks = [completion(choice("hel")), completion(choice("lo")), completion(choice("", "stop")), completion(usage=usage)]
    assert stated(read(chunks, DIALECT)) == {
        "outcome": "completed",
        "choices": ({"text": "hello", "finish_reason": "stop", "finish_reason_raw": "stop"},),
        "usage": {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5},
    }


def test_two_choices_in_turns() -> None:
    """Each choice has its text and its finish reason."""
    chunks = [
        completion(choice("b", index=1)),
        completion(choice("a"), choice("B", "length", index=1)),
        completion(choice("A", "stop")),
    ]
    record = read(chunks, DIALECT)
    assert [(answer.index, answer.text, answer.finish_reason) for answer in record.choices] == [
        (0, "aA", "stop"),
        (1, "bB", "length"),
    ]


@pytest.mark.parametrize(
    "empty", [completion(), {**completion(), "choices": None}, completion(choice(None)), completion(choice())]
)
def test_empty_chunks(empty: Payload) -> None:
    """Empty choices and empty texts change nothing."""
    record = read([empty, completion(choice("hello")), empty, completion(choice("", "stop")), empty], DIALECT, detectable=True)
    assert (record.text, record.finish_reason, record.outcome) == ("hello", "stop", "completed")


def test_logprobs() -> None:
    """The parallel lists of all chunks are joined, each under its key."""
    chunks = [
        completion(
            choice(
                text, logprobs={"tokens": [text], "token_logprobs": [-1.0], "top_logprobs": [{text: -1.0}], "text_offset": [n]}
            )
        )
        for n, text in enumerate(("hel", "lo"))
    ]
    (answer,) = read([*chunks, completion(choice("", "stop"))], DIALECT).choices
    assert answer.logprobs == {
        "tokens": ["hel", "lo"],
        "token_logprobs": [-1.0, -1.0],
        "top_logprobs": [{"hel": -1.0}, {"lo": -1.0}],
        "text_offset": [0, 1],
    }


def test_finish_with_the_last_text_and_none_at_all() -> None:
    """A finish reason may come with text; without one the text is cut short."""
    assert stated(read([completion(choice("hello", "length"))], DIALECT))["choices"][0]["finish_reason"] == "length"
    assert read([completion(choice("hello"))], DIALECT).outcome == "truncated"


def test_text_in_both_places() -> None:
    """Text that a server sends in `text` and in `delta.content` is read once."""
    chunks = [completion(choice(piece, delta={"content": piece})) for piece in ("hel", "lo")]
    assert read([*chunks, completion(choice("", "stop"))], DIALECT, detectable=False).text == "hello"


@pytest.mark.parametrize("field", ["value", "response"])
def test_text_without_choices(field: str) -> None:
    """Writer and Cloudflare send neither choices nor a finish reason."""
    record = read([{field: piece} for piece in ("hel", "lo")], DIALECT)
    assert stated(record) == {"outcome": "truncated", "choices": ({"text": "hello"},)}
