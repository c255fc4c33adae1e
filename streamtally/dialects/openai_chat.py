"""`openai.chat`: Chat Completions chunks, of OpenAI and of every server that speaks almost like it.

Terminal rule: each choice has its `finish_reason`; `data: [DONE]` ends the body, and SDKs hide it.
Usage rule: a report is final or cumulative, wherever it comes: on a frame of its own after the finish, on every chunk
(vLLM, Perplexity), in a choice (Moonshot) or under `x_groq` (Groq). The last word wins, field by field.

Source: https://platform.openai.com/docs/api-reference/chat-streaming
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from operator import itemgetter
from typing import Any

from ..chunks import AudioDelta, Chunk, Delta, DetailDelta, FinishDelta, ImageDelta, TextDelta, ToolCallDelta
from ..jsonish import Json, json_value
from ..records import Choice, Image, StreamRecord, StreamType, ToolCall, Usage
from .base import Dialect, Take, Writers
from .openai_common import FINISH_REASONS, error_chunk, error_in, response_usage, total_of, usage_fields
from .values import count_of, is_list, json_text, mapping_of, mappings_of, name_of, text_of, unnamed

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
_CHOICE_FIELDS = frozenset({"index", "delta", "message", "text", "finish_reason", "logprobs", "usage", "error"})
_DELTA_FIELDS = frozenset(
    {"role", "content", "refusal", "tool_calls", "function_call", "audio", "annotations", "images",
     "reasoning", "reasoning_content", "reasoning_text", "reasoning_details", "thinking"}
)  # fmt: skip
_REASONING_FIELDS = ("reasoning_content", "reasoning", "reasoning_text", "thinking")
"""Where servers put the same reasoning; when several are filled they repeat it."""

_TIERS = frozenset({"auto", "default", "flex", "scale", "priority", "fast"})
"""The service tiers that a response object can name; some servers have others."""


def chunk(payload: Mapping[str, Any]) -> Chunk:
    """One Chat Completions chunk."""
    if not payload.get("error") and (found := error_chunk(payload)):
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
    """The error, wherever it is: alone, beside the choices, under `x_groq`, in a choice, or only as the reason to finish."""
    error = payload.get("error") or groq.get("error")
    failed = False
    for choice in choices:
        error = error or choice.get("error")
        failed = failed or choice.get("finish_reason") == "error"
    return error_in(payload, error or {}) if error or failed else None


def _usage(payload: Mapping[str, Any], choices: list[Mapping[str, Any]], groq: Mapping[str, Any]) -> Mapping[str, Any] | None:
    reports = (payload.get("usage"), groq.get("usage"), *(choice.get("usage") for choice in choices))
    return next((report for report in reports if isinstance(report, Mapping) and report), None)


def _choice_deltas(choice: Mapping[str, Any], position: int) -> Iterator[Delta]:
    index = count_of(choice.get("index"))
    index = position if index is None else index
    delta = choice.get("delta")
    delta = mapping_of(choice.get("message")) if not isinstance(delta, Mapping) else delta
    if role := name_of(delta.get("role")):
        yield DetailDelta("role", role, index)
    yield from _reasoning(delta, index)
    yield from _content(delta.get("content"), index)
    if refusal := text_of(delta.get("refusal")):
        yield TextDelta(refusal, "refusal", index)
    yield from _tool_calls(delta, index)
    yield from _media(delta)
    yield from _details(choice, delta, index)
    if finish := name_of(choice.get("finish_reason")):
        yield FinishDelta(finish, index)


def _content(content: Any, index: int) -> Iterator[Delta]:
    """Text, or (Mistral, Databricks) a list of parts of which some are thinking. An empty text says that the choice is there."""
    if not is_list(content):
        yield TextDelta(text_of(content), "text", index)
        return
    for part in content:
        if isinstance(part, str):
            yield TextDelta(part, "text", index)
        elif isinstance(part, Mapping) and part.get("type") in ("thinking", "reasoning"):
            yield TextDelta(_thoughts(part), "reasoning", index)
        elif isinstance(part, Mapping) and isinstance(part.get("text"), str):
            yield TextDelta(part["text"], "text", index)
        elif isinstance(part, Mapping):
            yield DetailDelta("annotations", [json_value(part)], index)


def _thoughts(part: Mapping[str, Any]) -> str:
    words = part.get("thinking") or part.get("summary") or part.get("text")
    return "".join(text_of(entry.get("text")) for entry in mappings_of(words)) or text_of(words)


def _reasoning(delta: Mapping[str, Any], index: int) -> Iterator[Delta]:
    words = next((text for name in _REASONING_FIELDS if (text := text_of(delta.get(name)))), "")
    if words:
        yield TextDelta(words, "reasoning", index)
    if is_list(delta.get("reasoning_details")):
        yield DetailDelta("reasoning_details", [_detail(entry) for entry in mappings_of(delta["reasoning_details"])], index)


def _detail(entry: Mapping[str, Any]) -> Json:
    """A copy whose texts are left as they are: half a surrogate pair may wait for its other half."""
    return {str(name): value if isinstance(value, str) else json_value(value) for name, value in entry.items()}


def _tool_calls(delta: Mapping[str, Any], choice: int) -> Iterator[Delta]:
    for call in mappings_of(delta.get("tool_calls")):
        kind = name_of(call.get("type"))
        function = mapping_of(call.get("function") or call.get(kind or "custom"))
        yield ToolCallDelta(
            arguments=json_text(function.get("arguments", function.get("input"))),
            position=count_of(call.get("index")),
            id=name_of(call.get("id")),
            name=name_of(function.get("name")),
            type=kind,
            extras=unnamed(call, frozenset({"index", "id", "type", "function", "custom"})) or None,
            choice=choice,
        )
    if legacy := mapping_of(delta.get("function_call")):
        yield ToolCallDelta(json_text(legacy.get("arguments")), name=name_of(legacy.get("name")), choice=choice)


def _media(delta: Mapping[str, Any]) -> Iterator[Delta]:
    if audio := mapping_of(delta.get("audio")):
        fields = unnamed(audio, frozenset({"data", "transcript"})) or None
        yield AudioDelta(text_of(audio.get("data")), text_of(audio.get("transcript")), fields)
    for image in mappings_of(delta.get("images")):
        yield _image(image)


def _image(image: Mapping[str, Any]) -> ImageDelta:
    """A generated image as gateways send it in chat: a URL, which may hold the image itself."""
    url = text_of(mapping_of(image.get("image_url")).get("url"))
    index = count_of(image.get("index"))
    head, comma, data = url.partition(",")
    if comma and head.startswith("data:") and head.endswith(";base64"):
        return ImageDelta(index, data, fields={"mime_type": head[5:-7] or None})
    return ImageDelta(index, fields={"url": url or None})


def _details(choice: Mapping[str, Any], delta: Mapping[str, Any], index: int) -> Iterator[Delta]:
    if choice.get("logprobs") is not None:
        yield DetailDelta("logprobs", json_value(choice["logprobs"]), index)
    if is_list(delta.get("annotations")):
        yield DetailDelta("annotations", json_value(delta["annotations"]), index)
    rest = {**unnamed(choice, _CHOICE_FIELDS), **unnamed(delta, _DELTA_FIELDS)}
    if rest:
        yield DetailDelta("extras", rest, index)


def response(record: StreamRecord) -> dict[str, Json]:
    """The record as a `chat.completion` object."""
    return {
        **record.extras,
        "id": record.response_id or record.request_id,
        "object": "chat.completion",
        "created": count_of(record.extras.get("created")) or 0,
        "model": record.model or record.requested_model or "",
        "choices": [_response_choice(choice, record) for choice in record.choices],
        **_response_usage(record.usage),
        **({"service_tier": record.service_tier} if record.service_tier in _TIERS else {}),
        **({"system_fingerprint": record.system_fingerprint} if record.system_fingerprint else {}),
    }


def _response_usage(usage: Usage | None) -> dict[str, Json]:
    prompt, completion = (usage.input_tokens or 0, usage.output_tokens or 0) if usage else (0, 0)
    shape = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": total_of(usage)}
    return response_usage(usage, shape)


def _response_choice(choice: Choice, record: StreamRecord) -> dict[str, Json]:
    finish = choice.finish_reason_raw if choice.finish_reason_raw == "function_call" else choice.finish_reason
    return {
        **choice.extras,
        "index": choice.index,
        "message": _response_message(choice, record, legacy=finish == "function_call"),
        # An answer that was cut short is told so in the one word that the shape has for it.
        "finish_reason": "length" if finish in (None, "error") else finish,
        "logprobs": _response_logprobs(choice.logprobs),
    }


def _response_logprobs(logprobs: Json) -> Json:
    """Log probabilities in OpenAI's form, or None where a server has another."""
    found = mapping_of(logprobs)
    lists = {name: list(mappings_of(found.get(name))) for name in ("content", "refusal")}
    if not any(lists.values()) or not all(_is_token(entry) for entries in lists.values() for entry in entries):
        return None
    return {name: [{"top_logprobs": [], **entry} for entry in entries] or None for name, entries in lists.items()}


