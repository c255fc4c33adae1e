"""LangChain's classes; what their fields mean is tested in `tests/dialects/test_langchain.py`."""

from typing import Any

from streamtally import Outcome

from .shapes import counts, made, read

_MESSAGES = "langchain_core.messages"
_BASE = f"{_MESSAGES}.base.BaseMessage"


def chunk(content: Any = "", **fields: Any) -> Any:
    """An `AIMessageChunk`."""
    bases = (f"{_MESSAGES}.ai.AIMessage", f"{_MESSAGES}.base.BaseMessageChunk")
    filled = {
        "content": content,
        "response_metadata": {},
        "additional_kwargs": {},
        "tool_call_chunks": [],
        "usage_metadata": None,
    }
    return made(f"{_MESSAGES}.ai.AIMessageChunk", *bases, **{**filled, **fields})


USAGE = {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}
CHUNKS = [
    chunk("Bring ", response_metadata={"model_provider": "google_genai"}, id="lc_run--1"),
    chunk("a coat.", id="lc_run--1"),
    chunk(response_metadata={"finish_reason": "STOP", "model_name": "gemini-x"}, usage_metadata=USAGE, id="lc_run--1"),
]


def test_chunks() -> None:
    """Their class states the dialect, and their metadata the provider."""
    record = read(CHUNKS)
    assert (record.text, record.dialect, record.provider, record.model) == ("Bring a coat.", "langchain", "google", "gemini-x")
    assert (record.finish_reason, counts(record), record.outcome) == ("stop", USAGE, Outcome.COMPLETED)


def test_subclasses_and_generations() -> None:
    """A generation holds a message; a class that is derived from `AIMessageChunk` is one."""
    mine = made("mine.Spoken", f"{_MESSAGES}.ai.AIMessageChunk", content="c", response_metadata={}, tool_call_chunks=[])
    generation = made("langchain_core.outputs.chat_generation.ChatGenerationChunk", message=chunk("b"), text="b")
    text = made("langchain_core.outputs.generation.GenerationChunk", text="a", generation_info=None)
    assert read([text, generation, mine]).text == "abc"


def test_messages_that_no_model_wrote() -> None:
    """Results of tools between the answers are no content of theirs."""
    tool = made(f"{_MESSAGES}.tool.ToolMessage", _BASE, content="rain", tool_call_id="c1", type="tool")
    record = read([tool, *CHUNKS, tool])
    assert (record.text, record.dialect, record.extras) == ("Bring a coat.", "langchain", {})


def test_whole_messages() -> None:
    """A model that does not stream gives one message, with whole calls."""
    message = made(
        f"{_MESSAGES}.ai.AIMessage",
        _BASE,
        content="a",
        response_metadata={"stop_reason": "tool_use"},
        tool_calls=[{"name": "f", "args": {"x": 1}, "id": "c1"}],
        usage_metadata=USAGE,
        id="run-1-0",
    )
    record = read([message])
    assert (record.text, record.finish_reason, counts(record)) == ("a", "tool_calls", USAGE)
    assert [(call.name, call.arguments_json) for call in record.tool_calls] == [("f", {"x": 1})]
