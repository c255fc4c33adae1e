"""Which fields of a record are content, and the record without them.

Content is what the model, the user or the provider expressed in text, audio or images, and all that may repeat it: error
messages, request parameters, and fields of providers that have no name here. Counts, sizes, names, IDs and times are not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, get_args

from pydantic import BaseModel

from ..records import (
    Audio,
    Choice,
    Cost,
    CostLine,
    ErrorDetails,
    Image,
    InterChunk,
    Part,
    StreamRecord,
    Timing,
    ToolCall,
    Transcript,
    Usage,
)


class _Fields(NamedTuple):
    content: frozenset[str]
    plain: frozenset[str]


def _fields(*, content: str = "", plain: str) -> _Fields:
    return _Fields(frozenset(content.split()), frozenset(plain.split()))


FIELDS: Mapping[type[BaseModel], _Fields] = {
    StreamRecord: _fields(
        content="output_items params extras raw",
        plain="request_id stream_type dialect outcome provider requested_model model response_id conversation_id "
        "server_address server_port choices audio transcript images usage parts cost timing error ordering missing highest_index "
        "chunk_count duplicates conflicts late dropped_bytes dropped_chunks service_tier system_fingerprint attributes",
    ),
    Choice: _fields(
        content="text reasoning reasoning_details refusal annotations logprobs extras",
        plain="index role tool_calls finish_reason finish_reason_raw",
    ),
    ToolCall: _fields(content="arguments arguments_json extras", plain="index id name complete type"),
    Audio: _fields(content="data transcript extras", plain="mime_type size id"),
    Image: _fields(content="data url revised_prompt extras", plain="index mime_type partials complete"),
    Transcript: _fields(content="text words segments logprobs", plain="language duration"),
    Usage: _fields(
        content="raw",
        plain="input_tokens output_tokens total_tokens cache_read_tokens cache_write_tokens cache_write_1h_tokens "
        "cache_write_12h_tokens reasoning_tokens citation_tokens text_input_tokens text_output_tokens audio_input_tokens "
        "audio_output_tokens cache_read_audio_tokens cache_write_audio_tokens cache_read_image_tokens "
        "cache_read_video_tokens image_input_tokens image_output_tokens video_input_tokens video_output_tokens "
        "accepted_prediction_tokens rejected_prediction_tokens seconds video_seconds input_video_seconds characters images "
        "input_images megapixels pages annotated_pages searches grounded_prompts grounded_queries maps_queries "
        "file_searches code_sessions search_units image_size image_quality video_size search_context cost_usd "
        "cost_stated_by source partial",
    ),
    Cost: _fields(
        plain="usd status complete breakdown unpriced provider_matched model_matched match_rule rows catalog_revision source "
        "provider_usd gateway_usd computed_usd usage_source inconsistent"
    ),
    CostLine: _fields(plain="unit count rate usd name"),
    Timing: _fields(
        plain="started_from started_at ended_at time_to_first_chunk time_to_first_token time_to_first_text duration "
        "inter_chunk time_per_output_token tokens_per_second provider_wait consumer_wait stalls"
    ),
    InterChunk: _fields(plain="count mean p50 p95 p99 max buckets"),
    ErrorDetails: _fields(content="message body", plain="type code status retryable exception"),
    Part: _fields(plain="response_id model finish_reason finish_reason_raw usage cost error"),
}
"""Every field of every model of a record. A field that is not listed is treated as content."""


def _excluded(model: type[BaseModel]) -> dict[str, Any]:
    """The fields of a model that are not plain, at any depth, as pydantic's `exclude` takes them."""
    excluded: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        if name not in FIELDS[model].plain:
            excluded[name] = True
        elif (nested := _nested(field.annotation)) is not None and (inner := _excluded(nested)):
            excluded[name] = {"__all__": inner} if Ellipsis in get_args(field.annotation) else inner
    return excluded


def _nested(annotation: Any) -> type[BaseModel] | None:
    """The model in an annotation: itself, optional, or in a tuple of any length."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_nested, get_args(annotation))), None)


CONTENT = _excluded(StreamRecord)
"""The fields of a record that are content, as pydantic's `exclude` takes them."""


def without_content(record: StreamRecord) -> StreamRecord:
    """The record with every field of `CONTENT` at its default. Counts, sizes, IDs and times stay.

    Example:
        >>> from streamtally.records import Choice, StreamType
        >>> choice = Choice(text="a secret", finish_reason="stop")
        >>> record = StreamRecord(request_id="r1", stream_type=StreamType.CHAT, dialect="text", choices=(choice,))
        >>> without_content(record).text, without_content(record).finish_reason
        ('', 'stop')
    """
    return StreamRecord.model_validate(record.model_dump(exclude=CONTENT))


def to_json(record: StreamRecord, *, content: bool) -> str:
    """One line of JSON. Without content its fields are absent, since an empty text would mean that nothing was generated."""
    return record.model_dump_json(exclude=None if content else CONTENT)