def _is_token(entry: Mapping[str, Json]) -> bool:
    return entry.keys() >= {"token", "logprob"}


def _response_message(choice: Choice, record: StreamRecord, *, legacy: bool) -> dict[str, Json]:
    message: dict[str, Json] = {"role": "assistant", "content": choice.text or None, "refusal": choice.refusal}
    if choice.tool_calls and legacy:
        message["function_call"] = _response_call(choice.tool_calls[0])["function"]
    elif choice.tool_calls:
        message["tool_calls"] = [_response_call(call) for call in choice.tool_calls]
    if choice.reasoning is not None:
        message["reasoning_content"] = choice.reasoning
    if choice.reasoning_details:
        message["reasoning_details"] = list(choice.reasoning_details)
    if citations := [note for note in choice.annotations if _is_citation(note)]:
        message["annotations"] = citations
    return {**message, **_response_media(record)}


def _is_citation(note: Mapping[str, Json]) -> bool:
    """Whether an annotation is of the one kind that the shape has."""
    fields = mapping_of(note.get("url_citation"))
    return note.get("type") == "url_citation" and fields.keys() >= {"start_index", "end_index", "title", "url"}


def _response_media(record: StreamRecord) -> dict[str, Json]:
    message: dict[str, Json] = {}
    if record.images:
        message["images"] = [_response_image(image) for image in record.images]
    if record.audio is not None and record.audio.data is not None:
        message["audio"] = {
            "id": record.audio.id or "",
            "data": json_value(record.audio.data),
            "transcript": record.audio.transcript or "",
            "expires_at": record.audio.extras.get("expires_at", 0),
        }
    return message


