"""LangChain's messages and events, as mappings; the objects are in `tests/sources/test_langchain_core.py`."""

from collections.abc import Sequence
from typing import Any

import pytest

from streamtally import Chunk, StreamRecord, Tally, replay
from streamtally.dialects import langchain
from streamtally.dialects.langgraph import event_in, is_item


def message(content: Any = "", **fields: Any) -> dict[str, Any]:
    """An `AIMessageChunk`, as its JSON is."""
    return {
        "type": "AIMessageChunk",
        "id": "lc_run--1",
        "content": content,
        "response_metadata": {},
        "additional_kwargs": {},
        **fields,
    }


def ends(word: str = "stop", **metadata: Any) -> dict[str, Any]:
    """The chunk with the finish reason."""
    return message(response_metadata={"finish_reason": word, "model_name": "m-1", **metadata})


def counts(inputs: int, outputs: int, **details: dict[str, int]) -> dict[str, Any]:
    """A usage report."""
    return {"input_tokens": inputs, "output_tokens": outputs, "total_tokens": inputs + outputs, **details}


def event(kind: str, run: str = "run-1", **data: Any) -> dict[str, Any]:
    """An event of `astream_events`."""
    metadata = {"ls_provider": "amazon_bedrock", "ls_model_name": "m-1"}
    return {"event": kind, "run_id": run, "name": "Chat", "data": data, "metadata": metadata, "parent_ids": [], "tags": []}


def read(*payloads: Any) -> StreamRecord:
    """The record of payloads of which the dialect is told."""
    record = replay(payloads)
    assert record.dialect == "langchain"
    return record


def test_text_and_the_end() -> None:
    """Texts are pieces, also if they grow; what metadata states of the answer is in the record."""
    record = read(message("a"), message("ab"), message("abc"), ends(model_provider="mistralai", service_tier="flex"))
    assert (record.text, record.finish_reason, record.model) == ("aababc", "stop", "m-1")
    assert (record.provider, record.service_tier, record.response_id) == ("mistral", "flex", None)


@pytest.mark.parametrize(
    "block",
    [
        {"type": "thinking", "thinking": "rain", "index": 0},
        {"type": "reasoning", "reasoning": "rain"},
        {
            "type": "reasoning",
            "id": "rs",
            "summary": [{"type": "summary_text", "text": "ra"}, {"type": "summary_text", "text": "in"}],
        },
        {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "rain"}]},
        {"type": "reasoning_content", "reasoning_content": {"text": "rain", "signature": "s"}},
    ],
)
def test_reasoning(block: dict[str, Any]) -> None:
    """Each integration has its own form of it."""
    record = read(message([block]), message([{"type": "text", "text": "coat", "index": 1}, "s"]))
    assert (record.reasoning, record.text) == ("rain", "coats")


def test_what_stands_beside_the_content() -> None:
    """Reasoning, refusal and sound lie in the additional arguments of a message."""
    record = read(
        message(additional_kwargs={"reasoning_content": "rain"}),
        message(additional_kwargs={"refusal": "no"}),
        message(additional_kwargs={"audio": {"id": "au", "data": "AAAA", "transcript": "hm"}}),
        message(additional_kwargs={"reasoning_details": [{"type": "reasoning.text", "text": "rain", "index": 0}], "seed": 7}),
    )
    assert (record.reasoning, record.refusal, record.extras) == ("rain", "no", {"additional_kwargs": {"seed": 7}})
    assert record.audio is not None
    assert (record.audio.size, record.audio.transcript) == (3, "hm")
    assert record.choices[0].reasoning_details


def test_notes_and_media() -> None:
    """Citations, images and sound in blocks; a block of a tool that the provider runs is kept as it is."""
    note, search = {"type": "char_location", "cited_text": "x"}, {"type": "server_tool_use", "id": "s1", "name": "web_search"}
    record = read(
        message([{"type": "text", "text": "a", "citations": [note]}]),
        message([{"type": "image", "base64": "AAAA", "mime_type": "image/png"}]),
        message([{"type": "image_url", "image_url": {"url": "data:image/webp;base64,BBBB"}}]),
        message([{"type": "image_url", "image_url": "https://x.test/i.png"}]),
        message([{"type": "audio", "base64": "AAAA", "mime_type": "audio/wav"}, search]),
    )
    assert record.choices[0].annotations == (note,)
    assert [(image.mime_type, image.url) for image in record.images] == [
        ("image/png", None), ("image/webp", None), (None, "https://x.test/i.png")
    ]  # fmt: skip
    assert record.audio is not None
    assert (record.audio.size, record.audio.mime_type) == (3, "audio/wav")
    assert record.extras == {"content_blocks": {"server_tool_use": search}}


def piece(**fields: Any) -> dict[str, Any]:
    """A piece of a tool call."""
    return {"type": "tool_call_chunk", "name": None, "args": None, "id": None, "index": None, **fields}


