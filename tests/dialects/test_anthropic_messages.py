"""Content blocks of Anthropic's Messages API; quirks of usage and endings are in `tests/quirks`."""

import json
from typing import Any

import pytest
from anthropic.types import Message
from anthropic.types.beta import BetaMessage
from hypothesis import given
from hypothesis import strategies as st

from streamtally import Accumulator, StreamRecord, replay, to_response
from streamtally.chunks import CONTENT, TEXT, Chunk
from streamtally.dialects import dialect_named
from tests.anthropic_sdk import final_blocks
from tests.dialects.wire import facts, read
from tests.quirks.anthropic import CITATION, FOUND, PING, STOP, calls, closed, ends, fails, grows, opened, start, texts, thinking
from tests.quirks.bodies import Payload

MESSAGES = "anthropic.messages"


def blocks(record: StreamRecord) -> list[dict[str, Any]]:
    """The content blocks of a record."""
    return [dict(item) for item in record.output_items]


EVERYTHING = [
    start(),
    *thinking("let ", "me"),
    opened(1, "redacted_thinking", data="ENC"),
    closed(1),
    opened(2, "text", text="", citations=[]),
    grows(2, "text_delta", text="so"),
    grows(2, "citations_delta", citation=CITATION),
    closed(2),
    PING,
    *calls(3, "srv_1", "web_search", '{"query": ', '"q"}', kind="server_tool_use"),
    opened(4, "web_search_tool_result", tool_use_id="srv_1", content=[FOUND]),
    closed(4),
    *calls(5, "toolu_1", "f", '{"a": [1', ", 2]}"),
    *ends("tool_use", server_tool_use={"web_search_requests": 1}),
]