def _response_image(image: Image) -> dict[str, Json]:
    url = image.url if image.data is None else f"data:{image.mime_type or ''};base64,{json_value(image.data)}"
    return {"type": "image_url", "image_url": {"url": url}, "index": image.index}


def _response_call(call: ToolCall) -> dict[str, Json]:
    if call.type == "custom":
        body: dict[str, Json] = {"type": "custom", "custom": {"name": call.name or "", "input": call.arguments}}
    else:
        body = {"type": "function", "function": {"name": call.name or "", "arguments": call.arguments}}
    return {**call.extras, "id": call.id or "", **body}


_OTHERS = itemgetter("role", "refusal", "tool_calls", "function_call", "audio")


def fast(writers: Writers) -> Take:
    """The fast path for an SDK's chunk objects: words of the first choice, or arguments of the tool call that is open.

    It takes a chunk only if all else on it was said before. Reads `__dict__`, where pydantic has a model's fields: to ask
    for an attribute that is not set would cost two microseconds.
    """
    write: Callable[[str], object] | None = None
    write_arguments: Callable[[str], object] | None = None
    position = response_id = model = tier = fingerprint = extra = role = None

    def decline(chunk: Any) -> bool:
        # What is declined is folded the general way, and so from here on it has been said.
        nonlocal write, write_arguments, response_id, model, tier, fingerprint, extra, role
        fields = chunk.__dict__
        response_id, model = fields["id"], fields["model"]
        tier, fingerprint, extra = fields["service_tier"], fields["system_fingerprint"], chunk.__pydantic_extra__
        role = fields["choices"][0].delta.role if fields["choices"] else None
        write = write_arguments = None
        return False

    def take(chunk: Any) -> bool:
        nonlocal write
        fields = chunk.__dict__
        if (
            fields["id"] != response_id
            or fields["model"] != model
            or fields["service_tier"] != tier
            or fields["system_fingerprint"] != fingerprint
            or fields["usage"] is not None
            or ((more := chunk.__pydantic_extra__) and more != extra)
        ):
            return decline(chunk)
        (choice,) = fields["choices"]
        answer = choice.__dict__
        delta = answer["delta"]
        if (
            answer["finish_reason"] is not None
            or answer["logprobs"] is not None
            or answer["index"]
            or choice.__pydantic_extra__
            or delta.__pydantic_extra__
        ):
            return decline(chunk)
        words = delta.content
        if not words:
            return take_arguments(chunk, delta.__dict__)
        if len(delta.__pydantic_fields_set__) > 1 and not is_silent(delta.__dict__):
            return decline(chunk)
        if write is None and (write := writers.text_writer()) is None:
            return decline(chunk)
        write(words)
        return True

    def is_silent(delta: dict[str, Any]) -> bool:
        speaker, refusal, calls, legacy, audio = _OTHERS(delta)
        return (speaker is None or speaker == role) and not (refusal or calls or legacy or audio)

    def take_arguments(chunk: Any, delta: dict[str, Any]) -> bool:
        nonlocal write_arguments, position
        speaker, refusal, calls, legacy, audio = _OTHERS(delta)
        if not calls or len(calls) > 1 or refusal or legacy or audio or (speaker is not None and speaker != role):
            return decline(chunk)
        call = calls[0]
        function = call.function
        if call.id or call.type or call.__pydantic_extra__ or function is None or function.name or not function.arguments:
            return decline(chunk)
        if write_arguments is None or call.index != position:
            position = call.index
            write_arguments = writers.arguments_writer(position)
            if write_arguments is None:
                return decline(chunk)
        write_arguments(function.arguments)
        return True

    return take


DIALECT = Dialect(
    "openai.chat", StreamType.CHAT, chunk, usage_fields, FINISH_REASONS, provider="openai", fast=fast, response=response
)
