"""The Responses API: items that stream in turns, and servers that omit events."""

import base64
from typing import Any

import pytest

from streamtally import Accumulator, StreamRecord, replay
from tests.dialects.wire import Payload, envelope, event, facts, numbered, read, sse, stated

DIALECT = "openai.responses"
USAGE = {
    "input_tokens": 9,
    "input_tokens_details": {"cached_tokens": 6},
    "output_tokens": 4,
    "output_tokens_details": {"reasoning_tokens": 2},
    "total_tokens": 13,
}


def added(index: int | None, item_id: str | None, kind: str = "message", **fields: Any) -> Payload:
    """The event that opens an item."""
    return _item_event("added", index, item_id, kind, status="in_progress", **fields)


def done(index: int | None, item_id: str | None, kind: str = "message", **fields: Any) -> Payload:
    """The event that closes an item."""
    return _item_event("done", index, item_id, kind, **{"status": "completed", **fields})


def _item_event(stage: str, index: int | None, item_id: str | None, kind: str, **fields: Any) -> Payload:
    shapes: dict[str, Payload] = {"message": {"role": "assistant", "content": []}, "reasoning": {"summary": []}}
    item = {"id": item_id, "type": kind, **shapes.get(kind, {}), **fields}
    whole = {"output_index": index, "item": {name: value for name, value in item.items() if value is not None}}
    return event(f"output_item.{stage}", **{name: value for name, value in whole.items() if value is not None})


def at(index: int | None, item_id: str | None, kind: str, **fields: Any) -> Payload:
    """An event about one item."""
    place = {"output_index": index, "item_id": item_id}
    return event(kind, **{name: value for name, value in place.items() if value is not None}, **fields)


def words(index: int | None, item_id: str | None, *pieces: str, kind: str = "output_text", part: int = 0) -> list[Payload]:
    """Deltas of a text."""
    position = "summary_index" if kind == "reasoning_summary_text" else "content_index"
    return [at(index, item_id, f"{kind}.delta", delta=piece, **{position: part}) for piece in pieces]


def text(value: str, **fields: Any) -> Payload:
    """A part of a message."""
    return {"type": "output_text", "text": value, **fields}


def message(item_id: str, *parts: Payload, status: str | None = "completed") -> Payload:
    """A message as a final response has it."""
    return {
        "id": item_id,
        "type": "message",
        "role": "assistant",
        "content": list(parts),
        **({"status": status} if status else {}),
    }


def recorded(*events: Payload) -> StreamRecord:
    """The record of numbered events, read in every way."""
    return read(numbered(*events), DIALECT)


def test_a_plain_answer() -> None:
    """Envelope, item, part, deltas and their `done` events make one record without doubled content."""
    record = recorded(
        envelope("created", service_tier="auto", temperature=1.0),
        envelope("in_progress", service_tier="auto"),
        added(0, "msg"),
        at(0, "msg", "content_part.added", content_index=0, part=text("", annotations=[])),
        *words(0, "msg", "hel", "lo"),
        at(0, "msg", "output_text.done", content_index=0, text="hello"),
        at(0, "msg", "content_part.done", content_index=0, part=text("hello", annotations=[])),
        done(0, "msg", content=[text("hello", annotations=[])]),
        envelope("completed", service_tier="default", output=[message("msg", text("hello", annotations=[]))], usage=USAGE),
    )
    assert stated(record) == {
        "outcome": "completed",
        "choices": ({"role": "assistant", "text": "hello", "finish_reason": "stop", "finish_reason_raw": "completed"},),
        "output_items": (message("msg", text("hello", annotations=[])),),
        "usage": {"input_tokens": 9, "output_tokens": 4, "total_tokens": 13, "cache_read_tokens": 6, "reasoning_tokens": 2},
        "service_tier": "default",
        "extras": {"created_at": 1, "status": "completed", "temperature": 1.0},
    }


def test_items_in_turns() -> None:
    """Deltas go to the item that they name, not to the last one."""
    record = recorded(
        added(0, "rs", "reasoning"),
        added(1, "msg"),
        added(2, "fc", "function_call", call_id="call-1", name="f", arguments=""),
        at(2, "fc", "function_call_arguments.delta", delta='{"a"'),
        *words(1, "msg", "hel"),
        *words(0, "rs", "h", kind="reasoning_summary_text"),
        at(2, "fc", "function_call_arguments.delta", delta=": 1}"),
        *words(0, "rs", "m", kind="reasoning_summary_text"),
        *words(1, "msg", "lo"),
        envelope("completed"),
    )
    assert stated(record)["choices"] == (
        {
            "role": "assistant",
            "text": "hello",
            "reasoning": "hm",
            "tool_calls": (
                {"index": 0, "id": "call-1", "name": "f", "arguments": '{"a": 1}', "arguments_json": {"a": 1}, "complete": True},
            ),
            "finish_reason": "tool_calls",
            "finish_reason_raw": "completed",
        },
    )
    assert [item["type"] for item in record.output_items] == ["reasoning", "message", "function_call"]


