"""Items of frameworks, as small classes of ours under the names of theirs. `make far` reads the real ones."""

from enum import Enum
from types import SimpleNamespace as Plain
from typing import Any

import pytest
from openai.types.chat import ChatCompletionChunk

from streamtally import Outcome, StreamRecord

from .shapes import counts, made, read

USED = {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17, "prompt_tokens_details": {"cached_tokens": 4}}
COUNTS = {"input_tokens": 12, "output_tokens": 5, "total_tokens": 17, "cache_read_tokens": 4}


def chat(*choices: tuple[int, dict[str, Any], str | None], usage: dict[str, Any] | None = None) -> ChatCompletionChunk:
    """A chunk of openai's: index, delta and finish reason of each choice."""
    found = [{"index": index, "delta": delta, "finish_reason": finish} for index, delta, finish in choices]
    head = {"id": "c-1", "object": "chat.completion.chunk", "created": 1, "model": "m-1"}
    return ChatCompletionChunk.model_validate({**head, "choices": found, "usage": usage})


def names(record: StreamRecord) -> list[tuple[str | None, Any]]:
    """Name and arguments of each call."""
    return [(call.name, call.arguments_json) for call in record.tool_calls]


# LlamaIndex

_LLAMA = "llama_index.core.base.llms.types"


def response(delta: str | None, raw: Any = None, *, blocks: Any = (), so_far: str = "", **beside: Any) -> Any:
    """A `ChatResponse`."""
    message = Plain(content=so_far, blocks=list(blocks), additional_kwargs=beside)
    return made(f"{_LLAMA}.ChatResponse", message=message, delta=delta, raw=raw, additional_kwargs={})


def test_llama_index_with_the_provider_s_objects() -> None:
    """They are read in place of the response, which repeats them."""
    chunks = [chat((0, {"content": "a"}, None)), chat((0, {"content": "b"}, "stop")), chat(usage=USED)]
    record = read([response(None if one.usage else "x", one, so_far="ab") for one in chunks])
    assert (record.text, record.dialect, record.finish_reason, counts(record)) == ("ab", "openai.chat", "stop", COUNTS)


def test_llama_index_with_mappings() -> None:
    """They give what the response does not have: here the model, the finish reason and the usage of Bedrock's events."""
    events = [
        {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "a"}}},
        {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "b"}}},
        {"messageStop": {"stopReason": "max_tokens"}},
        {"metadata": {"usage": {"inputTokens": 3, "outputTokens": 2, "totalTokens": 5, "cacheReadInputTokens": 4}}},
    ]
    record = read([response(delta, event) for delta, event in zip(("a", "b", "", ""), events, strict=True)])
    assert (record.text, record.finish_reason, record.provider) == ("ab", "length", "aws")
    assert counts(record) == {"input_tokens": 7, "output_tokens": 2, "total_tokens": 5, "cache_read_tokens": 4}


def test_llama_index_by_its_own_fields() -> None:
    """Reasoning, calls so far, counts and the finish reason beside the message."""
    call = Plain(tool_call_id="c1", tool_name="f", tool_kwargs='{"a":')
    whole = Plain(tool_call_id="c1", tool_name="f", tool_kwargs={"a": 1})
    old = {"function": {"name": "g", "arguments": "{}"}, "id": "c2"}
    record = read(
        [
            response("", thinking_delta="hm"),
            response("a", Plain(other=1)),
            response("", blocks=[Plain(text="a"), call]),
            response("", {"model": "m-1"}, blocks=[whole], stop_reason="tool_use", usage={"input_tokens": 3, "output_tokens": 2}),
        ]
    )
    assert (record.text, record.reasoning, names(record)) == ("a", "hm", [("f", {"a": 1})])
    assert (record.finish_reason, record.model, counts(record)) == ("tool_calls", "m-1", {"input_tokens": 3, "output_tokens": 2})
    assert names(read([response("", tool_calls=[old]), response("", tool_calls=[old])])) == [("g", {})]


