"""Properties that the record of any stream has."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from streamtally import StreamRecord, StreamType, to_response
from streamtally.dialects import dialect_named


def check(record: StreamRecord) -> None:
    """Check that the record has an outcome, no internal faults, a JSON form that loads again, and a response form.

    Audio and images that are not base64 are omitted and counted as faults. JSON texts are compared, because NaN does not equal
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
    """If all payloads are mappings, a dialect can read each of them: an exception would appear as a malformed payload."""
    check(record)
    if all(isinstance(payload, dict) for payload in payloads) and record.error is not None:
        assert record.error.type != "malformed_payload", record.error
