"""`openai.images`: image generation and image edits.

Terminal rule: as many `….completed` events as images were requested (n, else one). Usage rule: final, in each completed
event. A partial image is a preview of the whole image, which the completed one replaces.

Source: https://platform.openai.com/docs/api-reference/images-streaming
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..chunks import Chunk, ImageDelta
from ..json_readers import count_of, name_of, text_of, unnamed
from ..json_values import Json, json_value
from ..records import Image, StreamRecord, StreamType
from .base import Dialect, by_type
from .openai_common import error_chunk, response_usage, total_of, unknown_event
from .openai_usage import usage_fields

_FIELDS = frozenset(
    {"type", "b64_json", "url", "partial_image_index", "usage", "index", "model", "revised_prompt", "image_index"}
)

_WHOLE = (".completed", ".partial_succeeded")
"""Suffixes of events with a whole image: OpenAI's, and Volcengine's, whose last event has only totals."""

_DESCRIBED = ("background", "output_format", "quality", "size")
"""Fields of a response that describe its images. It does not state which of them the model chose ("auto")."""


def chunk(payload: Mapping[str, Any]) -> Chunk:
    """One image event."""
    if found := error_chunk(payload):
        return found
    kind = text_of(payload.get("type"))
    if not kind.endswith((".partial_image", *_WHOLE)):
        return unknown_event(kind, payload)
    shown = any(isinstance(payload.get(name), str) for name in ("b64_json", "url"))
    return Chunk(
        (_image(payload, partial=kind.endswith(".partial_image")),) if shown else (),
        meta={"model": name_of(payload.get("model"))},
        usage=json_value(payload["usage"]) if isinstance(payload.get("usage"), Mapping) else None,
    )


def _image(payload: Mapping[str, Any], *, partial: bool) -> ImageDelta:
    output_format = name_of(payload.get("output_format"))
    fields = {
        "mime_type": f"image/{output_format}" if output_format else None,
        "url": name_of(payload.get("url")),
        "revised_prompt": name_of(payload.get("revised_prompt")),
        **unnamed(payload, _FIELDS),
    }
    index = count_of(payload.get("index"))
    index = count_of(payload.get("image_index")) if index is None else index
    return ImageDelta(index, text_of(payload.get("b64_json")) or None, partial, fields)


def response(record: StreamRecord) -> dict[str, Json]:
    """The record as an images response."""
    described = record.images[0].extras if record.images else {}
    usage = record.usage
    shape = {
        "input_tokens": usage.input_tokens or 0 if usage else 0,
        "input_tokens_details": {"image_tokens": 0, "text_tokens": 0},
        "output_tokens": usage.output_tokens or 0 if usage else 0,
        "total_tokens": total_of(usage),
    }
    return {
        "created": described.get("created_at", 0),
        "data": [_response_image(image) for image in record.images],
        **{name: described[name] for name in _DESCRIBED if described.get(name, "auto") != "auto"},
        **response_usage(usage, shape),
    }


def _response_image(image: Image) -> dict[str, Json]:
    fields = {"b64_json": json_value(image.data), "url": image.url, "revised_prompt": image.revised_prompt}
    return {name: value for name, value in fields.items() if value is not None}


DIALECT = Dialect(
    "openai.images",
    StreamType.IMAGE,
    chunk,
    usage_fields,
    response=response,
    recognises=by_type("image_generation.", "image_edit."),
)

DIALECTS = (DIALECT,)
