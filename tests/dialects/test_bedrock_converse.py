"""Content blocks of Bedrock's ConverseStream; quirks of usage and endings are in `tests/quirks`."""

import base64
from typing import Any

import pytest

from streamtally import Accumulator, StreamRecord, replay, to_response
from streamtally.chunks import CONTENT, TEXT
from streamtally.dialects import dialect_named
from tests.dialects.wire import facts, keyed, read
from tests.quirks.bedrock import START, calls, closed, ends, fails, grows, opened, stops, texts, thinking, used
from tests.quirks.bodies import Payload, event_stream
from tests.sdk_types import check_response

CONVERSE = "bedrock.converse"
CITATION = {
    "title": "T",
    "location": {"documentChar": {"documentIndex": 0, "start": 0, "end": 2}},
    "sourceContent": [{"text": "s"}],
}


def both(payloads: list[Payload], *, detectable: bool = True) -> StreamRecord:
    """The record, which all ways of reading, and the bytes of the wire, must make."""
    record = read(payloads, CONVERSE, detectable=detectable)
    body = event_stream(payloads)
    for data in (body, [body[at : at + 7] for at in range(0, len(body), 7)]):
        assert facts(replay(data, dialect=CONVERSE)) == facts(record)
    return record


def started(index: int, **start: Any) -> Payload:
    """A block of any kind begins."""
    return {"contentBlockStart": {"contentBlockIndex": index, "start": start}}


EVERYTHING = [
    START,
    *thinking("let ", "me"),
    grows(1, reasoningContent={"redactedContent": "RU5D"}),
    *texts("so", index=2),
    grows(2, citation=CITATION),
    *texts("and", index=3),
    started(4, toolUse={"toolUseId": "s1", "name": "search", "type": "server_tool_use"}),
    grows(4, toolUse={"input": '{"q"'}),
    grows(4, toolUse={"input": ": 1}"}),
    started(5, toolResult={"toolUseId": "s1", "status": "success"}),
    grows(5, toolResult=[{"json": {"found": 1}}, {"text": "t"}]),
    *calls(6, "t1", "f"),
    *ends("tool_use", inputTokens=9, outputTokens=4, totalTokens=13),
]


def test_blocks_of_every_kind() -> None:
    """The record has the blocks in Converse's form, and their content in its own fields."""
    record = both(EVERYTHING)
    assert [dict(item) for item in record.output_items] == [
        {"reasoningContent": {"reasoningText": {"text": "let me", "signature": "sig=="}}},
        {"reasoningContent": {"redactedContent": "RU5D"}},
        {"citationsContent": {"content": [{"text": "so"}], "citations": [CITATION]}},
        {"text": "and"},
        {"toolUse": {"toolUseId": "s1", "name": "search", "type": "server_tool_use", "input": {"q": 1}}},
        {"toolResult": {"toolUseId": "s1", "status": "success", "content": [{"json": {"found": 1}}, {"text": "t"}]}},
        {"toolUse": {"toolUseId": "t1", "name": "f", "input": {}}},
    ]
    (answer,) = record.choices
    assert (answer.role, answer.text, answer.reasoning, answer.annotations) == ("assistant", "soand", "let me", (CITATION,))
    assert answer.reasoning_details == ({"text": "let me", "signature": "sig=="}, {"redactedContent": "RU5D"})
    assert [(call.type, call.id, call.arguments_json) for call in answer.tool_calls] == [
        ("server_tool_use", "s1", {"q": 1}),
        ("function", "t1", {}),
    ]
    assert record.extras == {"metrics": {"latencyMs": 100}}


def test_events_of_boto3() -> None:
    """Binary fields of boto3's events may be bytes."""
    payloads = [START, grows(0, reasoningContent={"redactedContent": b"ENC"}), *ends()]
    record = replay(payloads, dialect=CONVERSE)
    assert record.output_items == ({"reasoningContent": {"redactedContent": "RU5D"}},)
    assert facts(replay(event_stream(payloads))) == facts(record)