def test_parallel_calls_by_item() -> None:
    """Arguments of parallel calls are kept apart, and their `done` text replaces the deltas."""
    record = recorded(
        added(0, "a", "function_call", call_id="c0", name="f", arguments=""),
        added(1, "b", "function_call", call_id="c1", name="g", arguments=""),
        at(1, "b", "function_call_arguments.delta", delta='{"b": '),
        at(0, "a", "function_call_arguments.delta", delta='{"a": '),
        at(1, "b", "function_call_arguments.done", arguments='{"b": 2}'),
        at(0, "a", "function_call_arguments.done", arguments='{"a": 1}'),
        envelope("completed"),
    )
    assert [(one.id, one.name, one.arguments_json, one.complete) for one in record.tool_calls] == [
        ("c0", "f", {"a": 1}, True),
        ("c1", "g", {"b": 2}, True),
    ]


def test_deltas_without_an_added_event() -> None:
    """An item without an `added` event is made by its first piece, which determines its type."""
    record = recorded(
        *words(0, "rs", "h", "m", kind="reasoning_text"),
        *words(1, "msg", "hello"),
        at(2, "fc", "function_call_arguments.delta", delta="{}"),
        at(3, "mcp", "mcp_call_arguments.delta", delta="{}"),
        at(4, "ci", "code_interpreter_call_code.delta", delta="1+1"),
        at(5, "ct", "custom_tool_call_input.delta", delta="x"),
        at(6, "ws", "web_search_call.searching"),
        envelope("completed"),
    )
    assert record.output_items == (
        {"id": "rs", "type": "reasoning", "content": [{"type": "reasoning_text", "text": "hm"}]},
        {"id": "msg", "type": "message", "content": [text("hello")]},
        {"id": "fc", "type": "function_call", "arguments": "{}"},
        {"id": "mcp", "type": "mcp_call", "arguments": "{}"},
        {"id": "ci", "type": "code_interpreter_call", "code": "1+1"},
        {"id": "ct", "type": "custom_tool_call", "input": "x"},
        {"id": "ws", "type": "web_search_call", "status": "searching"},
    )
    assert (record.text, record.reasoning, [one.type for one in record.tool_calls]) == ("hello", "hm", ["function", "custom"])


def test_done_events_only() -> None:
    """The `done` events of a server without deltas have all content."""
    record = recorded(
        added(0, "rs", "reasoning"),
        at(0, "rs", "reasoning_summary_text.done", summary_index=0, text="hm"),
        added(1, "msg"),
        at(1, "msg", "output_text.done", content_index=0, text="hello"),
        at(1, "msg", "refusal.done", content_index=1, refusal="no"),
        added(2, "fc", "function_call", call_id="c0", name="f", arguments=""),
        at(2, "fc", "function_call_arguments.done", arguments='{"a": 1}', name="f"),
        added(3, "ct", "custom_tool_call", call_id="c1", name="g", input=""),
        at(3, "ct", "custom_tool_call_input.done", input="x"),
        envelope("completed"),
    )
    assert (record.text, record.reasoning, record.refusal) == ("hello", "hm", "no")
    assert [(one.name, one.arguments, one.complete) for one in record.tool_calls] == [("f", '{"a": 1}', True), ("g", "x", True)]


@pytest.mark.parametrize("output", [[], None])
def test_a_final_response_without_its_output(output: list[Payload] | None) -> None:
    """If the final response lists no items, the closed ones count, in order of index."""
    record = recorded(
        added(1, "msg"),
        done(1, "msg", content=[text("hello")]),
        done(0, "fc", "function_call", call_id="c0", name="f", arguments="{}"),
        envelope("completed", output=output),
    )
    assert [item["id"] for item in record.output_items] == ["fc", "msg"]
    assert (record.text, record.tool_calls[0].name, record.finish_reason) == ("hello", "f", "tool_calls")


