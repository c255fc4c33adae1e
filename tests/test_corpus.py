"""Recorded streams of real providers, read where they lie: every way of reading one comes to its reference.

`STREAMTALLY_CORPUS` says where they are; see docs/corpus.md.
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
from tests.recordings import Recording, folder, read_all, why_absent
from tests.reference import differences
from tests.sdk_types import check_response, fits

BYTE_BY_BYTE = 20_000
"""Bodies up to this size are cut after every byte, larger ones at many places."""

CUTS = 2_000

NO_RESPONSE = frozenset({"openai.speech"})
"""Dialects whose records have no response object."""

LOOK_ALIKE: Mapping[str, str] = {"mistral.chat": "openai.chat", "openai.speech": "raw.audio"}
"""What else a dialect may be taken for, for its payloads say no more."""

_NAMED_BY = frozenset({"dialect", "provider"})


def _recordings() -> list[Any]:
    path = folder()
    if path is None:
        return [pytest.param(None, marks=pytest.mark.skip(reason=why_absent()), id="absent")]
    return [pytest.param(one, id=f"{one.api}-{one.name}") for one in read_all(path) if one.api in dialect_names()]


each_recording = pytest.mark.parametrize("recorded", _recordings())


@each_recording
def test_the_record_is_the_reference(recorded: Recording) -> None:
    """In all that the reference knows; the record survives its JSON form."""
    record = replay(recorded.body, dialect=recorded.api)
    assert differences(recorded, record) == []
    assert StreamRecord.model_validate_json(record.model_dump_json()) == record


@each_recording
def test_every_way_of_reading_says_the_same(recorded: Recording) -> None:
    """In any pieces, as it was read, and by payload: in order, in any order with its index, and each of them twice."""
    expected = facts(replay(recorded.body, dialect=recorded.api))
    for cut in _cuts(recorded):
        assert facts(replay(cut, dialect=recorded.api)) == expected
    if chunks := recorded.payloads():
        assert facts(replay(chunks, dialect=recorded.api)) == expected
        for seed in (1, 2):
            assert facts(_keyed(chunks, recorded.api, seed)) == expected


@each_recording
def test_the_dialect_is_told(recorded: Recording) -> None:
    """From the bytes alone; where it is taken for one that looks alike, the record says the same all the same."""
    named, told = replay(recorded.body, dialect=recorded.api), replay(recorded.body)
    if told.dialect == LOOK_ALIKE.get(recorded.api):
        assert _less_named(told) == _less_named(named)
    elif told.dialect == "opaque":
        assert all(len(payload) == 1 for payload in recorded.payloads()), "a single field may be anybody's"
    else:
        assert facts(told) == facts(named)


@each_recording
def test_the_outcome(recorded: Recording) -> None:
    """An error inside says so; so does an answer that nobody finished; all others are completed."""
    record = replay(recorded.body, dialect=recorded.api)
    assert record.outcome is _expected_outcome(recorded, record)
    assert (record.error is not None) is (record.outcome is Outcome.ERROR)


@each_recording
def test_a_completed_answer_has_a_response_object(recorded: Recording) -> None:
    """The official SDK's response type takes the record of every completed stream of which it has a type.

    Of an Anthropic message, block by block, it is what the SDK makes of the stream itself: also where that is a block of
    which its type has come to ask more.
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


@each_recording
def test_a_stream_that_is_cut(recorded: Recording) -> None:
    """What is said of the first part of a body is the first part of what is said, and never that it is completed."""
    whole = replay(recorded.body, dialect=recorded.api)
    for at in random.Random(len(recorded.body)).sample(range(len(recorded.body)), min(4, len(recorded.body))):
        part = replay(recorded.body[:at], dialect=recorded.api)
        assert whole.text.startswith(part.text) or recorded.api in _SAID_AGAIN
        finished = bool(part.choices) and None not in part.finish_reasons
        assert part.outcome is not Outcome.COMPLETED or finished or recorded.api in _SAYS_NO_FINISH


_SAID_AGAIN = frozenset({"openai.responses", "openai.transcription"})
"""A last event says all once more, with the last word."""

_SAYS_NO_FINISH = frozenset({"openai.images", "openai.speech", "openai.transcription"})


def _less_named(record: StreamRecord) -> Mapping[str, Any]:
    return {name: value for name, value in facts(record).items() if name not in _NAMED_BY}


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
    """The record of payloads, each added twice under its index, in an order that the seed makes."""
    positions = [*range(len(chunks))] * 2
    random.Random(seed).shuffle(positions)
    tally = Tally()  # which counts the tools, as `replay` does
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
    """Whether a payload says that something went wrong, in any API's way."""
    if isinstance(payload, str):
        return payload.startswith("event: error")
    if not isinstance(payload, Mapping):
        return False
    inner = [each for each in (payload.get("delta"), *(payload.get("choices") or ())) if isinstance(each, Mapping)]
    named = any(str(name).endswith("Exception") for name in payload)
    failed = payload.get("type") in ("error", "response.failed")
    return bool(payload.get("error")) or named or failed or any(each.get("error") for each in inner)


def _blocks(content: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Blocks of a message, less what says nothing."""
    return [{name: value for name, value in block.items() if value not in (None, [])} for block in content]
