"""`gemini`: streamGenerateContent of the Gemini API and of Vertex AI, as JSON and as objects of the google-genai SDK.

Terminal rule: each candidate has a `finishReason`; a blocked prompt has no candidate but a `blockReason`. There is no end event.
Usage rule: `usageMetadata` is cumulative on every chunk; the last value of each key counts.

Sources: https://ai.google.dev/api/generate-content (the wire format, finish and block reasons),
https://ai.google.dev/gemini-api/docs/thought-signatures (signatures belong to the part they came with)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..chunks import (
    AudioDelta,
    Channel,
    Chunk,
    Delta,
    DetailDelta,
    FinishDelta,
    ImageDelta,
    PartDelta,
    TextDelta,
    ToolCallDelta,
)
from ..json_readers import count_of, is_list, json_text, mapping_of, mappings_of, name_of, text_of, unnamed
from ..json_values import Json, json_value
from ..records import FinishReason, StreamRecord, StreamType
from .base import Dialect
from .charges import ChargeRules, Counts
from .gemini_response import response
from .gemini_spelling import spelled
from .gemini_usage import SEARCHES, tier_of, usage

FINISH_REASONS: Mapping[str, FinishReason | None] = {
    "stop": None,
    "max_tokens": "length",
    "continuation": "length",
    **dict.fromkeys(
        ("safety", "recitation", "language", "blocklist", "prohibited_content", "spii", "image_safety", "model_armor",
         "image_prohibited_content", "image_recitation", "escalation", "pup_limited_disabled", "jailbreak", "blocked"),
        "content_filter",
    ),
    **dict.fromkeys(
        ("other", "malformed_function_call", "unexpected_tool_call", "too_many_tool_calls", "missing_thought_signature",
         "malformed_response", "no_image", "image_other"),
        "error",
    ),
}  # fmt: skip
"""The reasons for which a candidate ended or a prompt was blocked. "STOP" is used for text and for tool calls."""

_BLOCKED = "BLOCKED"
"""Replaces a block reason that is unspecified, or that means something else as the finish reason of a candidate."""

_FIELDS = frozenset(
    {"candidates", "usageMetadata", "modelVersion", "responseId", "error", "response", "sdkHttpResponse"}
)  # fmt: skip
_CANDIDATE_FIELDS = frozenset({"index", "content", "finishReason", "logprobsResult"})
_CALL_FIELDS = frozenset({"id", "name", "args", "partialArgs", "willContinue"})


def chunk(payload: Mapping[str, Any]) -> Chunk:
    """One GenerateContentResponse."""
    wire = _unwrapped(payload)
    fields = spelled(wire)
    candidates = list(mappings_of(fields.get("candidates")))
    numbers = map(_finish_number, mappings_of(wire.get("candidates")))
    deltas = [
        delta
        for position, (candidate, number) in enumerate(zip(candidates, numbers, strict=True))
        for delta in _candidate(candidate, position, number)
    ]
    report = mapping_of(fields.get("usageMetadata"))
    return Chunk(
        tuple(deltas) if candidates else tuple(_blocked(mapping_of(fields.get("promptFeedback")))),
        meta={
            "response_id": name_of(fields.get("responseId")),
            "model": name_of(fields.get("modelVersion")),
            "service_tier": tier_of(report, mapping_of(fields.get("sdkHttpResponse"))),
        },
        extras=unnamed(fields, _FIELDS),
        usage=_counts(report, candidates),
        error=_error(payload["error"]) if payload.get("error") else None,
    )


def _unwrapped(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    """The answer, which Code Assist sends in a field `response`."""
    inner = payload.get("response")
    return {**payload, **inner} if isinstance(inner, Mapping) else payload


def _counts(report: Mapping[str, Json], candidates: list[Mapping[str, Json]]) -> Mapping[str, Json] | None:
    """The usage report with the number of searches, which are charged; None if it has no counts yet."""
    found = dict(report) if any(count_of(value) is not None for value in report.values()) else {}
    for candidate in candidates:
        queries = mapping_of(candidate.get("groundingMetadata")).get("webSearchQueries")
        if is_list(queries) and queries:
            found[SEARCHES] = len(queries)
    return found or None


def _error(error: Any) -> dict[str, Json]:
    """A `google.rpc.Status`: https://cloud.google.com/apis/design/errors."""
    fields = mapping_of(error)
    status = count_of(fields.get("code"))
    return {
        "type": name_of(fields.get("status")) or name_of(fields.get("code")),
        "message": name_of(fields.get("message")) or name_of(error),
        "code": name_of(fields.get("code")),
        "status": status if status is not None and 100 <= status < 600 else None,
        "body": json_value(error),
    }


