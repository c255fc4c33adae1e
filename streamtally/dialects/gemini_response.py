"""The record of a Gemini stream as the GenerateContentResponse that the API returns without streaming.

Fields that the official SDK's types do not have are omitted, because it rejects them. The record has all fields.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice

from ..json_readers import mapping_of, name_of, text_of
from ..json_values import Json, json_value, merged
from ..records import Choice, StreamRecord, ToolCall
from .gemini_spelling import spelled

_FIELDS = ("createTime", "promptFeedback", "modelStatus")
_CANDIDATE_FIELDS = (
    "citationMetadata",
    "finishMessage",
    "tokenCount",
    "groundingMetadata",
    "avgLogprobs",
    "safetyRatings",
    "urlContextMetadata",
    "continuationToken",
)
_PART_FIELDS = frozenset(
    {"text", "thought", "thoughtSignature", "functionCall", "functionResponse", "inlineData", "fileData", "executableCode",
     "codeExecutionResult", "toolCall", "toolResponse", "videoMetadata", "mediaResolution", "partMetadata"}
)  # fmt: skip
_USAGE_FIELDS = frozenset(
    {"cacheTokensDetails", "cachedContentTokenCount", "candidatesTokenCount", "candidatesTokensDetails", "promptTokenCount",
     "promptTokensDetails", "thoughtsTokenCount", "toolUsePromptTokenCount", "toolUsePromptTokensDetails", "totalTokenCount",
     "trafficType"}
)  # fmt: skip


def response(record: StreamRecord) -> dict[str, Json]:
    """The record as a GenerateContentResponse."""
    media = _Media(record)
    blocked = "promptFeedback" in record.extras and not _is_answered(record)
    found = {
        "responseId": record.response_id,
        "modelVersion": record.model or record.requested_model,
        "candidates": None if blocked else [_candidate(choice, record, media) for choice in record.choices],
        "usageMetadata": _only(record.usage.raw, _USAGE_FIELDS) if record.usage and record.usage.raw else None,
        **{name: record.extras.get(name) for name in _FIELDS},
    }
    return {name: value for name, value in found.items() if value is not None}


def _is_answered(record: StreamRecord) -> bool:
    """Whether the record has an answer, and not only the reason for which a prompt was blocked."""
    return any(choice.role or choice.text or choice.tool_calls for choice in record.choices)


def _only(fields: Mapping[str, Json], names: frozenset[str]) -> dict[str, Json]:
    return {name: value for name, value in fields.items() if name in names}


def _candidate(choice: Choice, record: StreamRecord, media: _Media) -> dict[str, Json]:
    found = {
        "index": choice.index,
        "content": {"role": choice.role or "model", "parts": list(_parts(choice, record, media))},
        "finishReason": _finish_word(choice.finish_reason_raw, record),
        "logprobsResult": merged(mapping_of(choice.logprobs), mapping_of(choice.extras.get("logprobsResult"))) or None,
        **{name: choice.extras.get(name) for name in _CANDIDATE_FIELDS},
    }
    return {name: value for name, value in found.items() if value is not None}


def _finish_word(finish: str | int | None, record: StreamRecord) -> str | None:
    """The name of a finish reason that is a number: the numbers differ between the Gemini API and Vertex AI."""
    usage = {"usageMetadata": record.usage.raw} if record.usage else {}
    return name_of(spelled({**record.extras, **usage, "finishReason": finish}).get("finishReason"))


def _parts(choice: Choice, record: StreamRecord, media: _Media) -> Iterator[Json]:
    """The parts in their order of arrival."""
    calls = iter(choice.tool_calls)
    items = [item for item in record.output_items if item.get("index", 0) == choice.index]
    for item in items or _plain_items(choice):
        if "functionCall" in item:
            yield from map(_call, islice(calls, 1))
        elif "inlineData" in item and "data" not in mapping_of(item["inlineData"]):
            yield from media.next_like(item, mapping_of(item["inlineData"]))
        elif part := _only(item, _PART_FIELDS):
            yield part


def _plain_items(choice: Choice) -> Iterator[dict[str, Json]]:
    """The parts of an answer whose order was not recorded: reasoning, then text, then tool calls."""
    if choice.reasoning:
        yield {"text": choice.reasoning, "thought": True}
    if choice.text:
        yield {"text": choice.text}
    yield from ({"functionCall": {}} for _ in choice.tool_calls)


def _call(call: ToolCall) -> dict[str, Json]:
    fields = {"id": call.id, "name": call.name, "args": call.arguments_json}
    known = {name: value for name, value in fields.items() if value is not None}
    return {**_only(call.extras, _PART_FIELDS), "functionCall": known}


class _Media:
    """Puts images and sound back into the parts in which they arrived."""

    __slots__ = ("_audio", "_images")

    def __init__(self, record: StreamRecord) -> None:
        self._images = iter(record.images)
        self._audio = record.audio

    def next_like(self, item: Mapping[str, Json], blob: Mapping[str, Json]) -> Iterator[Json]:
        """The part with its data; nothing for the draft of an image, or for sound that an earlier part has already."""
        if text_of(blob.get("mimeType")).startswith("audio/"):
            audio, self._audio = self._audio, None
            data = audio.data if audio else None
        else:
            image = None if item.get("thought") else next(self._images, None)
            data = image.data if image else None
        if data is not None:
            yield {**_only(item, _PART_FIELDS), "inlineData": {**blob, "data": json_value(data)}}
