"""text-generation-inference: its SDK, and the form without streaming; quirks are in `tests/quirks/huggingface.py`."""

import json

from huggingface_hub import TextGenerationStreamOutput

from streamtally import replay, to_response
from tests.dialects.wire import facts
from tests.quirks.huggingface import ends, event, token
from tests.sdk_types import check_response

ANSWER = [event("Hel", top_tokens=[token("Hel")]), event("lo", 2), ends("</s>", "Hello", seed=7)]


def test_objects_of_the_sdk() -> None:
    """They are dictionaries, whose class decides; they make the same record, with the provider of the SDK."""
    objects = [TextGenerationStreamOutput.parse_obj_as_instance(payload) for payload in ANSWER]
    record = replay(objects)
    assert (record.dialect, record.provider) == ("huggingface.tgi", "huggingface")
    assert facts(record) == {**facts(replay(ANSWER)), "provider": "huggingface"}


def test_the_form_without_streaming() -> None:
    """The SDK's type validates it, and it is read as the same answer."""
    record = replay(ANSWER)
    response = to_response(record)
    check_response("huggingface.tgi", response)
    assert response["generated_text"] == "Hello"
    again = replay(json.dumps(response))
    assert again.choices == record.choices
    assert again.usage == record.usage
    assert again.extras["seed"] == 7


def test_a_text_with_the_prompt() -> None:
    """The whole text of the last event may begin with the prompt; the answer does not."""
    record = replay([event("Hel"), ends("</s>", "I say: Hel")])
    assert record.text == "Hel"
