"""What in a record is content, and the record without it.

Content is whatever the model, the user or the provider put into words, sound or pictures, and whatever may repeat it:
error messages, request parameters, and the unnamed rest that providers send. Counts, sizes, names, ids and times are not.
"""

from __future__ import annotations

from typing import Any

from ..records import StreamRecord

_EXTRAS = {"extras"}
_EACH = "__all__"

CONTENT: dict[str, Any] = {
    "choices": {
        _EACH: {
            "text": True,
            "reasoning": True,
            "reasoning_details": True,
            "refusal": True,
            "annotations": True,
            "logprobs": True,
            "extras": True,
            "tool_calls": {_EACH: {"arguments", "arguments_json"} | _EXTRAS},
        }
    },
    "output_items": True,
    "audio": {"data", "transcript"} | _EXTRAS,
    "transcript": {"text", "words", "segments", "logprobs"},
    "images": {_EACH: {"data", "url", "revised_prompt"} | _EXTRAS},
    "usage": {"raw"},
    "error": {"message", "body"},
    "params": True,
    "extras": True,
    "raw": True,
}
"""The fields of a record that are content, as pydantic's `exclude` takes them."""


def without_content(record: StreamRecord) -> StreamRecord:
    """The same record with every field of `CONTENT` at its default; counts, sizes, ids and times stay.

    Example:
        >>> from streamtally.records import Choice, StreamType
        >>> said = Choice(text="a secret", finish_reason="stop")
        >>> record = StreamRecord(request_id="r1", stream_type=StreamType.CHAT, dialect="text", choices=(said,))
        >>> without_content(record).text, without_content(record).finish_reason
        ('', 'stop')
    """
    return StreamRecord.model_validate(record.model_dump(exclude=CONTENT))


def to_json(record: StreamRecord, *, content: bool) -> str:
    """One line of JSON. Without content its fields are absent, for an empty text would say that the model said nothing."""
    return record.model_dump_json(exclude=None if content else CONTENT)
