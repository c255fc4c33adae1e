"""Recorded streams of real providers: every way of reading one gives the result of its reference.

`STREAMTALLY_CORPUS` is the folder of the recordings; see docs/corpus.md.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import pytest

from streamtally import Outcome, StreamRecord, Tally, replay, to_response
from streamtally.dialects import dialect_names
from tests.anthropic_sdk import final_blocks
from tests.dialects.wire import facts, pieces
from tests.recordings import Recording, folder, read_all, skip_reason
from tests.reference import differences
from tests.sdk_types import check_response, fits

BYTE_BY_BYTE = 20_000
"""Bodies up to this size are cut after every byte, larger ones at `CUTS` random places."""

CUTS = 2_000

NO_RESPONSE = frozenset({"openai.speech"})
"""Dialects whose records have no response object."""

LOOK_ALIKE: Mapping[str, str] = {"mistral.chat": "openai.chat", "openai.speech": "raw.audio"}
"""The dialect that is detected instead, because the payloads of both are the same."""

_NAMES = frozenset({"dialect", "provider"})


def _recordings() -> list[Any]:
    path = folder()
    if path is None:
        return [pytest.param(None, marks=pytest.mark.skip(reason=skip_reason()), id="absent")]
    return [
        pytest.param(recorded, id=f"{recorded.api}-{recorded.name}")
        for recorded in read_all(path)
        if recorded.api in dialect_names()
    ]


each_recording = pytest.mark.parametrize("recorded", _recordings())


@each_recording
def test_the_record_is_the_reference(recorded: Recording) -> None:
    """The record has every field of the reference, and survives a round trip through JSON."""
    record = replay(recorded.body, dialect=recorded.api)
    assert differences(recorded, record) == []
    assert StreamRecord.model_validate_json(record.model_dump_json()) == record


@pytest.mark.no_cover  # a mass of the same: tracing each line would only make it slow
@each_recording
def test_every_way_of_reading_gives_the_same_record(recorded: Recording) -> None:
    """Any pieces of the body, and its payloads in order, or repeated in any order with indices, give the same record."""
    expected = facts(replay(recorded.body, dialect=recorded.api))
    for cut in _cuts(recorded):
        assert facts(replay(cut, dialect=recorded.api)) == expected
    if chunks := recorded.payloads():
        assert facts(replay(chunks, dialect=recorded.api)) == expected
        for seed in (1, 2):
            assert facts(_keyed(chunks, recorded.api, seed)) == expected


@each_recording
def test_the_dialect_is_detected(recorded: Recording) -> None:
    """The dialect is detected from the bytes; a similar dialect gives the same record otherwise."""
    named, detected = replay(recorded.body, dialect=recorded.api), replay(recorded.body)
    if detected.dialect == LOOK_ALIKE.get(recorded.api):
        assert _without_names(detected) == _without_names(named)
    elif detected.dialect == "opaque":
        assert all(len(payload) == 1 for payload in recorded.payloads()), "a single field may be anybody's"
    else:
        assert facts(detected) == facts(named)


@each_recording
def test_the_outcome(recorded: Recording) -> None:
    """The outcome is an error if the body has one, truncated without a finish reason, and else completed."""
    record = replay(recorded.body, dialect=recorded.api)
    assert record.outcome is _expected_outcome(recorded, record)
    assert (record.error is not None) is (record.outcome is Outcome.ERROR)


@each_recording
def test_a_completed_answer_has_a_response_object(recorded: Recording) -> None:
    """The SDK's response type accepts the `to_response` of every completed stream.

    The content of an Anthropic message equals what the SDK itself accumulates, which may be a block that its response
    type rejects for lack of newer fields.
    """
    record = replay(recorded.body, dialect=recorded.api)
    if record.outcome is not Outcome.COMPLETED or recorded.api in NO_RESPONSE:
        return
    response = to_response(record)
    if recorded.api != "anthropic.messages" or recorded.disputed:
        check_response(recorded.api, response)
        return
    blocks = final_blocks(recorded.payloads())
    assert _blocks(response["content"]) == _blocks(blocks)
    assert fits(recorded.api, response) or not fits(recorded.api, {**response, "content": blocks})


@pytest.mark.no_cover  # a mass of the same: tracing each line would only make it slow
@each_recording
def test_a_stream_that_is_cut(recorded: Recording) -> None:
    """The text of a cut body is a prefix of the whole text, and without a finish reason it is not completed."""
    whole = replay(recorded.body, dialect=recorded.api)
    for at in random.Random(len(recorded.body)).sample(range(len(recorded.body)), min(4, len(recorded.body))):
        part = replay(recorded.body[:at], dialect=recorded.api)
        assert whole.text.startswith(part.text) or recorded.api in _TEXT_REPEATED
        finished = bool(part.choices) and None not in part.finish_reasons
        assert part.outcome is not Outcome.COMPLETED or finished or recorded.api in _NO_FINISH_REASON


_TEXT_REPEATED = frozenset({"openai.responses", "openai.transcription"})
"""Dialects whose last event repeats the whole text, and may change it."""

_NO_FINISH_REASON = frozenset({"openai.images", "openai.speech", "openai.transcription"})


def _without_names(record: StreamRecord) -> Mapping[str, Any]:
    return {name: value for name, value in facts(record).items() if name not in _NAMES}


def _cuts(recorded: Recording) -> Iterator[list[bytes]]:
    body = recorded.body
    if recorded.reads:
        yield list(recorded.pieces())
    if len(body) <= BYTE_BY_BYTE:
        yield pieces(body, 1)
        return
    places = sorted({0, len(body), *random.Random(len(body)).sample(range(len(body)), CUTS)})
    yield [body[start:end] for start, end in pairwise(places)]


def _keyed(chunks: Sequence[Any], dialect: str, seed: int) -> StreamRecord:
    """Return the record of payloads that are each added twice at their index, in an order drawn from the seed."""
    positions = [*range(len(chunks))] * 2
    random.Random(seed).shuffle(positions)
    tally = Tally()  # a tally, because like `replay` it counts the tools
    tally.open("r", dialect=dialect)
    for position in positions:
        tally.add("r", chunks[position], index=position)
    return tally.finish("r")


def _expected_outcome(recorded: Recording, record: StreamRecord) -> Outcome:
    if any(_is_error(payload) for payload in recorded.payloads()):
        return Outcome.ERROR
    if recorded.features & {"no-finish-reason", "final-event-missing"} or None in record.finish_reasons:
        return Outcome.TRUNCATED
    return Outcome.COMPLETED


def _is_error(payload: Any) -> bool:
    """Whether a payload is an error in any API's format."""
    if isinstance(payload, str):
        return payload.startswith("event: error")
    if not isinstance(payload, Mapping):
        return False
    inner = [each for each in (payload.get("delta"), *(payload.get("choices") or ())) if isinstance(each, Mapping)]
    named = any(str(name).endswith("Exception") for name in payload)
    failed = payload.get("type") in ("error", "response.failed")
    return bool(payload.get("error")) or named or failed or any(each.get("error") for each in inner)


def _blocks(content: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the blocks of a message without empty fields."""
    return [{name: value for name, value in block.items() if value not in (None, [])} for block in content]