def _blocked(feedback: Mapping[str, Json]) -> Iterator[Delta]:
    """A blocked prompt, as an answer that is finished and has no text."""
    if reason := name_of(feedback.get("blockReason")):
        yield FinishDelta(reason if FINISH_REASONS.get(reason.lower()) == "content_filter" else _BLOCKED)


def _finish_number(candidate: Mapping[str, Any]) -> int | None:
    """The finish reason of a candidate as a number, where enums are written so."""
    return count_of(candidate.get("finishReason", candidate.get("finish_reason")))


def _candidate(candidate: Mapping[str, Json], position: int, number: int | None) -> Iterator[Delta]:
    index = count_of(candidate.get("index"))
    index = position if index is None else index
    content = mapping_of(candidate.get("content"))
    role = name_of(content.get("role"))
    yield DetailDelta("role", role, index) if role else TextDelta("", "text", index)
    for part in mappings_of(content.get("parts")):
        yield from _part(part, index)
    yield from _details(candidate, index)
    finish = name_of(candidate.get("finishReason"))
    if finish and finish != "FINISH_REASON_UNSPECIFIED":
        yield FinishDelta(finish, index, number)


def _part(part: Mapping[str, Json], choice: int) -> Iterator[Delta]:
    if isinstance(part.get("text"), str):
        yield from _text(part, choice)
    elif isinstance(part.get("functionCall"), Mapping):
        yield from _call(part, part["functionCall"], choice)
    elif isinstance(part.get("inlineData"), Mapping):
        yield from _media(part, part["inlineData"], choice)
    elif part:
        yield PartDelta("other", 0, part, choice)
    if "functionCall" not in part and (signature := name_of(part.get("thoughtSignature"))):
        yield DetailDelta("reasoning_details", [{"type": "thought_signature", "signature": signature}], choice)


def _text(part: Mapping[str, Json], choice: int) -> Iterator[Delta]:
    channel: Channel = "reasoning" if part.get("thought") else "text"
    beside = {name: value for name, value in part.items() if name != "text" and value is not False}
    yield TextDelta(part["text"], channel, choice)
    if part["text"] or beside.keys() - {"thought"}:
        yield PartDelta(channel, len(part["text"]), beside, choice)


def _call(part: Mapping[str, Json], call: Mapping[str, Json], choice: int) -> Iterator[Delta]:
    """A tool call, whole or in pieces: its name, then arguments by their paths, then an empty call."""
    beside: dict[str, Json] = {name: value for name, value in part.items() if name != "functionCall"}
    if rest := unnamed(call, _CALL_FIELDS):
        beside["functionCall"] = rest
    yield ToolCallDelta(
        arguments=json_text(call.get("args")),
        id=name_of(call.get("id")),
        name=name_of(call.get("name")),
        extras=beside or None,
        choice=choice,
        pieces=[piece for entry in mappings_of(call.get("partialArgs")) if (piece := _piece(entry))] or None,
        goes_on=call.get("willContinue") is True,
    )
    shown = {name: value for name, value in call.items() if name in ("id", "name")}
    yield PartDelta("call", 0, {"functionCall": shown}, choice)


def _piece(entry: Mapping[str, Json]) -> list[Json] | None:
    """One partial argument as path and value; a text may be incomplete."""
    path = name_of(entry.get("jsonPath"))
    for name in ("stringValue", "numberValue", "boolValue"):
        if path and name in entry:
            value = entry[name]
            return [path, int(value) if isinstance(value, float) and value.is_integer() else value]
    return [path, None] if path and "nullValue" in entry else None


def _media(part: Mapping[str, Json], blob: Mapping[str, Json], choice: int) -> Iterator[Delta]:
    """Images (drafts, if part of a thought) and sound become deltas of their own; other media stay in their part."""
    mime_type, data = text_of(blob.get("mimeType")), text_of(blob.get("data"))
    fields = {"mime_type": mime_type or None, **unnamed(blob, frozenset({"mimeType", "data"}))}
    empty = {**part, "inlineData": {name: value for name, value in blob.items() if name != "data"}}
    if mime_type.startswith("image/"):
        yield ImageDelta(None, data or None, bool(part.get("thought")), fields, choice)
        yield PartDelta("other", 0, empty, choice)
    elif mime_type.startswith("audio/"):
        yield AudioDelta(data, fields=fields)
        yield PartDelta("audio", 0, empty, choice)
    else:
        yield PartDelta("other", 0, part, choice)


