"""llama.cpp's native completions: what is kept, and the form without streaming; quirks are in `tests/quirks/llamacpp.py`."""

import streamtally
from streamtally import Accumulator, replay, to_response
from tests.quirks.llamacpp import ends, event

ANSWER = [event("Hel", 1), event("lo", 2), ends("limit", 2, prompt="my secret", generation_settings={"seed": 1})]


def test_the_prompt_is_content() -> None:
    """With `keep="counts"` neither the prompt and the settings nor the tokens are kept; counts are."""
    accumulator = Accumulator(keep="counts")
    for index, payload in enumerate(ANSWER):
        accumulator.add("r", payload, index=index)
    record = accumulator.finish("r")
    assert "secret" not in record.model_dump_json()
    assert record.choices[0].logprobs is None
    assert record.extras.keys() == {"id_slot", "tokens_cached"}
    assert record.usage is not None
    assert (record.usage.input_tokens, record.usage.output_tokens, record.finish_reason) == (9, 2, "length")


def test_the_form_without_streaming() -> None:
    """It is an event with all of the text, which makes the same record."""
    record = replay(ANSWER)
    response = to_response(record)
    assert (response["content"], response["stop"], response["stop_type"], response["tokens"]) == ("Hello", True, "limit", [1, 2])
    again = replay([response])
    assert again.choices == record.choices
    assert again.usage == record.usage


def test_an_error_alone() -> None:
    """A server that is busy answers with an error under its name."""
    with streamtally.wrap([{"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}]) as stream:
        list(stream)
    assert stream.record.error is not None
    assert (stream.record.error.type, stream.record.error.status) == ("unavailable_error", 503)