def test_an_image() -> None:
    """An image is a block, and an image of the record."""
    data = base64.b64encode(b"PNG").decode()
    record = both([START, started(0, image={"format": "png"}), grows(0, image={"source": {"bytes": data}}), closed(0), *ends()])
    assert record.output_items == ({"image": {"format": "png", "source": {"bytes": data}}},)
    (image,) = record.images
    assert (image.data, image.mime_type, image.complete) == (b"PNG", "image/png", True)


def test_kinds_that_came_later() -> None:
    """Unknown events, blocks, deltas and fields are kept."""
    record = both(
        [
            START,
            started(0, hologram={"size": 3}),
            grows(0, hologram={"part": "x", "depth": 1}),
            grows(0, hologram={"part": "y", "depth": 2}),
            grows(1, aroma="ro"),
            grows(1, aroma="se"),
            grows(2, taste=5),
            {"messageHint": {"hint": 1}},
            {"messageStop": {"stopReason": "end_turn", "additionalModelResponseFields": {"a": 1}, "p": "abc"}},
            {"metadata": {"usage": {"inputTokens": 1}, "serviceTier": {"type": "flex"}, "trace": {"guardrail": {}}}},
        ]
    )
    assert record.output_items == ({"hologram": {"size": 3, "part": "xy", "depth": 2}}, {"aroma": "rose"}, {"taste": 5})
    assert (record.text, record.service_tier) == ("", "flex")
    assert record.extras == {
        "messageHint": {"hint": 1},
        "additionalModelResponseFields": {"a": 1},
        "serviceTier": {"type": "flex"},
        "trace": {"guardrail": {}},
    }


def test_a_whole_answer() -> None:
    """The answer to a request without streaming makes the same record."""
    streamed = replay(EVERYTHING, dialect=CONVERSE)
    answer = {**to_response(streamed), "ResponseMetadata": {"RequestId": "r"}}
    whole = replay([answer])
    assert whole.dialect == CONVERSE
    assert (whole.output_items, whole.text, whole.reasoning) == (streamed.output_items, streamed.text, streamed.reasoning)
    assert (whole.outcome, whole.finish_reason) == (streamed.outcome, "tool_calls")
    assert [call.arguments_json for call in whole.tool_calls] == [{"q": 1}, {}]
    assert whole.usage is not None
    assert (whole.usage.input_tokens, whole.usage.output_tokens) == (9, 4)


def test_how_long_a_cache_lives() -> None:
    """Cache writes are counted by time to live, if the report states it."""
    details = [{"ttl": "5m", "inputTokens": 10}, {"ttl": "1h", "inputTokens": 20}]
    record = both([START, *texts("a"), *ends(inputTokens=1, outputTokens=2, cacheWriteInputTokens=30, cacheDetails=details)])
    assert record.usage is not None
    assert (record.usage.input_tokens, record.usage.cache_write_tokens, record.usage.cache_write_1h_tokens) == (31, 30, 20)


@pytest.mark.parametrize("stated", [{}, {"cacheWriteInputTokens": 0}, {"cacheWriteInputTokens": 30}])
def test_what_was_written_by_lifetime(stated: Payload) -> None:
    """The lifetimes are the count where it says nothing; the two are never added."""
    details = [{"ttl": "5m", "inputTokens": 10}, {"ttl": "1h", "inputTokens": 20}]
    usage = both([START, *texts("a"), *ends(inputTokens=1, outputTokens=2, cacheDetails=details, **stated)]).usage
    assert usage is not None
    assert (usage.input_tokens, usage.cache_write_tokens, usage.cache_write_1h_tokens) == (31, 30, 20)