def _details(candidate: Mapping[str, Json], index: int) -> Iterator[Delta]:
    """Log probabilities, citations, and all other fields of a candidate."""
    rest = {name: value for name, value in candidate.items() if name not in _CANDIDATE_FIELDS and value not in ({}, [])}
    if logprobs := mapping_of(candidate.get("logprobsResult")):
        lists = {name: value for name, value in logprobs.items() if is_list(value)}
        yield DetailDelta("logprobs", lists, index)
        if others := {name: value for name, value in logprobs.items() if name not in lists}:
            rest["logprobsResult"] = others
    if notes := list(_annotations(candidate)):
        yield DetailDelta("annotations", notes, index)
    if rest:
        yield DetailDelta("extras", rest, index)


def _annotations(candidate: Mapping[str, Json]) -> Iterator[Json]:
    """Citations, the sources of the answer, and the segments that they support, each in its own shape."""
    grounding, cited = mapping_of(candidate.get("groundingMetadata")), mapping_of(candidate.get("citationMetadata"))
    lists = {
        "citation": cited.get("citations") or cited.get("citationSources"),
        "grounding_chunk": grounding.get("groundingChunks"),
        "grounding_support": grounding.get("groundingSupports"),
    }
    for kind, entries in lists.items():
        yield from ({"type": kind, **entry} for entry in mappings_of(entries))


def tool_counts(record: StreamRecord) -> Counts:
    """Grounding with Google Maps, charged once if it returned a source. Searches are in the report; reading a URL is free."""
    sources = [note for choice in record.choices for note in choice.annotations if note.get("type") == "grounding_chunk"]
    yield "maps_queries", 1 if any("maps" in note for note in sources) else None


_IDENTIFYING = frozenset(
    {"candidates", "usageMetadata", "usage_metadata", "promptFeedback", "prompt_feedback", "modelVersion", "model_version"}
)


def is_live(payload: Mapping[str, Any]) -> bool:
    """Whether a usage report, or the answer beside it, is that of a Live session, which has some names in common."""
    usage = mapping_of(payload.get("usageMetadata") or payload.get("usage_metadata"))
    return not (
        {"responseTokenCount", "response_token_count"}.isdisjoint(usage)
        and {"serverContent", "server_content", "toolCall", "tool_call"}.isdisjoint(payload)
    )


def _is_gemini(payload: Mapping[str, Any]) -> bool:
    return not is_live(payload) and any(_is_answer(fields) for fields in (payload, mapping_of(payload.get("response"))))


def _is_answer(fields: Mapping[str, Any]) -> bool:
    candidate = next(mappings_of(fields.get("candidates")), {})
    usage = mapping_of(fields.get("usageMetadata") or fields.get("usage_metadata"))
    return (
        not {"role", "parts"}.isdisjoint(mapping_of(candidate.get("content")))
        or not {"finishReason", "finish_reason"}.isdisjoint(candidate)
        or not {"promptTokenCount", "prompt_token_count", "totalTokenCount", "total_token_count"}.isdisjoint(usage)
    )


def _may_be_gemini(payload: Mapping[str, Any]) -> bool:
    """A status (https://cloud.google.com/apis/design/errors), or a chunk without candidates that say anything."""
    error = mapping_of(payload.get("error"))
    if isinstance(error.get("code"), int) and isinstance(error.get("status"), str):
        return True
    return (
        "choices" not in payload
        and not is_live(payload)
        and any(not _IDENTIFYING.isdisjoint(fields) for fields in (payload, mapping_of(payload.get("response"))))
    )


DIALECT = Dialect(
    "gemini",
    StreamType.CHAT,
    chunk,
    usage,
    FINISH_REASONS,
    provider="google",
    response=response,
    recognises=_is_gemini,
    resembles=_may_be_gemini,
    operation="generate_content",
    charges=ChargeRules(tool_counts, picture_tools=frozenset({"codeExecutionResult"})),
)

DIALECTS = (DIALECT,)