def test_llama_index_without_deltas() -> None:
    """A response may have all of the text so far and nothing else."""
    complete = [
        made(f"{_LLAMA}.CompletionResponse", text=text, delta=None, raw=None, additional_kwargs={}) for text in ("a", "ab")
    ]
    assert read(complete).text == "ab"
    assert read([response(None, so_far=text) for text in ("a", "ab", "ab")]).text == "ab"


def test_llama_index_agents() -> None:
    """Of the events of a run one kind has what the model says."""
    module = "llama_index.core.agent.workflow.workflow_events"
    stream = made(f"{module}.AgentStream", delta="a", thinking_delta="hm", raw={"model": "m-1"})
    whole = made(f"{module}.AgentOutput", response=Plain(content="a"), error="none")
    record = read([made(f"{module}.AgentInput", input=[]), stream, whole])
    assert (record.text, record.reasoning, record.model, record.extras, record.error) == ("a", "hm", "m-1", {}, None)


# Haystack


def streaming(content: str = "", *, finish: str | None = None, **fields: Any) -> Any:
    """A `StreamingChunk`."""
    filled = {"meta": {"model": "m-1"}, "tool_calls": None, "tool_call_result": None, "reasoning": None, **fields}
    return made("haystack.dataclasses.streaming_chunk.StreamingChunk", content=content, finish_reason=finish, **filled)


def test_haystack() -> None:
    """Reasoning, a call in pieces, the result of the tool, and the next answer, which is a part of its own."""
    pieces = [
        Plain(index=0, tool_name="f", arguments=None, id="c1"),
        Plain(index=0, tool_name=None, arguments='{"a":1}', id=None),
    ]
    usage: Any = {"meta": {"model": "m-1", "usage": USED}}
    record = read(
        [
            streaming(reasoning=Plain(reasoning_text="hm")),
            *(streaming(tool_calls=[piece]) for piece in pieces),
            streaming(finish="tool_calls"),
            streaming(**usage),
            streaming(tool_call_result=Plain(result="rain"), finish="tool_call_results"),
            streaming(finish="tool_call_results"),
            streaming("a"),
            streaming("b", finish="stop"),
            streaming(**usage),
        ]
    )
    assert (record.text, record.reasoning, names(record), record.finish_reason) == ("ab", "hm", [("f", {"a": 1})], "stop")
    assert counts(record) == {name: 2 * count for name, count in COUNTS.items()}
    assert [part.finish_reason for part in record.parts] == ["tool_calls", "stop"]


# Semantic Kernel


class Role(Enum):
    """Who wrote a content."""

    MODEL = "assistant"
    TOOL = "tool"


class Ended(Enum):
    """A finish reason."""

    STOP = "stop"


def content(inner: Any = None, *items: Any, choice: int = 0, **fields: Any) -> Any:
    """A `StreamingChatMessageContent`."""
    filled = {"finish_reason": None, "metadata": {}, "ai_model_id": "m-1", "role": Role.MODEL, **fields}
    name = "semantic_kernel.contents.streaming_chat_message_content.StreamingChatMessageContent"
    return made(name, inner_content=inner, items=list(items), choice_index=choice, **filled)


def words(text: str) -> Any:
    """A `StreamingTextContent` among the items."""
    return Plain(content_type="text", text=text)


def test_semantic_kernel_with_the_provider_s_chunk() -> None:
    """It is read once, though each content of a list has it."""
    both = chat((0, {"content": "a"}, None), (1, {"content": "x"}, None))
    ends = chat((0, {}, "stop"), (1, {}, "length"))
    record = read([[content(one, choice=0), content(one, choice=1)] for one in (both, ends)] + [[content(chat(usage=USED))]])
    assert [(choice.text, choice.finish_reason) for choice in record.choices] == [("a", "stop"), ("x", "length")]
    assert (counts(record), record.dialect) == (COUNTS, "openai.chat")


