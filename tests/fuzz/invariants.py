"""What holds of every record, whatever the stream was."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from streamtally import StreamRecord, StreamType, to_response
from streamtally.dialects import dialect_named


def check(record: StreamRecord) -> None:
    """It has an outcome, no fault of ours is in it, it survives its JSON form, and it has a response form.

    Sound and images that are no base64 are left out and counted as faults. JSON texts are compared, for a NaN is no equal of
    itself.
    """
    assert record.outcome is not None
    has_media = record.images or record.audio or record.stream_type is StreamType.SPEECH
    assert has_media or "observation_faults" not in record.extras, record.extras["observation_faults"]
    text = record.model_dump_json()
    assert StreamRecord.model_validate_json(text).model_dump_json() == text
    repr(record)
    if dialect_named(record.dialect).response is not None:
        json.dumps(to_response(record), default=_bytes)


def _bytes(value: Any) -> str:
    assert isinstance(value, bytes)
    return ""


def check_of_mappings(record: StreamRecord, payloads: Sequence[Any]) -> None:
    """Where all payloads are mappings none of them is too odd to be read: what a dialect raises would be told as malformed."""
    check(record)
    if all(isinstance(payload, dict) for payload in payloads) and record.error is not None:
        assert record.error.type != "malformed_payload", record.error