def test_calls_in_pieces() -> None:
    """They are read from `tool_call_chunks`, and not once more from the blocks, or from what LangChain parsed of a piece."""
    block = {"type": "tool_use", "id": "c1", "name": "find", "input": {}, "index": 1}
    record = read(
        message(
            [block], tool_call_chunks=[piece(name="find", args="", id="c1", index=1)], tool_calls=[{"name": "find", "args": {}}]
        ),
        message(tool_call_chunks=[piece(args='{"a":', index=1)], invalid_tool_calls=[{"args": '{"a":'}]),
        message(tool_call_chunks=[piece(args="1}", index=1), piece(name="look", args="{}", id="c2", index=2)]),
    )
    assert [(call.name, call.arguments, call.id) for call in record.tool_calls] == [
        ("find", '{"a":1}', "c1"),
        ("look", "{}", "c2"),
    ]


def test_reports_are_added() -> None:
    """As LangChain adds chunks; the counts of a lifetime or a service tier are parts of what they count."""
    details = {"cache_read": 3, "cache_creation": 0, "ephemeral_1h_input_tokens": 4, "ephemeral_5m_input_tokens": 1}
    record = read(
        message("a", usage_metadata=counts(10, 0, input_token_details=details)),
        message(
            usage_metadata=counts(
                2, 5, input_token_details={"priority_cache_read": 1}, output_token_details={"flex_reasoning": 2}
            )
        ),
    )
    assert record.usage is not None
    assert record.usage.model_dump(include={"input_tokens", "output_tokens", "total_tokens", "reasoning_tokens"}) == {
        "input_tokens": 12, "output_tokens": 5, "total_tokens": 17, "reasoning_tokens": 2
    }  # fmt: skip
    assert (record.usage.cache_read_tokens, record.usage.cache_write_tokens, record.usage.cache_write_1h_tokens) == (4, 5, 4)


def test_input_that_was_not_counted() -> None:
    """An integration that does not know the input says 0, and a total without it."""
    record = read(message("a"), message(usage_metadata=counts(0, 9)))
    assert record.usage is not None
    assert (record.usage.input_tokens, record.usage.output_tokens, record.usage.total_tokens) == (None, 9, None)


def test_a_stated_cost() -> None:
    """OpenRouter states it beside the usage."""
    record = read(message(usage_metadata=counts(1, 2), response_metadata={"model_provider": "openrouter", "cost": 0.25}))
    assert record.provider == "openrouter"
    assert (record.usage and record.usage.cost_usd, record.cost.usd) == (record.cost.usd, record.cost.usd)
    assert str(record.cost.usd) == "0.25"


