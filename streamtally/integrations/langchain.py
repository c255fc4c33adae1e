"""LangChain: a callback handler that records each streaming run of a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from time import perf_counter
from typing import Any, NamedTuple
from uuid import UUID

try:
    from langchain_core.callbacks import BaseCallbackHandler
except ImportError as error:
    raise ImportError("streamtally.integrations.langchain needs langchain-core: pip install langchain-core") from error

from ..default import default_tally
from ..dialects import openai_chat
from ..json_values import Json
from ..records import Outcome
from ..tally import Tally

_DIALECT = replace(openai_chat.DIALECT, states_finish=False)
"""The dialect into which chunks are converted. Not all of LangChain's models report the end of an answer."""


class _Run(NamedTuple):
    """A run of a model: the `perf_counter` at its start, and its parameters."""

    started: float
    params: Mapping[str, Any]


class TallyHandler(BaseCallbackHandler):  # type: ignore[misc]  # the package need not be installed
    """A callback handler for a model, a chain or a call: `model.stream(…, config={"callbacks": [handler]})`.

    Each streaming run of a model makes one record, whose `request_id` is the run's ID; other runs make none. The record has
    what LangChain passes to its handlers: tokens in order, finish reason, usage, and the outcome. If `streamtally.instrument`
    wraps the SDK that the model uses, the stream is recorded twice: use one of the two.

    Args:
        tally: where the runs are recorded; the default tally if not given.
    """

    raise_error = False
    run_inline = True  # keeps the tokens in order, and in the context of the call

    def __init__(self, tally: Tally | None = None) -> None:
        super().__init__()
        self._given = tally
        self._runs: dict[UUID, _Run] = {}

    @property
    def _tally(self) -> Tally:
        return self._given or default_tally()

    def on_chat_model_start(self, serialized: Any, messages: Any, *, run_id: UUID, **options: Any) -> None:  # noqa: ARG002
        """A run begins; its first token shows that it streams."""
        self._runs[run_id] = _Run(perf_counter(), _params(options))

    def on_llm_start(self, serialized: Any, prompts: Any, *, run_id: UUID, **options: Any) -> None:  # noqa: ARG002
        """A run of a text completion model begins."""
        self._runs[run_id] = _Run(perf_counter(), _params(options))

    def on_llm_new_token(self, token: Any, *, run_id: UUID, chunk: Any = None, **_: Any) -> None:
        """A chunk; the first one opens the stream."""
        run = self._runs.get(run_id)
        request_id = str(run_id)
        if run is not None and request_id not in self._tally.accumulator:
            self._tally.open(request_id, dialect=_DIALECT, started_at=run.started, params=run.params)
        if run is not None:
            self._tally.add(request_id, _payload(token, getattr(chunk, "message", None), getattr(chunk, "generation_info", None)))

    def on_llm_end(self, response: Any, *, run_id: UUID, **_: Any) -> None:  # noqa: ARG002
        """The run has ended."""
        self._end(run_id, None)

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **_: Any) -> None:
        """The run failed, or its stream was not read to the end."""
        self._end(run_id, error)

    def _end(self, run_id: UUID, error: BaseException | None) -> None:
        tally, request_id = self._tally, str(run_id)
        if self._runs.pop(run_id, None) is None or request_id not in tally.accumulator:
            return
        if isinstance(error, Exception):
            tally.fail(request_id, error)
        else:  # GeneratorExit, a cancelled task, or no error
            tally.finish(request_id, None if error is None else Outcome.CANCELLED)
        tally.discard(request_id)


def _params(options: Mapping[str, Any]) -> dict[str, Any]:
    """The request's parameters, as LangChain passes them to tracers."""
    metadata = options.get("metadata") or {}
    params = {name: value for name, value in (options.get("invocation_params") or {}).items() if not name.startswith("_")}
    stated = {"model": metadata.get("ls_model_name"), "provider": metadata.get("ls_provider")}
    return {**params, **{name: value for name, value in stated.items() if isinstance(value, str)}}


def _payload(token: Any, message: Any, info: Any) -> Json:
    """A chunk in the format of a chat completion."""
    metadata = {**(info or {}), **(getattr(message, "response_metadata", None) or {})}
    content = getattr(message, "content", token)
    delta: dict[str, Any] = {"content": _text_of(content, "text"), **_tool_calls(message)}
    if reasoning := _reasoning(content, message):
        delta["reasoning_content"] = reasoning
    usage = getattr(message, "usage_metadata", None)
    return {
        "object": "chat.completion.chunk",
        "model": metadata.get("model_name"),
        "system_fingerprint": metadata.get("system_fingerprint"),
        "service_tier": metadata.get("service_tier"),
        "choices": [{"index": 0, "delta": delta, "finish_reason": metadata.get("finish_reason") or metadata.get("stop_reason")}],
        "usage": _usage(usage) if usage else None,
    }


def _text_of(content: Any, kind: str) -> str:
    """The text of all blocks of one kind in a message's content, which is a text or a list of blocks."""
    if isinstance(content, str):
        return content if kind == "text" else ""
    blocks = [block for block in content if isinstance(block, Mapping)] if isinstance(content, list) else []
    return "".join(str(block.get(kind) or "") for block in blocks if block.get("type") == kind)


def _reasoning(content: Any, message: Any) -> str:
    separate = (getattr(message, "additional_kwargs", None) or {}).get("reasoning_content")
    return separate if isinstance(separate, str) else _text_of(content, "thinking") + _text_of(content, "reasoning")


def _tool_calls(message: Any) -> dict[str, Json]:
    pieces = getattr(message, "tool_call_chunks", None) or ()
    calls = [
        {
            "index": piece.get("index"),
            "id": piece.get("id"),
            "type": "function",
            "function": {"name": piece.get("name"), "arguments": piece.get("args")},
        }
        for piece in pieces
    ]
    return {"tool_calls": calls} if calls else {}


def _usage(usage: Mapping[str, Any]) -> Json:
    """LangChain's counts, whose totals are inclusive, in the format of a chat completion."""
    inputs, outputs = usage.get("input_token_details") or {}, usage.get("output_token_details") or {}
    return {
        "prompt_tokens": usage.get("input_tokens"),
        "completion_tokens": usage.get("output_tokens"),
        "total_tokens": usage.get("total_tokens"),
        "prompt_tokens_details": {"cached_tokens": inputs.get("cache_read"), "audio_tokens": inputs.get("audio")},
        "completion_tokens_details": {"reasoning_tokens": outputs.get("reasoning"), "audio_tokens": outputs.get("audio")},
    }
