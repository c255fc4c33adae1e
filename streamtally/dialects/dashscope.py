"""`dashscope`: the native generation API of Alibaba Cloud's Model Studio, on the wire and as the items of its SDK.

What OpenAI has at the top is in `output`: choices, each with a message (text or a list of parts), or a single `text`. In the
second interface of the SDK the choices are at the top, with a delta in place of the message.

Terminal rule: each choice has a finish reason; until then it is the text "null". There is no end marker.
Usage rule: each item has a report, of which the last counts. Where several answers are asked for, an item is of one choice,
and so is its output; the input is the same for all. An item without choices reports of the first.
Without `incremental_output` a message is all that came so far. No item states that: the fold sees it from the texts, and a
piece of a tool call that has a name has all of its arguments so far.
An error is an item too, with a `code`, or a `status_code` other than 200. Response headers, which the SDK puts in each item,
are not part of the record.

Source: https://help.aliyun.com/zh/model-studio/qwen-api-via-dashscope
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..chunks import AudioDelta, Chunk, Delta, ToolCallDelta, UsageDelta
from ..json_readers import completed, count_of, is_list, mapping_of, mappings_of, name_of, text_of, unnamed
from ..json_values import Json, json_value, stated
from ..records import StreamRecord, StreamType
from . import openai_chat
from .base import Dialect
from .openai_chat_response import response as chat_response
from .openai_common import FINISH_REASONS, error_fields, error_in
from .openai_usage import usage_fields

_ENVELOPE = frozenset({"status_code", "request_id", "code", "message", "output", "usage", "headers", "is_error", "type"})
"""The fields of an item; `type` is the name of its event."""

_NAMED = _ENVELOPE | {"model", "choices", "error"}
_SINGLE = ("text", "message", "finish_reason")
"""The fields of an output that is one choice itself."""

_OUTPUT_FIELDS = frozenset({"choices", "audio", *_SINGLE})
_TEXT_FIELDS = frozenset({"text", "type"})
_OK = 200


def chunk(payload: Mapping[str, Any]) -> Chunk:
    """One item."""
    output = mapping_of(payload.get("output"))
    request_id = payload.get("request_id") or mapping_of(payload.get("error")).get("request_id")
    choices = list(mappings_of(output.get("choices") or payload.get("choices")))
    found = openai_chat.chunk({"choices": [*map(_choice, choices)] or _single(output)})
    report = json_value(mapping_of(payload.get("usage"))) or None
    scope = _scope(choices)
    scoped = () if report is None or scope is None else (UsageDelta(_share(report, scope), str(scope)),)
    return found._replace(
        deltas=(*map(_call, found.deltas), *_audio(output.get("audio")), *scoped),
        meta={"response_id": name_of(request_id), "model": name_of(payload.get("model")) or _model(report)},
        extras={**unnamed(payload, _NAMED), **unnamed(output, _OUTPUT_FIELDS)},
        usage=None if scoped else report,
        error=_error(payload) or found.error,
    )


def _single(output: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The choice that an output without choices is, if it is one."""
    choice = {name: output[name] for name in _SINGLE if output.get(name) is not None}
    return [_choice(choice)] if choice else []


def _choice(choice: Mapping[str, Any]) -> Mapping[str, Any]:
    """A choice in OpenAI's form: its message is a delta, whose parts are those of OpenAI."""
    message = choice.get("delta") or choice.get("message")
    if not isinstance(message, Mapping):
        return choice
    others = {name: value for name, value in choice.items() if name != "message"}
    return {**others, "delta": {**message, "content": _content(message.get("content"))}}


def _content(parts: Any) -> Any:
    """Content of a message; a list of parts with their text as one, and after it what else they have."""
    if not is_list(parts):
        return parts
    text = "".join(part if isinstance(part, str) else text_of(mapping_of(part).get("text")) for part in parts)
    others = filter(None, (unnamed(part, _TEXT_FIELDS) for part in mappings_of(parts)))
    images = ({"image_url": {"url": part["image"]}} if isinstance(part.get("image"), str) else part for part in others)
    return [{"text": text}, *images]


def _call(delta: Delta) -> Delta:
    return delta._replace(final=True) if isinstance(delta, ToolCallDelta) and delta.name else delta


def _audio(audio: Any) -> Iterator[Delta]:
    if fields := mapping_of(audio):
        yield AudioDelta(text_of(fields.get("data")), fields=unnamed(fields, frozenset({"data"})) or None)


def _scope(choices: Sequence[Mapping[str, Any]]) -> int | None:
    """The choice that the report of an item is of; None if it is of several."""
    if len(choices) > 1:
        return None
    return count_of(choices[0].get("index")) or 0 if choices else 0


def _share(report: Mapping[str, Json], choice: int) -> dict[str, Json]:
    """What a report of one choice adds to that of the first, which has the input of all."""
    if choice == 0:
        return dict(report)
    share = {name: report[name] for name in ("output_tokens", "output_tokens_details") if name in report}
    return {**share, "total_tokens": report["output_tokens"]} if {"total_tokens", "output_tokens"} <= report.keys() else share


def _model(report: Mapping[str, Json] | None) -> str | None:
    """The model of an application that used only one."""
    models = [name_of(entry.get("model_id")) for entry in _by_model(report or {})]
    return models[0] if len(models) == 1 else None


def _by_model(report: Mapping[str, Json]) -> Iterator[Mapping[str, Any]]:
    return mappings_of(report.get("models"))


def _error(payload: Mapping[str, Any]) -> dict[str, Json] | None:
    if payload.get("error"):  # an event of this name
        return error_in(payload)
    status = count_of(payload.get("status_code"))
    if not name_of(payload.get("code")) and status in (None, _OK):
        return None
    return error_fields({name: payload[name] for name in ("code", "message", "request_id") if payload.get(name)}, status)


def usage(report: Mapping[str, Json]) -> dict[str, Any]:
    """The report as fields of a `Usage`; an application has one for each of its models. The SDK sets missing counts to 0."""
    models = [usage_fields(entry) for entry in _by_model(report)]
    fields = {name: sum(one.get(name, 0) for one in models) for name in ("input_tokens", "output_tokens")} if models else {}
    spoken = {"characters": count_of(report.get("characters")) or None}
    return completed(usage_fields(report), {**fields, **stated(spoken)})


def response(record: StreamRecord) -> dict[str, Json]:
    """The record as the object that the API returns without streaming, with choices."""
    choices = [
        {name: choice[name] for name in ("index", "message", "finish_reason")} for choice in chat_response(record)["choices"]
    ]
    return {
        "status_code": _OK,
        "request_id": record.response_id or record.request_id,
        "code": "",
        "message": "",
        "output": {**record.extras, "text": None, "finish_reason": None, "choices": choices},
        "usage": record.usage.raw if record.usage else {},
    }


def _is_item(payload: Mapping[str, Any]) -> bool:
    """An output with an answer beside the ID of the request; or the ID and an error, and nothing else."""
    if "request_id" not in payload:
        return False
    output = mapping_of(payload.get("output"))
    if is_list(output.get("choices")) or isinstance(output.get("message"), Mapping) or output.keys() >= {"text", "finish_reason"}:
        return True
    failed = isinstance(payload.get("message"), str) and _error(payload) is not None
    return failed and not output and payload.keys() <= _ENVELOPE


DIALECT = Dialect(
    "dashscope",
    StreamType.CHAT,
    chunk,
    usage,
    FINISH_REASONS,
    provider="alibaba",
    response=response,
    recognises=_is_item,
)

DIALECTS = (DIALECT,)
