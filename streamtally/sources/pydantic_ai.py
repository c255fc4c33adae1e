"""Pydantic AI: events of the parts of answers, whole answers so far, and texts so far.

| item | read as |
| --- | --- |
| `PartStartEvent`, `PartDeltaEvent` | the first piece of a part, and the next ones |
| `AgentRunResultEvent` | the usage of the whole run, and how its last answer ended; the events before it have neither |
| `ModelResponse` (`stream_response`) | all of the answer so far |
| a text of `stream_text`, `stream_output` | all of the text so far; with `delta=True` a piece |
| any other event | nothing: it repeats parts, or tells of tools |

Source: https://ai.pydantic.dev/agents/#streaming-all-events
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import Any

from ..chunks import Chunk, Delta, DetailDelta, FinishDelta, ImageDelta, TextDelta, ToolCallDelta
from ..dialects import pydantic_ai
from ..dialects.providers import provider_named
from ..json_readers import count_of, json_text, name_of, text_of
from .base import Row, Source
from .readable import no_content

_COUNTS = {
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "cache_read_tokens": "cache_read_tokens",
    "cache_write_tokens": "cache_write_tokens",
    "cache_write_1h_tokens": "cache_write_1h_tokens",
    "output_reasoning_tokens": "reasoning_tokens",
    "input_audio_tokens": "audio_input_tokens",
    "output_audio_tokens": "audio_output_tokens",
    "cache_audio_read_tokens": "cache_read_audio_tokens",
}
"""Its names of counts, and ours. All are 0 where a provider states nothing."""


def _start(event: Any) -> Chunk:
    return Chunk(tuple(_part(event.part, event.index, whole=False)))


def _part(part: Any, position: int, *, whole: bool) -> Iterator[Delta]:
    kind = part.part_kind
    if kind == "text":
        yield TextDelta(part.content, whole=whole)
    elif kind == "thinking":
        yield TextDelta(part.content, "reasoning", whole=whole)
        yield from _signature(part.signature)
    elif kind == "tool-call":
        yield ToolCallDelta(json_text(part.args), position, name_of(part.tool_call_id), name_of(part.tool_name), final=whole)
    elif kind == "file" and text_of(part.content.media_type).startswith("image/"):
        data = base64.b64encode(part.content.data).decode()
        yield ImageDelta(position if whole else None, data, fields={"mime_type": part.content.media_type})


def _signature(signature: Any) -> Iterator[Delta]:
    if name := name_of(signature):
        yield DetailDelta("reasoning_details", [{"type": "thinking", "signature": name}])


def _delta(event: Any) -> Chunk:
    delta = event.delta
    kind = delta.part_delta_kind
    if kind == "text":
        return Chunk((TextDelta(delta.content_delta, whole=False),))
    if kind == "thinking":
        words = TextDelta(text_of(delta.content_delta), "reasoning", whole=False)
        return Chunk((words, *_signature(delta.signature_delta)))
    name = name_of(delta.tool_name_delta)
    return Chunk((ToolCallDelta(json_text(delta.args_delta), event.index, name_of(delta.tool_call_id), name),))


def _answer(response: Any) -> Chunk:
    """All of an answer so far."""
    texts: dict[str, list[str]] = {}
    deltas: list[Delta] = []
    for position, part in enumerate(response.parts):
        for delta in _part(part, position, whole=True):
            if isinstance(delta, TextDelta):
                texts.setdefault(delta.channel, []).append(delta.text)
            elif not isinstance(delta, DetailDelta):
                deltas.append(delta)
    deltas += [
        TextDelta("".join(words), "text" if channel == "text" else "reasoning", whole=True) for channel, words in texts.items()
    ]
    return Chunk((*deltas, *_finish(response)), _meta(response), usage=_usage(response.usage))


def _finish(response: Any) -> Iterator[Delta]:
    if word := name_of(response.finish_reason):
        yield FinishDelta(word)


def _meta(response: Any) -> dict[str, str]:
    named = {"model": name_of(response.model_name), "response_id": name_of(response.provider_response_id)}
    return {name: value for name, value in named.items() if value}


def _usage(usage: Any) -> Mapping[str, Any] | None:
    counts = {ours: count_of(getattr(usage, theirs, None)) for theirs, ours in _COUNTS.items()}
    return {name: count for name, count in counts.items() if count} or None


def _result(event: Any) -> Chunk:
    """The end of a run. If several models answered, no single one did."""
    answers = [message for message in event.result.new_messages() if message.kind == "response"]
    if not answers:
        return Chunk(usage=_usage(event.result.usage))
    meta = _meta(answers[-1])
    if len({answer.model_name for answer in answers}) > 1:
        del meta["model"]
    return Chunk(tuple(_finish(answers[-1])), meta, usage=_usage(event.result.usage))


def _response_of(thing: Any) -> Any:
    result = getattr(thing, "result", None)
    return thing if result is None else getattr(result, "response", None)


def _provider(thing: Any) -> str | None:
    """The provider that an answer states, or the last one of a run."""
    return provider_named(getattr(_response_of(thing), "provider_name", None))


def _cumulative(stream: Any) -> bool | None:
    """Whether the generator of `stream_text` or `stream_output` yields all of the text so far."""
    method = str(getattr(stream, "__qualname__", "")).rpartition(".")[2]
    if method not in ("stream_text", "stream_output", "stream"):
        return None
    return not stream.ag_frame.f_locals.get("delta", False)


_DIALECT = pydantic_ai.DIALECT.name
_NOTHING = Row(_DIALECT, chunk=no_content)

SOURCE = Source(
    "pydantic_ai",
    rows={
        "PartStartEvent": Row(_DIALECT, chunk=_start),
        "PartDeltaEvent": Row(_DIALECT, chunk=_delta),
        "PartEndEvent": _NOTHING,
        "FinalResultEvent": _NOTHING,
        "ToolCallEvent": _NOTHING,
        "FunctionToolCallEvent": _NOTHING,
        "ToolResultEvent": _NOTHING,
        "FunctionToolResultEvent": _NOTHING,
        "AgentRunResultEvent": Row(_DIALECT, chunk=_result),
        "ModelResponse": Row(_DIALECT, chunk=_answer),
    },
    cumulative=_cumulative,
    stated_provider=_provider,
    is_framework=True,
)
