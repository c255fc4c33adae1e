"""`openai.chat`: Chat Completions chunks, of OpenAI and of all servers with almost the same format.

Terminal rule: each choice has a `finish_reason`; `data: [DONE]` ends the body, but is not returned by SDKs.
Usage rule: a report is final or cumulative: on a frame of its own after the finish, on every chunk (vLLM, Perplexity), in a
choice (Moonshot) or under `x_groq` (Groq). The last value of each field counts.

Source: https://platform.openai.com/docs/api-reference/chat-streaming
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..chunks import AudioDelta, Channel, Chunk, Delta, DetailDelta, FinishDelta, ImageDelta, TextDelta, ToolCallDelta
from ..json_readers import count_of, data_url, is_list, json_text, mapping_of, mappings_of, name_of, text_of, unnamed
from ..json_values import Json, json_value
from ..records import StreamType
from .base import Dialect
from .openai_chat_charges import CHARGES
from .openai_chat_fast import fast_path
from .openai_chat_response import response
from .openai_common import FINISH_REASONS, bare_error_chunk, error_chunk, error_in
from .openai_usage import gateway_fields, report_in, usage_fields

_CHUNK_FIELDS = frozenset(
    {
        "id",
        "object",
        "model",
        "choices",
        "usage",
        "error",
        "error_type",
        "service_tier",
        "system_fingerprint",
        "obfuscation",
        "status_code",
    }
)
_CHOICE_FIELDS = frozenset({"index", "delta", "message", "text", "finish_reason", "logprobs", "usage", "error", "obfuscation"})
_DELTA_FIELDS = frozenset(
    {"role", "content", "refusal", "tool_calls", "function_call", "audio", "annotations", "images",
     "reasoning", "reasoning_content", "reasoning_text", "reasoning_details", "thinking", "thinking_blocks", "obfuscation"}
)  # fmt: skip
_PLAIN_FIELDS = frozenset({"role", "content"})
_REASONING_FIELDS = ("reasoning_content", "reasoning", "reasoning_text", "thinking")
"""The fields in which servers send reasoning. If several have content, it is the same."""
_THOUGHT_FIELDS = frozenset({"type", "thinking", "summary", "text"})
_NULL = "null"
"""A text that some servers send instead of null."""


def chunk(payload: Mapping[str, Any]) -> Chunk:
    """One Chat Completions chunk."""
    if not payload.get("error") and (found := error_chunk(payload) or bare_error_chunk(payload)):
        return found
    deltas: list[Delta] = []
    choices = list(mappings_of(payload.get("choices")))
    for position, choice in enumerate(choices):
        deltas.extend(_choice_deltas(choice, position))
    groq = mapping_of(payload.get("x_groq"))
    return Chunk(
        tuple(deltas),
        meta={
            "response_id": name_of(payload.get("id")),
            "model": name_of(payload.get("model")),
            "service_tier": name_of(payload.get("service_tier")),
            "system_fingerprint": name_of(payload.get("system_fingerprint")),
        },
        extras=unnamed(payload, _CHUNK_FIELDS),
        usage=json_value(_usage(payload, choices, groq)),
        error=_error(payload, choices, groq),
    )


def _error(payload: Mapping[str, Any], choices: list[Mapping[str, Any]], groq: Mapping[str, Any]) -> Mapping[str, Json] | None:
    """The error, which may be alone, beside the choices, under `x_groq`, or in a choice."""
    error = payload.get("error") or groq.get("error")
    for choice in choices:
        error = error or choice.get("error")
    return error_in(payload, error) if error else None


def _usage(payload: Mapping[str, Any], choices: list[Mapping[str, Any]], groq: Mapping[str, Any]) -> Mapping[str, Any] | None:
    return report_in(payload, payload.get("usage"), groq.get("usage"), *(choice.get("usage") for choice in choices))


def _choice_deltas(choice: Mapping[str, Any], position: int) -> Iterator[Delta]:
    index = count_of(choice.get("index"))
    index = position if index is None else index
    delta = _delta(choice)
    deltas = _deltas(choice, delta, index)
    yield from deltas if delta is not choice.get("message") else _as_whole(deltas)
    finish = name_of(choice.get("finish_reason"))
    if finish and finish != _NULL:
        yield FinishDelta(finish, index)


def _deltas(choice: Mapping[str, Any], delta: Mapping[str, Any], index: int) -> Iterator[Delta]:
    if role := name_of(delta.get("role")):
        yield DetailDelta("role", role, index)
    yield from _content(delta.get("content"), index)
    if not delta.keys() <= _PLAIN_FIELDS:
        yield from _reasoning(delta, index)
        if refusal := text_of(delta.get("refusal")):
            yield TextDelta(refusal, "refusal", index)
        yield from _tool_calls(delta, index)
        yield from _media(delta, index)
    yield from _details(choice, delta, index)


def _as_whole(deltas: Iterator[Delta]) -> Iterator[Delta]:
    """The deltas of a whole message, which may come after its pieces: of each channel one text."""
    texts: dict[tuple[Channel, int], str] = {}
    for delta in deltas:
        if isinstance(delta, TextDelta):
            texts[delta.channel, delta.choice] = texts.get((delta.channel, delta.choice), "") + delta.text
        else:
            yield delta._replace(final=True) if isinstance(delta, ToolCallDelta | DetailDelta) else delta
    yield from (TextDelta(text, channel, choice, whole=True) for (channel, choice), text in texts.items())


def _delta(choice: Mapping[str, Any]) -> Mapping[str, Any]:
    """The delta of a choice; without streaming, its whole message or (completions) its text."""
    delta = choice.get("delta")
    if isinstance(delta, Mapping):
        return delta
    message = choice.get("message")
    return message if isinstance(message, Mapping) else {"content": choice.get("text")}


def _content(content: Any, index: int) -> Iterator[Delta]:
    """Text, or (Mistral, Databricks) a list of parts, of which some are thinking. An empty text opens the choice."""
    if not is_list(content) and not isinstance(content, Mapping):
        yield TextDelta(text_of(content), "text", index)
        return
    for part in content if is_list(content) else [content]:
        if isinstance(part, str):
            yield TextDelta(part, "text", index)
        elif isinstance(part, Mapping):
            yield from _part(part, index)


def _part(part: Mapping[str, Any], index: int) -> Iterator[Delta]:
    if part.get("type") in ("thinking", "reasoning"):
        yield from _thoughts(part, index)
    elif isinstance(part.get("text"), str):
        yield TextDelta(part["text"], "text", index)
        if is_list(part.get("citations")):
            yield DetailDelta("annotations", json_value(part["citations"]), index)
    elif mapping_of(part.get("image_url")):
        yield _image(part, index)
    else:
        yield DetailDelta("annotations", [json_value(part)], index)


def _thoughts(part: Mapping[str, Any], index: int) -> Iterator[Delta]:
    """The text of a thinking part, its citations, and its other fields: a signature, with which it can be sent again."""
    words = part.get("thinking") or part.get("summary") or part.get("text")
    marks = unnamed(part, _THOUGHT_FIELDS)
    text = text_of(words)
    for entry in mappings_of(words):
        if isinstance(entry.get("text"), str):
            text += entry["text"]
            marks |= unnamed(entry, _THOUGHT_FIELDS)
        else:
            yield DetailDelta("annotations", [json_value(entry)], index)
    yield TextDelta(text, "reasoning", index)
    if marks := {name: mark for name, mark in marks.items() if mark != ""}:
        yield DetailDelta("reasoning_details", [{"type": part["type"], **marks}], index)


def _reasoning(delta: Mapping[str, Any], index: int) -> Iterator[Delta]:
    words = next((text for name in _REASONING_FIELDS if (text := text_of(delta.get(name)))), "")
    if words:
        yield TextDelta(words, "reasoning", index)
    for field in ("reasoning_details", "thinking_blocks"):
        if is_list(delta.get(field)):
            yield DetailDelta("reasoning_details", [_detail(entry) for entry in mappings_of(delta[field])], index)


def _detail(entry: Mapping[str, Any]) -> Json:
    """A copy that keeps half a surrogate pair in a text: its other half may be in the next chunk.

    LiteLLM forwards Claude's blocks, whose text is in `thinking`.
    """
    detail = {str(name): value if isinstance(value, str) else json_value(value) for name, value in entry.items()}
    if "thinking" in detail:
        detail["text"] = detail.pop("thinking")
    return detail


def _tool_calls(delta: Mapping[str, Any], choice: int) -> Iterator[Delta]:
    calls = delta.get("tool_calls")
    calls = [calls] if "function" in mapping_of(calls) else calls  # one call, not a list, in old releases of TGI
    for call in mappings_of(calls):
        kind = name_of(call.get("type"))
        function = mapping_of(call.get("function") or call.get(kind or "custom"))
        yield ToolCallDelta(
            arguments=json_text(function.get("arguments", function.get("input"))),
            position=count_of(call.get("index")),
            id=None if call.get("id") == _NULL else name_of(call.get("id")),
            name=name_of(function.get("name")),
            type=kind,
            extras=unnamed(call, frozenset({"index", "id", "type", "function", "custom"})) or None,
            choice=choice,
        )
    if legacy := mapping_of(delta.get("function_call")):
        yield ToolCallDelta(json_text(legacy.get("arguments")), name=name_of(legacy.get("name")), choice=choice)


def _media(delta: Mapping[str, Any], choice: int) -> Iterator[Delta]:
    if audio := mapping_of(delta.get("audio")):
        fields = unnamed(audio, frozenset({"data", "transcript"})) or None
        yield AudioDelta(text_of(audio.get("data")), text_of(audio.get("transcript")), fields)
    for image in mappings_of(delta.get("images")):
        yield _image(image, choice)


def _image(image: Mapping[str, Any], choice: int) -> ImageDelta:
    """A generated image as gateways send it in chat: a URL, which may be a data URL with the image."""
    url = text_of(mapping_of(image.get("image_url")).get("url"))
    index = count_of(image.get("index"))
    if inside := data_url(url):
        mime_type, data = inside
        return ImageDelta(index, data, fields={"mime_type": mime_type or None}, choice=choice)
    return ImageDelta(index, fields={"url": url or None}, choice=choice)


def _details(choice: Mapping[str, Any], delta: Mapping[str, Any], index: int) -> Iterator[Delta]:
    if choice.get("logprobs") is not None:
        yield DetailDelta("logprobs", json_value(choice["logprobs"]), index)
    if is_list(delta.get("annotations")):
        yield DetailDelta("annotations", json_value(delta["annotations"]), index)
    if choice.keys() <= _CHOICE_FIELDS and delta.keys() <= _DELTA_FIELDS:
        return
    if rest := {**unnamed(choice, _CHOICE_FIELDS), **unnamed(delta, _DELTA_FIELDS)}:
        yield DetailDelta("extras", rest, index)


def has_deltas(payload: Mapping[str, Any]) -> bool:
    """Whether a payload has choices with a delta, or a whole message."""
    return any(isinstance(choice.get(name), Mapping) for choice in mappings_of(payload.get("choices")) for name in _DELTAS)


_DELTAS = ("delta", "message")


def _is_chat(payload: Mapping[str, Any]) -> bool:
    """Servers that omit `object`, or have another value there, still send choices with a delta."""
    return payload.get("object") in ("chat.completion.chunk", "chat.completion") or has_deltas(payload)


def _may_be_chat(payload: Mapping[str, Any]) -> bool:
    return is_list(payload.get("choices"))


DIALECT = Dialect(
    "openai.chat",
    StreamType.CHAT,
    chunk,
    usage_fields,
    FINISH_REASONS,
    fast_path=fast_path,
    response=response,
    recognises=_is_chat,
    resembles=_may_be_chat,
    charges=CHARGES,
    adjust=gateway_fields,
)

DIALECTS = (DIALECT,)