@pytest.mark.parametrize(
    ("model", "prompt", "total", "stated"),
    [
        ("openai.gpt-oss-120b-1:0", 800, 1507, (800, None, True)),
        ("us.openai.gpt-5.9", 800, 807, (800, 807, True)),
        ("openai.gpt-oss-120b-1:0", 100, 807, (800, 807, True)),
        ("eu.anthropic.claude-sonnet-4-6", 800, 1507, (1500, 1507, True)),
    ],
)
def test_models_whose_input_includes_the_cache(model: str, prompt: int, total: int, stated: tuple[Any, ...]) -> None:
    """Those of OpenAI, unless the input is less than what was cached; a total that counts the cache twice is none."""
    counts: dict[str, Any] = {
        "inputTokens": prompt,
        "outputTokens": 7,
        "totalTokens": total,
        "cacheReadInputTokens": 600,
        "cacheWriteInputTokens": 100,
    }
    record = replay([START, *texts("a"), *ends(**counts)], dialect=CONVERSE, params={"model": model})
    usage = record.usage
    assert usage is not None
    assert (usage.input_tokens, usage.total_tokens, not record.cost.inconsistent) == stated
    assert (usage.cache_read_tokens, usage.cache_write_tokens) == (600, 100)


@pytest.mark.parametrize(
    ("payload", "stated"),
    [
        (fails("internalServerException", "oops"), ("internalServerException", "oops", 500, True)),
        (fails("ModelStreamErrorException", "oops"), ("ModelStreamErrorException", "oops", 424, False)),
        ({"modelStreamErrorException": {"originalMessage": "oops"}}, ("modelStreamErrorException", "oops", 424, False)),
        ({"error": {"code": "throttlingException", "message": "slow"}}, ("throttlingException", "slow", 429, True)),
        (fails("oddException", "?"), ("oddException", "?", None, None)),
        ({"validationException": None}, ("validationException", None, 400, False)),
    ],
)
def test_exceptions_inside(payload: Payload, stated: tuple[Any, ...]) -> None:
    """Each kind of exception has an HTTP status."""
    error = replay([START, *texts("a"), payload], dialect=CONVERSE).error
    assert error is not None
    assert (error.type, error.message, error.status, error.retryable) == stated


@pytest.mark.parametrize("cut", range(len(EVERYTHING)))
def test_a_stream_that_was_cut_off(cut: int) -> None:
    """Cut anywhere, it makes a record, and a response that matches boto3's service model."""
    record = replay(EVERYTHING[:cut], dialect=CONVERSE)
    assert record.outcome is not None
    assert (record.outcome.value == "completed") is (cut == len(EVERYTHING) - 1)
    check_response(CONVERSE, to_response(record))
    assert facts(keyed(EVERYTHING[:cut], CONVERSE)) == facts(record) or cut == 0


def test_no_content_is_kept_where_only_counts_are() -> None:
    """The type and name of a block are kept, its content is not."""
    accumulator = Accumulator(keep="counts")
    for event in EVERYTHING:
        accumulator.add("r", event)
    record = accumulator.finish("r")
    assert [dict(item) for item in record.output_items][4:] == [
        {"toolUse": {"toolUseId": "s1", "name": "search", "type": "server_tool_use"}},
        {"toolResult": {"toolUseId": "s1", "status": "success"}},
        {"toolUse": {"toolUseId": "t1", "name": "f"}},
    ]
    assert (record.text, record.reasoning, record.choices[0].reasoning_details) == ("", None, ())
    assert [(call.name, call.complete) for call in record.tool_calls] == [("search", False), ("f", False)]


@pytest.mark.parametrize(
    ("payload", "flags"),
    [
        (START, 0),
        (texts("a")[0], CONTENT | TEXT),
        (thinking("a")[0], CONTENT),
        (thinking("a")[1], 0),
        (opened(0, "t1", "f"), CONTENT),
        (stops(), 0),
        (used(), 0),
    ],
)
def test_what_is_the_first_token(payload: Payload, flags: int) -> None:
    """The first generated content of any kind."""
    assert dialect_named(CONVERSE).chunk(payload).flags == flags
