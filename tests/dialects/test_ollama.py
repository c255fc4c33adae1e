"""The dialects `ollama.chat` and `ollama.generate`: JSON lines, of which the last has `done`."""

import base64
from typing import Any

import ollama
import pytest

from streamtally import Outcome, replay, to_response
from tests.dialects.wire import Payload, read, stated

DURATIONS = {"total_duration": 9, "load_duration": 1, "prompt_eval_duration": 2, "eval_duration": 6}
COUNTS = {"prompt_eval_count": 5, "eval_count": 2}
AT = {"created_at": "2026-01-01T00:00:00Z"}
BOTH = pytest.mark.parametrize("api", ["chat", "generate"])


def line(api: str, text: str = "", /, **fields: Any) -> Payload:
    """One line; for chat the keywords are fields of its message."""
    if api == "generate":
        return {"model": "m-1", **AT, "response": text, "done": False, **fields}
    return {"model": "m-1", **AT, "message": {"role": "assistant", "content": text, **fields}, "done": False}


def ends(api: str, reason: str | None = "stop", /, **fields: Any) -> Payload:
    """The last line."""
    why = {} if reason is None else {"done_reason": reason}
    return {**line(api), "done": True, **why, **fields}


@BOTH
def test_an_answer_with_thinking(api: str) -> None:
    """Text, thinking and counts; the durations are kept."""
    stream = [
        line(api, thinking="h"),
        line(api, thinking="m"),
        line(api, "hel"),
        line(api, "lo"),
        ends(api, **COUNTS, **DURATIONS),
    ]
    role = {"role": "assistant"} if api == "chat" else {}
    assert stated(read(stream, f"ollama.{api}")) == {
        "outcome": "completed",
        "provider": "ollama",
        "choices": ({**role, "text": "hello", "reasoning": "hm", "finish_reason": "stop", "finish_reason_raw": "stop"},),
        "usage": {"input_tokens": 5, "output_tokens": 2},
        "extras": {**AT, **DURATIONS},
    }


@BOTH
@pytest.mark.parametrize(("reason", "meaning"), [("length", "length"), ("load", "stop"), ("unload", "stop"), (None, "stop")])
def test_finish_reasons(api: str, reason: str | None, meaning: str) -> None:
    """A last line without a reason is a stop."""
    record = read([line(api, "a"), ends(api, reason)], f"ollama.{api}")
    assert (record.finish_reason, record.choices[0].finish_reason_raw) == (meaning, reason or "stop")
    assert (record.outcome, record.usage) == (Outcome.COMPLETED, None)


@BOTH
def test_a_prompt_that_was_not_evaluated(api: str) -> None:
    """The count of a prompt that was not evaluated is None, not 0."""
    record = read([line(api, "a"), ends(api, eval_count=0)], f"ollama.{api}")
    assert record.usage is not None
    assert (record.usage.input_tokens, record.usage.output_tokens) == (None, 0)


@BOTH
def test_a_stream_that_was_cut(api: str) -> None:
    """No line has `done`."""
    assert read([line(api, "a")], f"ollama.{api}").outcome is Outcome.TRUNCATED


@BOTH
def test_an_error_among_the_lines(api: str) -> None:
    """The text before it is kept."""
    record = replay([line(api, "a"), {"error": "model runner has stopped"}])
    assert record.error is not None
    assert (record.text, record.outcome, record.error.message) == ("a", Outcome.ERROR, "model runner has stopped")


def function(name: str, **arguments: Any) -> Payload:
    """One entry of `tool_calls`."""
    return {"function": {"name": name, "arguments": arguments}}


def test_tool_calls_are_whole() -> None:
    """Each entry is a call, in one line or in several, also of the same function with the same arguments."""
    stream = [
        line("chat", tool_calls=[function("f", x=1), function("f", x=1)]),
        line("chat", tool_calls=[function("g")]),
        ends("chat"),
    ]
    record = read(stream, "ollama.chat")
    assert [(call.name, call.arguments_json, call.complete) for call in record.tool_calls] == [
        ("f", {"x": 1}, True),
        ("f", {"x": 1}, True),
        ("g", {}, True),
    ]
    assert (record.finish_reason, record.choices[0].finish_reason_raw) == ("tool_calls", "stop")


def test_calls_with_ids_and_an_index_that_restarts() -> None:
    """The index numbers the calls of one line only."""
    entries = [{"id": name, "function": {"index": 0, "name": "f", "arguments": {"x": name}}} for name in ("c1", "c2")]
    record = replay([*(line("chat", tool_calls=[entry]) for entry in entries), ends("chat")])
    assert [(call.id, call.arguments_json) for call in record.tool_calls] == [("c1", {"x": "c1"}), ("c2", {"x": "c2"})]


def test_images() -> None:
    """Chat has them in its message, generate at the top."""
    data = base64.b64encode(b"png").decode()
    chat = replay([line("chat", images=[data]), ends("chat")])
    steps = [{"model": "m-1", **AT, "completed": step, "total": 2, "done": False} for step in (1, 2)]
    generated = replay([*steps, ends("generate", image=data)])
    assert (chat.dialect, generated.dialect) == ("ollama.chat", "ollama.generate")
    for record in (chat, generated):
        assert [image.data for image in record.images] == [b"png"]
    assert generated.extras["completed"] == 2
    assert to_response(chat)["message"]["images"] == [data]
    assert to_response(generated)["image"] == data


@BOTH
def test_log_probabilities_and_what_has_no_name(api: str) -> None:
    """The entries of all lines are joined; unknown fields are kept."""
    token = {"token": "a", "logprob": -0.5, "top_logprobs": []}
    stream = [{**line(api, "a"), "logprobs": [token]}, {**line(api, "b"), "logprobs": [token]}, ends(api)]
    record = read(stream, f"ollama.{api}")
    assert record.choices[0].logprobs == [token, token]
    more = replay([{**line(api, "a"), "remote_model": "r"}, ends(api, context=[1, 2])])
    assert more.extras == {**AT, "remote_model": "r", "context": [1, 2]}
    assert replay([line("chat", tool_name="t"), ends("chat")]).choices[0].extras == {"tool_name": "t"}


def test_the_response_objects() -> None:
    """The response objects are those of the APIs without streaming, by the SDK's types."""
    stream = [line("chat", thinking="h"), line("chat", "a", tool_calls=[function("f", x=1)]), ends("chat", **COUNTS, **DURATIONS)]
    chat = ollama.ChatResponse.model_validate(to_response(read(stream, "ollama.chat")))
    assert (chat.message.content, chat.message.thinking, chat.done, chat.done_reason) == ("a", "h", True, "stop")
    assert (chat.prompt_eval_count, chat.eval_count, chat.total_duration, chat.model) == (5, 2, 9, "m-1")
    assert chat.message.tool_calls is not None
    assert chat.message.tool_calls[0].function.arguments == {"x": 1}
    calls = [function("f")]
    generated = to_response(replay([line("generate", "a", thinking="h", tool_calls=calls), ends("generate", context=[1])]))
    whole = ollama.GenerateResponse.model_validate(generated)
    assert (whole.response, whole.thinking, whole.context, generated["tool_calls"]) == ("a", "h", [1], calls)
    for kind, name in ((ollama.ChatResponse, "ollama.chat"), (ollama.GenerateResponse, "ollama.generate")):
        assert kind.model_validate(to_response(replay([], dialect=name))).done is False