def test_blocks_of_every_kind() -> None:
    """The record has the blocks in the API's form, and their content in its own fields."""
    record = read(EVERYTHING, MESSAGES)
    assert blocks(record) == final_blocks(EVERYTHING) == [
        {"type": "thinking", "thinking": "let me", "signature": "sig=="},
        {"type": "redacted_thinking", "data": "ENC"},
        {"type": "text", "text": "so", "citations": [CITATION]},
        {"type": "server_tool_use", "id": "srv_1", "name": "web_search", "input": {"query": "q"}},
        {"type": "web_search_tool_result", "tool_use_id": "srv_1", "content": [FOUND]},
        {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": [1, 2]}},
    ]  # fmt: skip
    (answer,) = record.choices
    assert (answer.role, answer.text, answer.reasoning, answer.annotations) == ("assistant", "so", "let me", (CITATION,))
    assert answer.reasoning_details == record.output_items[:2]
    assert [(call.type, call.id, call.arguments) for call in answer.tool_calls] == [
        ("server_tool_use", "srv_1", '{"query": "q"}'),
        ("function", "toolu_1", '{"a": [1, 2]}'),
    ]
    assert Message.model_validate(to_response(record)).to_dict()["content"] == list(record.output_items)


def test_kinds_that_came_later() -> None:
    """Unknown blocks, deltas and fields are kept, and are not text."""
    record = read(
        [
            start(container={"id": "c"}),
            opened(0, "compaction", content=None),
            grows(0, "compaction_delta", content="sum", encrypted_content="ENC"),
            closed(0),
            opened(1, "mcp_tool_use", id="m_1", name="f", input={}, server_name="s"),
            closed(1),
            opened(2, "hologram", size=3),
            grows(2, "hologram_delta", part="x"),
            grows(2, "hologram_delta", part="y", depth=2),
            closed(2),
            {**grows(3, "thinking_delta", thinking="hm", estimated_tokens=7), "trace": "t"},
            {"type": "message_hint", "hint": 1},
            {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "context_management": {"applied_edits": []}},
            STOP,
        ],
        MESSAGES,
    )
    assert blocks(record) == [
        {"type": "compaction", "content": "sum", "encrypted_content": "ENC"},
        {"type": "mcp_tool_use", "id": "m_1", "name": "f", "input": {}, "server_name": "s"},
        {"type": "hologram", "size": 3, "part": "xy", "depth": 2},
        {"type": "thinking", "thinking": "hm"},
    ]
    assert (record.text, record.reasoning) == ("", "hm")
    assert record.extras == {
        "container": {"id": "c"},
        "context_management": {"applied_edits": []},
        "events": {
            "content_block_delta": {"estimated_tokens": 7, "trace": "t"},
            "message_hint": [{"type": "message_hint", "hint": 1}],
        },
    }
    assert record.tool_calls[0].extras == {"server_name": "s"}


def test_a_word_of_the_sdks_that_python_keeps_for_itself() -> None:
    """`from` is `from_` in the SDK's objects, and `from` in the record."""
    fallback = {"from": {"model": "a"}, "to": {"model": "b"}, "trigger": {"type": "refusal", "category": None}}
    record = read([start(), opened(0, "fallback", **fallback), closed(0), *texts("a", index=1), *ends()], MESSAGES)
    assert record.output_items[0]["from"] == {"model": "a"}
    BetaMessage.model_validate(to_response(record))


def test_the_sdks_own_events() -> None:
    """The events that `messages.stream()` adds repeat those of the wire, and change nothing."""
    whole = {"id": "msg_1", "type": "message", "content": [{"type": "text", "text": "Hello"}]}
    helped = [
        start(),
        opened(0, "text", text=""),
        grows(0, "text_delta", text="Hel"),
        {"type": "text", "text": "Hel", "snapshot": "Hel"},
        grows(0, "text_delta", text="lo"),
        {"type": "text", "text": "lo", "snapshot": "Hello"},
        {**closed(0), "content_block": {"type": "text", "text": "Hello"}},
        opened(1, "tool_use", id="t", name="f", input={}),
        grows(1, "input_json_delta", partial_json="{}"),
        {"type": "input_json", "partial_json": "{}", "snapshot": {}},
        {**closed(1), "content_block": {"type": "tool_use", "id": "t", "name": "f", "input": {}}},
        ends()[0],
        {**STOP, "message": whole},
    ]
    plain = [
        {name: value for name, value in event.items() if name not in ("content_block", "message") or "start" in event["type"]}
        for event in helped
        if event["type"] not in ("text", "input_json")
    ]
    assert facts(read(helped, MESSAGES)) == facts(replay(plain, dialect=MESSAGES))


def test_a_whole_message() -> None:
    """The answer to a request without streaming makes the same record."""
    streamed = read(EVERYTHING, MESSAGES)
    whole = read([to_response(streamed)], MESSAGES)
    assert (whole.output_items, whole.text, whole.reasoning) == (streamed.output_items, streamed.text, streamed.reasoning)
    assert (whole.outcome, whole.finish_reason, whole.model) == (streamed.outcome, "tool_calls", "claude-1")
    assert [call.arguments_json for call in whole.tool_calls] == [{"query": "q"}, {"a": [1, 2]}]
    assert whole.usage is not None
    assert whole.usage.output_tokens == 15


def test_a_gateway_that_begins_again() -> None:
    """Blocks of a second message follow those of the first, whatever their indices; a repeated start adds no message."""
    second = start(id="msg_2")
    record = read(
        [
            start(),
            start(),
            *thinking("a"),
            *calls(1, "t_1", "f", '{"cut')[:-1],
            start(),
            grows(1, "input_json_delta", partial_json=" off"),
            second,
            *thinking("b"),
            *calls(1, "t_2", "f", "{}"),
            *texts("c", index=2),
            *ends(),
        ],
        MESSAGES,
    )
    assert [(block["type"], block.get("partial_json")) for block in record.output_items] == [
        ("thinking", None), ("tool_use", '{"cut off'), ("thinking", None), ("tool_use", None), ("text", None),
    ]  # fmt: skip
    assert (record.reasoning, record.text, record.response_id) == ("ab", "c", "msg_2")
    assert [call.complete for call in record.tool_calls] == [False, True]


def test_blocks_without_a_start() -> None:
    """The type of a block is inferred from its pieces."""
    record = read(
        [
            grows(0, "thinking_delta", thinking="hm"),
            grows(0, "signature_delta", signature="s"),
            grows(1, "text_delta", text="so"),
            grows(2, "input_json_delta", partial_json="{}"),
            {"type": "content_block_delta", "delta": {"type": "input_json_delta", "partial_json": " "}},
            *ends("tool_use"),
        ],
        MESSAGES,
    )
    assert blocks(record) == [
        {"type": "thinking", "thinking": "hm", "signature": "s"},
        {"type": "text", "text": "so"},
        {"type": "tool_use", "input": {}},
    ]
    assert record.tool_calls[0].arguments == "{} "


def test_a_block_that_starts_with_something() -> None:
    """The content of the start comes first; a signature is replaced, and an input is not the beginning of the JSON."""
    record = read(
        [
            start(),
            opened(0, "thinking", thinking="h", signature="old"),
            grows(0, "thinking_delta", thinking="m"),
            grows(0, "signature_delta", signature="new"),
            opened(1, "text", text="s", citations=[CITATION]),
            grows(1, "text_delta", text="o"),
            grows(1, "citations_delta", citation={**CITATION, "cited_text": "o"}),
            opened(2, "tool_use", id="t", name="f", input={"old": 1}),
            grows(2, "input_json_delta", partial_json='{"new": 1}'),
            *ends("tool_use"),
        ],
        MESSAGES,
    )
    assert blocks(record) == [
        {"type": "thinking", "thinking": "hm", "signature": "new"},
        {"type": "text", "text": "so", "citations": [CITATION, {**CITATION, "cited_text": "o"}]},
        {"type": "tool_use", "id": "t", "name": "f", "input": {"new": 1}},
    ]


def test_an_output_of_nothing() -> None:
    """A last count of zero replaces the placeholder, and the other counts stay."""
    usage = read([start(), *texts(), *ends("refusal", 0)], MESSAGES).usage
    assert usage is not None
    assert (usage.input_tokens, usage.output_tokens) == (25, 0)


@pytest.mark.parametrize("stated", [{}, {"cache_creation_input_tokens": 0}, {"cache_creation_input_tokens": 50}])
def test_what_was_written_by_lifetime(stated: Payload) -> None:
    """The lifetimes are the count where it says nothing; the two are never added."""
    lifetimes = {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 30}
    counts = {"input_tokens": 5, "output_tokens": 1, "cache_creation": lifetimes, **stated}
    usage = read([start(usage=counts), *texts("a"), *ends("end_turn", 7)], MESSAGES).usage
    assert usage is not None
    assert (usage.input_tokens, usage.cache_write_tokens, usage.cache_write_1h_tokens, usage.output_tokens) == (55, 50, 30, 7)


ZEROS = {"input_tokens": 0, "output_tokens": 0, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0}


def test_a_start_of_zeros() -> None:
    """Adapters send it as a placeholder: nothing is known until the end, and then what the end states."""
    begun = [start(usage=ZEROS, model="claude-sonnet-4-5"), *texts("a")]
    cut = replay(begun, dialect=MESSAGES)
    assert (cut.usage, cut.cost.usd, cut.cost.status) == (None, None, "no_usage")
    half = read([*begun, *ends("end_turn", 7)], MESSAGES)
    assert half.usage is not None
    assert (half.usage.input_tokens, half.usage.output_tokens, half.cost.complete) == (None, 7, False)
    last = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"input_tokens": 9, "output_tokens": 7}}
    whole = read([*begun, last, STOP], MESSAGES).usage
    assert whole is not None
    assert (whole.input_tokens, whole.output_tokens) == (9, 7)