@pytest.mark.parametrize(
    ("metadata", "finish"),
    [
        ({"stop_reason": "max_tokens"}, "length"),
        ({"finish_reason": "SAFETY"}, "content_filter"),
        ({"stopReason": "tool_use"}, "tool_calls"),
        ({"done_reason": "stop"}, "stop"),
        ({"object": "response", "status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}, "length"),
        ({"object": "response", "status": "completed"}, "stop"),
        ({"status": "completed"}, None),
    ],
)
def test_finish_reasons(metadata: dict[str, Any], finish: str | None) -> None:
    """The words are the provider's, under its own name."""
    assert read(message("a"), message(response_metadata=metadata)).finish_reason == finish


def test_a_response_with_an_id_of_the_provider() -> None:
    """OpenAI's Responses state it in the first chunk alone, which begins the next answer after an end."""
    created = {"id": "resp_1", "response_metadata": {"id": "resp_1"}}
    again = {"id": "resp_2", "response_metadata": {"id": "resp_2"}}
    record = read(
        message([], **created),
        message("a"),
        ends(),
        message([], **again),
        message("b", id="lc_run--2"),
        {**ends(), "id": "lc_run--2"},
    )
    assert (record.text, [part.response_id for part in record.parts]) == ("ab", ["resp_1", "resp_2"])


def run(name: str, *chunks: dict[str, Any], output: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """The events of one call of a model."""
    pieces = [event("on_chat_model_stream", name, chunk=chunk) for chunk in chunks]
    return [event("on_chat_model_start", name, input={}), *pieces, event("on_chat_model_end", name, output=output)]


FIRST = run("r1", message("a"), ends(), message(usage_metadata=counts(1, 2)), output=message("a", usage_metadata=counts(1, 2)))
SECOND = run(
    "r2", message("b"), message("c"), message(usage_metadata=counts(5, 6)), output=message("bc", usage_metadata=counts(5, 6))
)
CALLED = run(
    "r3", output={"type": "ai", "content": "d", "usage_metadata": counts(7, 8), "tool_calls": [{"name": "f", "args": {}}]}
)
OTHERS = [
    event("on_chain_start", "c", input={"x": "a"}),
    event("on_chain_stream", "c", chunk=message("a")),
    event("on_parser_stream", "p", chunk="a"),
    event("on_tool_end", "t", output={"content": "rain", "tool_call_id": "c1"}),
    event("on_chain_end", "c", output=message("a")),
]


@pytest.mark.parametrize(
    "events",
    [
        [*FIRST, *SECOND, *CALLED],
        [*OTHERS, *FIRST, *OTHERS, *SECOND, *CALLED, *OTHERS],
        [*FIRST[:2], *SECOND[:3], *FIRST[2:], *CALLED, *SECOND[3:]],
    ],
)
def test_events_of_several_runs(events: list[dict[str, Any]]) -> None:
    """Each call of a model is a part, also if they take turns; what other events repeat is not counted again."""
    record = read(*events)
    assert (record.text, record.provider, record.model, len(record.parts)) == ("abcd", "aws", "m-1", 3)
    assert [call.name for call in record.tool_calls] == ["f"]
    assert record.usage is not None
    assert (record.usage.input_tokens, record.usage.output_tokens) == (13, 16)
    assert record.extras == {}


def test_events_of_a_model_of_texts() -> None:
    """Its chunks are generations, and its output is a list of lists of them."""
    output = {
        "generations": [[{"text": "ab", "generation_info": {"finish_reason": "length"}}]],
        "llm_output": {"model_name": "m-2"},
    }
    chunks = [event("on_llm_stream", chunk={"text": text, "generation_info": None}) for text in "ab"]
    record = read(event("on_llm_start", input="x"), *chunks, event("on_llm_end", output=output))
    assert (record.text, record.model) == ("ab", "m-2")


@pytest.mark.parametrize("kind", ["tool", "human", "system", "ToolMessageChunk"])
def test_what_no_model_wrote(kind: str) -> None:
    """Messages of users and tools are no answers."""
    assert langchain.chunk({"type": kind, "content": "rain", "id": "x"}) == Chunk()


@pytest.mark.parametrize(
    "payload",
    [
        {"type": "AIMessageChunk"},
        {"type": "ai", "content": "x"},
        {"event": "on_chat_model_stream", "data": {}},
        {"event": "message", "run_id": "1", "data": {}, "name": "x"},
        {"event": None, "run_id": "1", "data": {}, "name": "x"},
    ],
)
def test_what_is_not_recognised(payload: dict[str, Any]) -> None:
    """Values decide, and not the name of a field."""
    assert not langchain.DIALECT.recognises(payload)


ODD: Sequence[dict[str, Any]] = [
    message(None),
    message(7),
    message([None, 3, [], {}, {"type": "thinking"}, {"type": "image_url"}, {"type": "image"}]),
    message("a", tool_call_chunks=[None, 3, {}]),
    message("a", tool_calls=[{}], invalid_tool_calls=None),
    message("a", usage_metadata={"input_tokens": "x", "input_token_details": 3}),
    message("a", response_metadata=[], additional_kwargs=3),
    message("a", id=7),
    event("on_chat_model_stream"),
    event("on_chat_model_end", output={"generations": []}),
    event("on_chat_model_stream", chunk=3),
    event("on_chat_model_end", output=[]),
    event("on_x") | {"data": None, "metadata": 1},
]


@pytest.mark.parametrize("payload", ODD)
def test_odd_payloads_lose_nothing_else(payload: dict[str, Any]) -> None:
    """What has another form than it should is left out, and the stream goes on."""
    record = read(message("b"), payload, message("c"), ends())
    assert record.text.replace("a", "") == "bc"
    assert record.error is None
    assert "stop" in {record.finish_reason, *(part.finish_reason for part in record.parts)}


class Written:
    """A message with a type, as LangGraph's tuples hold it."""

    def __init__(self, kind: str, content: str) -> None:
        self.type, self.content = kind, content
        self.id = "lc_run--1"


META = {"langgraph_node": "agent", "langgraph_step": 1, "ls_provider": "groq"}
PAIR, TOOL = (Written("AIMessageChunk", "a"), META), (Written("tool", "rain"), META)


@pytest.mark.parametrize(
    "wrapped",
    [
        lambda pair: pair,
        lambda pair: ("messages", pair),
        lambda pair: (("sub:1",), pair),
        lambda pair: ((), "messages", pair),
        lambda pair: {"type": "messages", "ns": (), "data": pair},
    ],
)
def test_items_of_langgraph(wrapped: Any) -> None:
    """The messages of models are read, whatever is around them; keyed streams read them as well."""
    items = [wrapped(PAIR), wrapped(TOOL), wrapped(PAIR)]
    record = read(*items)
    assert (record.text, record.provider) == ("aa", "groq")
    tally = Tally()
    for index in (2, 0, 1):
        tally.add("r", items[index], index=index)
    assert tally.finish("r").text == "aa"


@pytest.mark.parametrize(
    "item", [("updates", {"agent": {}}), ((), "values", {}), ("custom", "x"), {"type": "values", "ns": (), "data": 1}]
)
def test_items_of_other_modes(item: Any) -> None:
    """States and updates of the graph repeat what messages said."""
    assert is_item(item)
    assert event_in(item) is None
    assert read(item, ("messages", PAIR)).text == "a"


@pytest.mark.parametrize(
    "item",
    [(), ("messages",), ("a", "b"), ("hello", {}), ("updates", "values", 1, 2), (1, META, 2), [*PAIR], {"type": "messages"}],
)
def test_what_is_no_item_of_langgraph(item: Any) -> None:
    """Tuples of other contents are read as before."""
    assert not is_item(item)