def test_semantic_kernel_by_its_own_fields() -> None:
    """A connector whose chunks are not known: items, the finish reason, the usage, of each choice."""
    call = Plain(content_type="function_call", index=0, id="c1", name="f", arguments='{"a":1}')
    thought = Plain(content_type="reasoning", text="hm")
    record = read(
        [
            content(Plain(own=1), thought),
            content(None, words("a"), call),
            content(None, words("x"), choice=1),
            content(None, words("rain"), role=Role.TOOL),
            content(None, finish_reason=Ended.STOP, metadata={"usage": Plain(**USED)}),
        ]
    )
    assert [(choice.text, choice.reasoning) for choice in record.choices] == [("a", "hm"), ("x", None)]
    assert (names(record), counts(record), record.model) == ([("f", {"a": 1})], COUNTS, "m-1")
    assert record.choices[0].finish_reason_raw == "stop"


def test_semantic_kernel_agents() -> None:
    """They state the usage of each call of the model, and keep its finish reason: the stream is complete without."""
    used = content(chat(usage=USED), metadata={"usage": Plain(**USED)})
    said = content(chat((0, {"content": "a"}, None)), words("a"))
    record = read([made("semantic_kernel.agents.agent.AgentResponseItem", message=one) for one in (used, said, used)])
    assert (record.text, record.outcome, record.finish_reason) == ("a", Outcome.COMPLETED, None)
    assert counts(record) == {name: 2 * count for name, count in COUNTS.items()}


# The OpenAI Agents SDK


def raw(**event: Any) -> Any:
    """A `RawResponsesStreamEvent`."""
    return made("agents.stream_events.RawResponsesStreamEvent", type="raw_response_event", data=event)


def answered(number: int, item: dict[str, Any]) -> list[Any]:
    """The events of one response with one item."""
    whole = {"id": f"resp_{number}", "object": "response", "model": "m-1", "status": "in_progress", "output": []}
    usage = {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}
    done = {**whole, "status": "completed", "output": [item], "usage": usage}
    return [
        raw(type="response.created", response=whole),
        raw(type="response.output_item.done", output_index=0, item=item),
        raw(type="response.completed", response=done),
    ]