def test_a_final_response_alone() -> None:
    """The record has all of the final response if nothing was streamed."""
    record = recorded(envelope("completed", output=[message("msg", text("hello"))], usage=USAGE))
    assert (record.text, record.outcome, record.usage and record.usage.total_tokens) == ("hello", "completed", 13)


def test_ids_that_differ_in_every_event() -> None:
    """If each event has another item ID, items are distinguished by output index."""
    record = recorded(
        added(0, "x1", "reasoning"),
        *words(0, "x2", "hm", kind="reasoning_summary_text"),
        done(0, "x3", "reasoning", summary=[{"type": "summary_text", "text": "hm"}]),
        added(1, "x4"),
        *words(1, "x5", "hel"),
        *words(1, "x6", "lo"),
        at(1, "x7", "output_text.done", content_index=0, text="hello"),
        done(1, "x8", content=[text("hello")]),
        added(2, "x9", "function_call", call_id="c0", name="f", arguments=""),
        at(2, "x10", "function_call_arguments.delta", delta="{}"),
        done(2, "x11", "function_call", call_id="c0", name="f", arguments="{}"),
        envelope("completed", output=[
            {"id": "x12", "type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]},
            message("x13", text("hello")),
            {"id": "x14", "type": "function_call", "call_id": "c0", "name": "f", "arguments": "{}", "status": "completed"},
        ]),
    )  # fmt: skip
    assert (record.text, record.reasoning, len(record.output_items)) == ("hello", "hm", 3)
    assert [(one.id, one.arguments) for one in record.tool_calls] == [("c0", "{}")]


def test_events_without_index_or_without_id() -> None:
    """Either is enough; a piece with neither belongs to the last item."""
    by_id = recorded(added(None, "a"), added(None, "b"), *words(None, "a", "A"), *words(None, "b", "B"), envelope("completed"))
    by_index = recorded(added(0, None), added(1, None), *words(0, None, "A"), *words(1, None, "B"), envelope("completed"))
    neither = recorded(added(None, None), *words(None, None, "A", "B"), envelope("completed"))
    assert (by_id.text, by_index.text, neither.text) == ("AB", "AB", "AB")
    assert [len(record.output_items) for record in (by_id, by_index, neither)] == [2, 2, 1]


def test_several_summary_parts() -> None:
    """Each part of a summary stays a part of its own."""
    record = recorded(
        added(0, "rs", "reasoning"),
        at(0, "rs", "reasoning_summary_part.added", summary_index=0, part={"type": "summary_text", "text": ""}),
        *words(0, "rs", "on", "e", kind="reasoning_summary_text", part=0),
        at(0, "rs", "reasoning_summary_part.done", summary_index=0, part={"type": "summary_text", "text": "one"}),
        at(0, "rs", "reasoning_summary_part.added", summary_index=1, part={"type": "summary_text", "text": ""}),
        *words(0, "rs", "two", kind="reasoning_summary_text", part=1),
        envelope("completed"),
    )
    (item,) = record.output_items
    assert item["summary"] == [{"type": "summary_text", "text": "one"}, {"type": "summary_text", "text": "two"}]
    assert record.reasoning == "onetwo"


def test_several_content_parts_in_turns() -> None:
    """Text parts and a refusal of one message are kept apart by their index."""
    record = recorded(
        added(0, "msg"),
        *words(0, "msg", "a", part=0),
        *words(0, "msg", "b", part=1),
        at(0, "msg", "refusal.delta", content_index=2, delta="n"),
        *words(0, "msg", "A", part=0),
        at(0, "msg", "refusal.delta", content_index=2, refusal="o"),
        *words(0, "msg", "B", part=1),
        envelope("completed"),
    )
    (item,) = record.output_items
    assert item["content"] == [text("aA"), text("bB"), {"type": "refusal", "refusal": "no"}]
    assert (record.text, record.refusal) == ("aAbB", "no")


def _note(url: str) -> Payload:
    return {"type": "url_citation", "url": url, "title": "t", "start_index": 0, "end_index": 1}


@pytest.mark.parametrize("item_id", ["msg", None])
@pytest.mark.parametrize("closed", [True, False])
def test_annotations(item_id: str | None, closed: bool) -> None:
    """Annotations with and without an item ID are collected once, also if the item repeats them."""
    notes = [_note("https://a.test"), _note("https://b.test")]
    events = [
        added(0, "msg"),
        *words(0, "msg", "hello"),
        *(
            at(0, item_id, "output_text.annotation.added", content_index=0, annotation_index=n, annotation=note)
            for n, note in enumerate(notes)
        ),
    ]
    if closed:
        events.append(done(0, "msg", content=[text("hello", annotations=notes)]))
    record = recorded(*events, envelope("completed"))
    assert record.choices[0].annotations == tuple(notes)
    assert record.text == "hello"


def test_logprobs() -> None:
    """Log probabilities of the deltas are collected, and those of the closed item are not added."""
    first: Payload = {"token": "hel", "logprob": -0.5, "top_logprobs": []}
    second: Payload = {"token": "lo", "logprob": -0.5, "top_logprobs": []}
    deltas = [
        at(0, "msg", "output_text.delta", content_index=0, delta="hel", logprobs=[first]),
        at(0, "msg", "output_text.delta", content_index=0, delta="lo", logprobs=[second]),
    ]
    whole = at(0, "msg", "output_text.done", content_index=0, text="hello", logprobs=[first, second])
    for end in ([], [whole], [whole, done(0, "msg", content=[text("hello", logprobs=[first, second])])]):
        assert recorded(added(0, "msg"), *deltas, *end, envelope("completed")).choices[0].logprobs == {"content": [first, second]}


CALLS: dict[str, tuple[list[Payload], Payload]] = {
    "web search": (
        [
            added(0, "i", "web_search_call"),
            *(at(0, "i", f"web_search_call.{stage}") for stage in ("in_progress", "searching", "completed")),
        ],
        {"id": "i", "type": "web_search_call", "status": "completed"},
    ),
    "file search": (
        [added(0, "i", "file_search_call", queries=["q"]), at(0, "i", "file_search_call.searching")],
        {"id": "i", "type": "file_search_call", "queries": ["q"], "status": "searching"},
    ),
    "code interpreter": (
        [
            added(0, "i", "code_interpreter_call", code="", container_id="c"),
            at(0, "i", "code_interpreter_call_code.delta", delta="1"),
            at(0, "i", "code_interpreter_call_code.delta", delta="+1"),
            at(0, "i", "code_interpreter_call_code.done", code="1+1"),
            at(0, "i", "code_interpreter_call.interpreting"),
            at(0, "i", "code_interpreter_call.completed"),
        ],
        {"id": "i", "type": "code_interpreter_call", "container_id": "c", "code": "1+1", "status": "completed"},
    ),
    "MCP call": (
        [
            added(0, "i", "mcp_call", name="f", server_label="s", arguments=""),
            at(0, "i", "mcp_call_arguments.delta", delta='{"a"'),
            at(0, "i", "mcp_call.arguments.delta", delta=": 1}"),
            at(0, "i", "mcp_call_arguments.done", arguments='{"a": 1}'),
            at(0, "i", "mcp_call.failed"),
        ],
        {"id": "i", "type": "mcp_call", "name": "f", "server_label": "s", "arguments": '{"a": 1}', "status": "failed"},
    ),
    "MCP call by its other name": (
        [
            added(0, "i", "mcp_call", name="f", arguments=""),
            at(0, "i", "mcp_call.arguments.delta", delta='{"a"'),
            at(0, "i", "mcp_call.arguments.delta", delta=": 1}"),
        ],
        {"id": "i", "type": "mcp_call", "name": "f", "arguments": '{"a": 1}', "status": "in_progress"},
    ),
    "MCP list": (
        [added(0, "i", "mcp_list_tools", server_label="s", tools=[]), at(0, "i", "mcp_list_tools.completed")],
        {"id": "i", "type": "mcp_list_tools", "server_label": "s", "tools": [], "status": "completed"},
    ),
    "custom tool": (
        [
            added(0, "i", "custom_tool_call", call_id="c", name="f", input=""),
            at(0, "i", "custom_tool_call_input.delta", delta="SELECT "),
            at(0, "i", "custom_tool_call_input.delta", delta="1"),
        ],
        {"id": "i", "type": "custom_tool_call", "call_id": "c", "name": "f", "input": "SELECT 1", "status": "in_progress"},
    ),
    "shell": (
        [
            added(0, "i", "shell_call", call_id="c", action={"commands": [], "timeout_ms": 5}),
            at(0, None, "shell_call_command.added", command_index=0, command=""),
            at(0, None, "shell_call_command.delta", command_index=0, delta="ls"),
            at(0, None, "shell_call_command.added", command_index=1, command=""),
            at(0, None, "shell_call_command.delta", command_index=1, delta="pw"),
            at(0, None, "shell_call_command.delta", command_index=0, delta=" -l"),
            at(0, None, "shell_call_command.done", command_index=1, command="pwd"),
        ],
        {"id": "i", "type": "shell_call", "call_id": "c", "action": {"commands": ["ls -l", "pwd"], "timeout_ms": 5},
         "status": "in_progress"},
    ),
    "shell, never opened": (
        [at(0, None, "shell_call_command.delta", command_index=0, delta="ls")],
        {"type": "shell_call", "action": {"commands": ["ls"]}},
    ),
    "shell output": (
        [
            added(0, "i", "shell_call_output", call_id="c", output=[]),
            at(0, "i", "shell_call_output_content.delta", command_index=0, delta={"stdout": "a"}),
            at(0, "i", "shell_call_output_content.delta", command_index=1, delta={"stderr": "no"}),
            at(0, "i", "shell_call_output_content.delta", command_index=0, delta={"stdout": "b"}),
            at(0, "i", "shell_call_output_content.done", command_index=0, output=[
                {"stdout": "a", "stderr": "", "outcome": {"type": "timeout"}},
                {"stdout": "b", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}},
            ]),
        ],
        {"id": "i", "type": "shell_call_output", "call_id": "c", "status": "in_progress", "output": [
            {"stdout": "ab", "outcome": {"type": "exit", "exit_code": 0}}, {"stderr": "no"},
        ]},
    ),
    "compaction": (
        [added(0, "i", "compaction", encrypted_content=""), at(0, "i", "compaction.compacting")],
        {"id": "i", "type": "compaction", "encrypted_content": "", "status": "compacting"},
    ),
    "of an unknown kind": (
        [added(0, "i", "teleport_call", target="Mars"), at(0, "i", "teleport_call.beaming")],
        {"id": "i", "type": "teleport_call", "target": "Mars", "status": "beaming"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", CALLS)
def test_items_that_were_never_closed(kind: str) -> None:
    """Every family of events builds its item, whose status is the last one."""
    events, expected = CALLS[kind]
    assert recorded(*events, envelope("completed")).output_items == (expected,)


@pytest.mark.parametrize("kind", CALLS)
def test_the_closed_item_replaces_streamed_fields(kind: str) -> None:
    """Fields of `output_item.done` replace streamed ones; fields that it lacks are kept."""
    events, expected = CALLS[kind]
    closed = {**expected, "id": "i", "status": "completed", "more": [1]}
    last = event("output_item.done", output_index=0, item=closed)
    assert recorded(*events, last, envelope("completed")).output_items == (closed,)
    bare = event("output_item.done", output_index=0, item={"id": "i", "type": expected["type"], "status": "completed"})
    (item,) = recorded(*events, bare, envelope("completed")).output_items
    assert item == {**expected, "id": "i", "status": "completed"}


def test_generated_images() -> None:
    """Previews are replaced by the result of the item, with its prompt and format."""
    previews, result = [b"one", b"two"], b"the whole"
    codes = [base64.b64encode(data).decode() for data in (*previews, result)]
    events = [
        added(1, "ig", "image_generation_call"),
        at(1, "ig", "image_generation_call.in_progress"),
        at(1, "ig", "image_generation_call.generating"),
        *(
            at(
                1,
                "ig",
                "image_generation_call.partial_image",
                partial_image_index=n,
                partial_image_b64=code,
                output_format="png",
                size="s",
            )
            for n, code in enumerate(codes[:2])
        ),
    ]
    (image,) = recorded(*events, envelope("completed")).images
    assert (image.data, image.partials, image.complete, image.mime_type, image.extras) == (
        b"two",
        2,
        False,
        "image/png",
        {"size": "s"},
    )
    last = done(1, "ig", "image_generation_call", result=codes[2], revised_prompt="a cat", output_format="webp")
    (image,) = recorded(*events, last, envelope("completed")).images
    assert (image.data, image.partials, image.complete, image.mime_type) == (b"the whole", 2, True, "image/webp")
    assert image.revised_prompt == "a cat"


def test_audio() -> None:
    """Audio and its transcript are joined from the deltas; their `done` events add nothing."""
    code = base64.b64encode(b"sound").decode()
    record = recorded(
        event("audio.delta", delta=code[:3]),
        event("audio.transcript.delta", delta="hel"),
        event("audio.delta", delta=code[3:]),
        event("audio.transcript.delta", delta="lo"),
        event("audio.done"),
        event("audio.transcript.done"),
        envelope("completed"),
    )
    assert stated(record)["audio"] == {"data": b"sound", "size": 5, "transcript": "hello"}
    assert "response.audio.done" not in record.extras


@pytest.mark.parametrize(
    ("reason", "finish"),
    [("max_output_tokens", "length"), ("content_filter", "content_filter"), (None, "length")],
)
def test_incomplete(reason: str | None, finish: str) -> None:
    """An incomplete response is a finished answer with its reason."""
    details = {"reason": reason} if reason else None
    record = recorded(added(0, "msg"), *words(0, "msg", "hel"), envelope("incomplete", incomplete_details=details, usage=USAGE))
    assert (record.outcome, record.finish_reason, record.choices[0].finish_reason_raw) == (
        "completed",
        finish,
        reason or "incomplete",
    )
    assert record.extras["status"] == "incomplete"
    assert record.extras.get("incomplete_details") == details
    assert record.usage is not None
    assert (record.usage.output_tokens, record.usage.partial) == (4, False)


def test_a_stream_without_its_last_event() -> None:
    """The content is kept, the answer is truncated, and usage is None."""
    record = recorded(envelope("created"), added(0, "msg"), *words(0, "msg", "hel"))
    assert (record.outcome, record.text, record.usage, record.finish_reason) == ("truncated", "hel", None, None)


ANSWER = [envelope("created"), added(0, "msg"), *words(0, "msg", "ha", "ha", "ha"), envelope("completed", usage=USAGE)]


@pytest.mark.parametrize(
    "numbers",
    [
        pytest.param(None, id="absent"),
        pytest.param([0, 0, 0, 0, 0, 0], id="all zero"),
        pytest.param([0, 1, 2, 2, 2, 3], id="repeated"),
        pytest.param([0, 1, 2, 3, 4, 1], id="back at the end"),
        pytest.param([5, 6, 7, 8, 9, 10], id="from 5"),
        pytest.param([0, 1, 3, 5, 7, 9], id="with gaps"),
        pytest.param(["a", None, -1, 3, 4, 5], id="no numbers"),
    ],
)
def test_sequence_numbers(numbers: list[Any] | None) -> None:
    """A source that is read in order needs no numbers: equal text is no duplicate, and bad numbers do not matter."""
    events = ANSWER if numbers is None else [{**each, "sequence_number": n} for each, n in zip(ANSWER, numbers, strict=True)]
    for record in (replay(events), replay(sse(events, named=True))):
        assert (record.outcome, record.usage and record.usage.total_tokens) == ("completed", 13)
        expected = "ha" if numbers == [0, 1, 2, 2, 2, 3] else "hahaha"
        assert record.text == expected


def test_an_event_that_comes_twice() -> None:
    """An exact repeat with the same number is counted as a duplicate, and changes nothing."""
    events = numbered(*ANSWER)
    twice = replay([each for each in events for _ in range(2)])
    assert facts(twice) == facts(replay(events))
    assert twice.duplicates == len(events)


def test_the_numbers_give_the_order() -> None:
    """Without an index of the caller, the protocol's numbers order the events, and its last event ends the stream."""
    accumulator = Accumulator()
    records = [accumulator.add("r", each) for each in numbered(*ANSWER)[::-1]]
    assert [record is not None for record in records] == [False] * (len(ANSWER) - 1) + [True]
    assert records[-1] is not None
    assert (records[-1].text, records[-1].ordering, records[-1].outcome) == ("hahaha", "sequence", "completed")


def test_unknown_events_are_kept() -> None:
    """An unknown event with any ending of its name is kept in the record, of deltas all, and changes nothing else."""
    strange: list[Payload] = [
        event("teleport.delta", delta="x"),
        event("teleport.done", target="Mars"),
        {"type": "keepalive", "at": 5},
        event("content_part.added", part=None, content_index=0),
    ]
    record = recorded(*ANSWER[:3], strange[0], *strange, *ANSWER[3:])
    assert record.text == "hahaha"
    kept = {each["type"]: [each] for each in strange}
    assert record.extras["events"] == {**kept, "response.teleport.delta": [strange[0]] * 2}


def test_cost_in_ticks() -> None:
    """xAI reports the cost of a response in its usage."""
    record = recorded(envelope("completed", usage={**USAGE, "cost_in_usd_ticks": 123_456, "num_sources_used": 0}))
    assert record.usage is not None
    assert str(record.usage.cost_usd) == "0.0000123456"