def test_the_id_of_a_request_that_failed() -> None:
    """The request ID is kept in the body of the error."""
    record = read([start(), fails()], MESSAGES)
    assert record.error is not None
    assert record.error.body["request_id"] == "req_1"
    (unknown,) = [replay([start(), fails("odd_error")], dialect=MESSAGES).error]
    assert unknown is not None
    assert (unknown.type, unknown.status, unknown.retryable) == ("odd_error", None, None)


@pytest.mark.parametrize("cut", range(len(EVERYTHING)))
def test_a_stream_that_was_cut_off(cut: int) -> None:
    """Cut anywhere, it makes a record without invented values, and a message that the SDK's type accepts."""
    record = replay(EVERYTHING[:cut], dialect=MESSAGES)
    assert record.outcome is not None
    assert (record.outcome.value == "completed") is (cut > len(EVERYTHING) - 2)
    BetaMessage.model_validate(to_response(record))
    assert record.usage is None or record.usage.partial is (cut <= len(EVERYTHING) - 2)


def test_no_content_is_kept_where_only_counts_are() -> None:
    """The type and name of a block are kept, its content is not."""
    accumulator = Accumulator(keep="counts")
    for event in EVERYTHING:
        accumulator.add("r", event)
    record = accumulator.finish("r")
    assert blocks(record)[5] == {"type": "tool_use", "id": "toolu_1", "name": "f"}
    assert all(block.keys() <= {"type", "id", "name", "tool_use_id"} for block in blocks(record))
    assert [(call.complete, call.arguments_json) for call in record.tool_calls] == [(False, None)] * 2
    assert (record.text, record.reasoning, record.choices[0].annotations) == ("", None, ())
    assert record.usage is not None
    assert record.dropped_bytes > 0


