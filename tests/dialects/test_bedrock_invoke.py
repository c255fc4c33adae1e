"""InvokeModelWithResponseStream with the models of several vendors; more are in `tests/quirks`."""

import base64
import json
from typing import Any

import pytest

from streamtally import StreamRecord, replay, to_response
from tests.dialects.wire import facts, read
from tests.quirks import anthropic, bedrock
from tests.quirks.bedrock import CLAUDE, NOVA, fails, metrics, wrapped
from tests.quirks.bodies import Payload, event_stream
from tests.sdk_types import check_response

INVOKE = "bedrock.invoke"


def wired(*payloads: Payload) -> list[Payload]:
    """A model's payloads as they are on the wire, in base64."""
    return [{"chunk": {"bytes": base64.b64encode(json.dumps(each).encode()).decode(), "p": "abc"}} for each in payloads]


def both(*payloads: Payload) -> StreamRecord:
    """The record, which is the same from the wire's bytes, from boto3's, and from payloads that the caller unwrapped."""
    record = read(wired(*payloads), INVOKE)
    assert facts(replay(wrapped(payloads))) == facts(record)
    assert facts(replay(event_stream(wrapped(payloads)))) == facts(record)
    assert facts(replay(payloads, dialect=INVOKE)) == facts(record)
    return record


CLAUDES = [*CLAUDE, anthropic.ends("tool_use")[0], {**anthropic.STOP, **metrics(25, 15)}]


def test_blocks_of_claude() -> None:
    """The record is the same as with Anthropic's API, but the provider is AWS."""
    record = both(*CLAUDES)
    direct = replay([*CLAUDE, *anthropic.ends("tool_use")])
    assert (record.output_items, record.choices) == (direct.output_items, direct.choices)
    assert (record.dialect, record.provider, record.response_id) == (INVOKE, "aws", "msg_1")
    assert record.usage is not None
    assert direct.usage is not None
    assert record.usage.model_dump(exclude={"raw"}) == direct.usage.model_dump(exclude={"raw"})
    check_response("anthropic.messages", to_response(record))


def test_blocks_of_nova() -> None:
    """The record is the same as with Converse, although each piece of the text has another block index."""
    pieces = [bedrock.grows(index, text=word) for index, word in enumerate(["Hel", "lo"])]
    record = both(NOVA[0], *pieces, *bedrock.calls(2, "t1", "f", "{}"), *NOVA[-2:])
    assert record.output_items == ({"text": "Hello"}, {"toolUse": {"toolUseId": "t1", "name": "f", "input": {}}})
    check_response("bedrock.converse", to_response(record))


@pytest.mark.parametrize(
    ("counts", "stated"),
    [
        ({}, (1, 2)),
        ({"cacheReadInputTokenCount": 3, "cacheWriteInputTokenCount": 4}, (8, 2)),
    ],
)
def test_counts_that_only_bedrock_states(counts: dict[str, int], stated: tuple[int, int]) -> None:
    """Bedrock's counts, with those of the cache, are used if the vendor reports none."""
    last = {
        "completion": "lo",
        "stop_reason": "stop_sequence",
        "amazon-bedrock-invocationMetrics": metrics(1, 2)["amazon-bedrock-invocationMetrics"] | counts,
    }
    record = both({"completion": "Hel", "stop_reason": None}, last)
    assert record.usage is not None
    assert (record.usage.input_tokens, record.usage.output_tokens) == stated


@pytest.mark.parametrize(
    ("payloads", "stated"),
    [
        ([{"choices": [{"text": "a", "stop_reason": "length"}]}], ("a", "length", "length")),
        ([{"choices": [{"index": 0, "message": {"content": "a"}, "stop_reason": "stop"}]}], ("a", "stop", "stop")),
        ([{"generations": [{"text": "a", "finish_reason": "COMPLETE", "id": "g"}], "id": "i"}], ("a", "stop", "COMPLETE")),
        ([{"event_type": "text-generation", "text": "a", "is_finished": False},
          {"event_type": "stream-end", "is_finished": True, "finish_reason": "COMPLETE"}], ("a", "stop", "COMPLETE")),
        ([{"outputText": "no", "amazon-bedrock-guardrailAction": "INTERVENED"}], ("no", "content_filter", "INTERVENED")),
        ([{"outputText": "a", "completionReason": "CONTENT_FILTERED"}], ("a", "content_filter", "CONTENT_FILTERED")),
    ],
)  # fmt: skip
def test_words_of_other_vendors(payloads: list[Payload], stated: tuple[str, str, str]) -> None:
    """Their text is read from any of their formats."""
    record = both(*payloads)
    (answer,) = record.choices
    assert (answer.text, answer.finish_reason, answer.finish_reason_raw) == stated
    assert record.outcome is not None
    assert record.outcome.value == "completed"
    check_response("openai.chat", to_response(record))


@pytest.mark.parametrize(
    "payload", [fails("modelTimeoutException", "slow"), {"error": {"code": "modelTimeoutException", "message": "slow"}}]
)
def test_exceptions_inside(payload: Payload) -> None:
    """Exceptions in the stream are read in Bedrock's format."""
    error = replay([*wired(*CLAUDE), payload], dialect=INVOKE).error
    assert error is not None
    assert (error.type, error.message, error.status, error.retryable) == ("modelTimeoutException", "slow", 408, True)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"plain words", "plain words"),
        ("cGxhaW4=", "plain"),
        ("no base64!", "no base64!"),
        ('{"completion": "a"}', "a"),
        (None, ""),
    ],
)
def test_bytes_that_hold_no_object(data: Any, text: str) -> None:
    """Chunk bytes that are no JSON object are text."""
    record = replay([{"chunk": {"bytes": data, "attribution": {"citations": []}}}], dialect=INVOKE)
    assert record.text == text
    assert record.extras == {"attribution": {"citations": []}}