def test_agents() -> None:
    """Each response of a run is a part; items of the run, which repeat it, are no content."""
    call = {"id": "__fake_id__", "type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"}
    said = {"id": "__fake_id__", "type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "a"}]}
    item = made("agents.stream_events.RunItemStreamEvent", name="message_output_created", item=Plain(raw_item=said), error="x")
    agent = made("agents.stream_events.AgentUpdatedStreamEvent", new_agent=Plain(name="a"))
    record = read([agent, *answered(1, call), item, *answered(2, said), item])
    assert (record.text, names(record), record.dialect, record.error) == ("a", [("f", {})], "openai.responses", None)
    assert (counts(record), len(record.parts)) == ({"input_tokens": 6, "output_tokens": 4, "total_tokens": 10}, 2)
    assert "item" not in record.extras


def test_agents_over_chat() -> None:
    """The SDK makes a response of an answer of chat, and calls it completed even if it was cut: no finish reason is known."""
    said = {"id": "__fake_id__", "type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "a"}]}
    done = {"id": "__fake_id__", "object": "response", "model": "m-1", "output": [said], "usage": None}
    event = made("agents.models.events.ResponseCompletedEvent", type="response.completed", response=Plain(**done))
    created = raw(type="response.created", response={**done, "output": [], "status": "in_progress"})
    record = read([created, made("agents.stream_events.RawResponsesStreamEvent", type="raw_response_event", data=event)])
    assert (record.text, record.finish_reason, record.response_id, record.outcome) == ("a", None, None, Outcome.COMPLETED)


def test_a_package_of_the_user_s_with_the_same_name() -> None:
    """Classes without a row are read as those of any user: the names of their fields mean nothing."""
    mine = [made("agents.mine.Note", content="a", error="none", type="error")]
    record = read(mine)
    assert (record.dialect, record.text, record.error, record.outcome) == ("opaque", "", None, Outcome.COMPLETED)


# smolagents


def test_smolagents() -> None:
    """Each call of the model states its usage once; a failed step is no failure of the stream."""
    delta = "smolagents.models.ChatMessageStreamDelta"
    function = Plain(name="f", arguments='{"a":1}')
    used = Plain(input_tokens=3, output_tokens=2, total_tokens=5)
    items = [
        made(delta, content="a", tool_calls=None, token_usage=None),
        made(delta, content=None, tool_calls=[Plain(index=0, id="c1", type="function", function=function)], token_usage=None),
        made(delta, content="", tool_calls=None, token_usage=used),
        made("smolagents.memory.ToolCall", name="f", arguments={}, id="c1"),
        made("smolagents.memory.ActionStep", "smolagents.memory.MemoryStep", model_output="a", error={"message": "no"}),
        made(delta, content="b", tool_calls=None, token_usage=used),
        made("smolagents.memory.FinalAnswerStep", "smolagents.memory.MemoryStep", output="b"),
    ]
    record = read(items)
    assert (record.text, names(record), record.outcome) == ("ab", [("f", {"a": 1})], Outcome.COMPLETED)
    assert counts(record) == {"input_tokens": 6, "output_tokens": 4, "total_tokens": 10}


# DSPy


class Predicted(Plain):
    """What a prediction can do."""

    def get_lm_usage(self) -> Any:
        """Usage by model."""
        return self.used

    def toDict(self) -> Any:
        """The fields."""
        return self.fields


def prediction(used: Any) -> Any:
    """A `Prediction`."""
    return type("Prediction", (Predicted,), {"__module__": "dspy.primitives.prediction"})(used=used, fields={"answer": "ab"})


@pytest.mark.parametrize(
    ("used", "model", "tokens"),
    [
        (None, None, {}),
        ({"openai/m-1": USED}, "m-1", COUNTS),
        ({"openai/m-1": USED, "openai/m-2": USED}, None, {name: 2 * count for name, count in COUNTS.items()}),
    ],
)
def test_dspy(used: Any, model: str | None, tokens: dict[str, int]) -> None:
    """Pieces of fields, then the prediction, which has them whole, and the usage where it is tracked."""
    piece = "dspy.streaming.messages.StreamResponse"
    pieces = [made(piece, predict_name="p", signature_field_name="answer", chunk=text, is_last_chunk=False) for text in "ab"]
    record = read([made("dspy.streaming.messages.StatusMessage", message="…"), *pieces, prediction(used)])
    assert (record.text, record.model, counts(record)) == ("ab", model, tokens)
    assert record.extras == {"prediction": {"answer": "ab"}}


def test_dspy_without_listeners() -> None:
    """Chunks in OpenAI's form, of a class that is a mapping."""
    chunk = type("EngineChunk", (dict,), {"__module__": "dspy.clients.engines.streaming"})
    made_of = {"id": None, "model": "m-1", "choices": [{"index": 0, "delta": {"content": "a"}, "finish_reason": "stop"}]}
    record = read([chunk(made_of), prediction({"openai/m-1": USED})])
    assert (record.text, record.dialect, record.finish_reason, counts(record)) == ("a", "openai.chat", "stop", COUNTS)


# instructor


def test_objects_of_the_user_s() -> None:
    """What instructor yields is of a class of the user's: whatever its fields are called, it is no dialect's, and no error."""
    partial = [made("mine.Plan", choices=["a"], error=text, usage=7, finish_reason="") for text in ("", "no", "no rain")]
    record = read(partial)
    assert (record.dialect, record.outcome, record.error, record.usage) == ("opaque", Outcome.COMPLETED, None, None)
    assert record.extras["error"] == "no rain"