TELLING: list[tuple[Payload, int]] = [
    (start(), 0),
    (PING, 0),
    (opened(0, "text", text=""), 0),
    (opened(0, "thinking", thinking="", signature=""), 0),
    (opened(0, "tool_use", id="t", name="f", input={}), CONTENT),
    (opened(0, "redacted_thinking", data="ENC"), CONTENT),
    (opened(0, "text", text="a"), CONTENT | TEXT),
    (grows(0, "text_delta", text="a"), CONTENT | TEXT),
    (grows(0, "text_delta", text=""), 0),
    (grows(0, "thinking_delta", thinking="a"), CONTENT),
    (grows(0, "signature_delta", signature="a"), 0),
    (grows(0, "input_json_delta", partial_json="{"), CONTENT),
    (ends()[0], 0),
    (STOP, 0),
]


@pytest.mark.parametrize(("payload", "flags"), TELLING)
def test_what_is_the_first_token(payload: Payload, flags: int) -> None:
    """The first generated content, which is not the event that opens a text block."""
    assert chunk(payload).flags == flags


def chunk(payload: Payload) -> Chunk:
    """One event, normalised."""
    return dialect_named(MESSAGES).chunk(payload)


def test_what_a_chunk_brings() -> None:
    """The text of a chunk is read as that of any other provider."""
    assert chunk(grows(0, "text_delta", text="a")).text == "a"
    assert chunk(grows(0, "thinking_delta", thinking="a")).reasoning == "a"
    assert chunk(ends("max_tokens")[0]).finish_reason == "max_tokens"


# ------------------------------------------------------------------------------------- beside the SDK's own accumulator

WORDS = st.lists(st.text(max_size=4), max_size=4)
ARGUMENTS = st.dictionaries(
    st.text(max_size=3), st.integers() | st.text(max_size=3) | st.lists(st.none(), max_size=2), max_size=3
)


@st.composite
def pieces_of(draw: st.DrawFn, index: int) -> list[Payload]:
    """The events of one block."""
    kind = draw(st.sampled_from(["text", "thinking", "tool_use", "redacted_thinking"]))
    if kind == "text":
        return texts(*draw(WORDS), index=index)
    if kind == "thinking":
        return thinking(*draw(WORDS), index=index, signature=draw(st.text(max_size=3)))
    if kind == "redacted_thinking":
        return [opened(index, kind, data="ENC"), closed(index)]
    text = json.dumps(draw(ARGUMENTS), ensure_ascii=draw(st.booleans()))
    cut = draw(st.integers(0, len(text)))
    return calls(index, f"toolu_{index}", "f", *draw(st.sampled_from([(text[:cut], text[cut:]), (text,), ()])))


@st.composite
def messages(draw: st.DrawFn) -> list[Payload]:
    """A message whose blocks begin in order and grow in turns."""
    streams = [draw(pieces_of(index)) for index in range(draw(st.integers(0, 4)))]
    events: list[Payload] = []
    begun = 0
    while any(streams):
        ready = [at for at in range(min(begun + 1, len(streams))) if streams[at]]
        at = draw(st.sampled_from(ready)) if ready else begun
        begun = max(begun, at + 1)
        events.append(streams[at].pop(0))
    return [start(), *events, *ends()]


@given(messages())
def test_the_sdks_accumulator_comes_to_the_same_blocks(events: list[Payload]) -> None:
    """For blocks cut and interleaved in any way."""
    assert blocks(replay(events, dialect=MESSAGES)) == final_blocks(events)
