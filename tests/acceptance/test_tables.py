"""Tables by stream type, delta, finish reason or field have a row for each; the message of a failure names the place to mend.

Those of the exporters are in `tests/exporters/test_tables.py`, the fields of records in `tests/exporters/test_content.py`, and
those of the state in `tests/accumulator/folding/test_fields.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from typing import Any, NamedTuple, get_args, get_type_hints

import pytest

from streamtally import Limits, Outcome, StreamType, Tally, to_response
from streamtally.accumulator import RequestInfo, request_info, transfer
from streamtally.accumulator.folding import Answer, Fold, choices, fold
from streamtally.accumulator.keyed import KeyedStream
from streamtally.accumulator.stream import Stream
from streamtally.chunks import (
    CONTENT,
    DELTA_TYPES,
    TEXT,
    AudioDelta,
    Chunk,
    Delta,
    DetailDelta,
    FinishDelta,
    ImageDelta,
    ItemDelta,
    PartDelta,
    PayloadDelta,
    TextDelta,
    ToolCallDelta,
    TranscriptDelta,
    UsageDelta,
)
from streamtally.clock import SYSTEM_CLOCK
from streamtally.dialects import anthropic_messages, dialect_named, dialect_names
from streamtally.exporters import attributes, measurements
from streamtally.records import FinishReason
from tests.acceptance import producers
from tests.acceptance.producers import Stage
from tests.backends.traffic import anthropic
from tests.streams.sources import chat_chunks

MARK = "SECRETMARK"

TABLES: Mapping[str, tuple[Iterable[Any], Iterable[Any]]] = {
    "accumulator/folding/fold.py: _FINISHED": (fold._FINISHED, StreamType),
    "accumulator/folding/fold.py: _FOLDS": (fold._FOLDS, get_args(Delta)),
    "accumulator/folding/choices.py: _DETAILS": (choices._DETAILS, get_args(get_type_hints(DetailDelta)["field"])),
    "chunks.py: DELTA_TYPES": (DELTA_TYPES.values(), get_args(Delta)),
    "dialects/: a dialect for each stream type": ({dialect_named(name).stream_type for name in dialect_names()}, StreamType),
    "dialects/anthropic_messages.py: _STOP_REASONS": (anthropic_messages._STOP_REASONS, get_args(FinishReason)),
}


@pytest.mark.parametrize("table", TABLES)
def test_a_table_has_a_row_for_each_member(table: str) -> None:
    """A new stream type, delta or finish reason needs a row in each table."""
    rows, members = TABLES[table]
    assert set(rows) == set(members), f"mend streamtally/{table}"


# -------------------------------------------------------------------------------------------------------------- deltas


class Sample(NamedTuple):
    """A delta, and the flags of a chunk that has it."""

    delta: Delta
    flags: int


ITEM = {"type": "message", "text": MARK}

SAMPLES: tuple[Sample, ...] = (
    Sample(TextDelta(MARK), CONTENT | TEXT),
    Sample(TextDelta(MARK, "reasoning"), CONTENT),
    Sample(TextDelta(MARK, "refusal"), CONTENT),
    Sample(ToolCallDelta(MARK, 0, "call", "look_up"), CONTENT),
    Sample(ToolCallDelta(pieces=[["$.q", MARK]]), CONTENT),
    Sample(FinishDelta("stop"), 0),
    Sample(DetailDelta("role", "assistant"), 0),
    Sample(DetailDelta("logprobs", {"content": [{"token": MARK}]}), 0),
    Sample(DetailDelta("annotations", [{"title": MARK}]), 0),
    Sample(DetailDelta("reasoning_details", [{"type": "reasoning.text", "text": MARK}]), CONTENT),
    Sample(DetailDelta("extras", {"note": MARK}), 0),
    Sample(AudioDelta(MARK.encode(), MARK), CONTENT),
    Sample(ImageDelta(0, MARK), CONTENT),
    Sample(TranscriptDelta(MARK), CONTENT | TEXT),
    Sample(ItemDelta("add", "i", 0, (), ITEM), 0),
    Sample(ItemDelta("done", "i", 0, (), ITEM, "other"), CONTENT),
    Sample(ItemDelta("append", "i", 0, ("text",), MARK, "text"), CONTENT | TEXT),
    Sample(ItemDelta("first", "i", 0, ("text",), MARK, "text"), CONTENT | TEXT),
    Sample(ItemDelta("text", "i", 0, ("text",), MARK, "reasoning"), CONTENT),
    Sample(ItemDelta("set", "i", 0, ("note",), MARK), 0),
    Sample(ItemDelta("push", "i", 0, ("notes",), MARK, "refusal"), CONTENT),
    Sample(ItemDelta("replace", None, None, (), [ITEM]), 0),
    Sample(ItemDelta("restart", "r", None), 0),
    Sample(PartDelta("text", 4, {"note": MARK}), 0),
    Sample(PartDelta("other", 0, {"note": MARK}), CONTENT),
    Sample(UsageDelta({"tokens": 1}, "0"), 0),
    Sample(UsageDelta({"tokens": 1}, "+"), 0),
    Sample(PayloadDelta({"note": MARK}), 0),
)
"""Deltas of every kind, with every word that a field of theirs can have."""


def _words() -> Iterator[tuple[type, str, str]]:
    """Each word that a field of a delta can have, by the delta and the field."""
    for kind in DELTA_TYPES.values():
        for name, hint in get_type_hints(kind).items():
            for words in (hint, *get_args(hint)):
                yield from ((kind, name, word) for word in get_args(words) if isinstance(word, str))


@pytest.mark.parametrize("kind", get_args(Delta), ids=lambda kind: kind.__name__)
def test_a_delta_has_a_sample(kind: type) -> None:
    """A new kind of delta is tested below, and decided on in `_flags_of` and `_size_of`."""
    known = {type(sample.delta) for sample in SAMPLES}
    assert kind in known, f"decide in _flags_of and _size_of of streamtally/chunks.py on {kind.__name__}, and add it to SAMPLES"


@pytest.mark.parametrize(("kind", "name", "word"), sorted(set(_words()), key=repr))
def test_a_word_of_a_delta_has_a_sample(kind: type, name: str, word: str) -> None:
    """A new operation, channel or field is tested below."""
    known = {getattr(sample.delta, name) for sample in SAMPLES if isinstance(sample.delta, kind)}
    where = "its fold in streamtally/accumulator/folding"
    assert word in known, f"decide in {where} on {kind.__name__}.{name} = {word!r}, and add it to SAMPLES"


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: repr(sample.delta))
def test_a_delta(sample: Sample) -> None:
    """It is folded, has its flags, is as large as its content, travels, and a chunk without content has lost it."""
    chunk = Chunk((sample.delta,))
    where = f"mend {type(sample.delta).__name__} in streamtally/chunks.py"
    folding = Fold(Answer())
    folding.apply(chunk)
    assert folding.answer.dump() != Answer().dump(), f"{sample.delta} is not folded: mend streamtally/accumulator/folding"
    assert chunk.flags == sample.flags, f"{where}: _flags_of"
    assert chunk.size >= len(MARK) * (MARK in repr(sample.delta)), f"{where}: _size_of"
    state = json.loads(json.dumps(chunk.state()))
    assert Chunk.from_state(state).state() == chunk.state(), f"{where}: state"
    assert MARK not in repr(chunk.without_content()), f"{where}: without_content"


# ---------------------------------------------------------------------------------------------------------- travelling

CHUNK = Chunk((TextDelta("one"),), {"model": "m"}, {"note": 1}, {"tokens": 1}, {"type": "odd"}, 7, True, True, "a")


def test_every_field_of_a_chunk_travels() -> None:
    """In its JSON form, by which held chunks travel."""
    unset = [name for name in Chunk._fields if getattr(CHUNK, name) == getattr(Chunk(), name)]
    assert not unset, f"set {unset} of CHUNK"
    assert Chunk.from_state(json.loads(json.dumps(CHUNK.state()))) == CHUNK, "mend Chunk.state in streamtally/chunks.py"


REQUEST: Mapping[str, Any] = {
    "request_id": "r",
    "stream_type": StreamType.IMAGE,
    "params": {"model": "m"},
    "attributes": {"team": "t"},
    "conversation_id": "c",
    "server_address": "host",
    "server_port": 443,
    "provider": "p",
    "characters": 3,
    "several": True,
}
"""A value for each field of a request that travels."""


def test_every_field_of_a_request_travels() -> None:
    """What the caller stated is known where the state is merged."""
    names = {each.name for each in fields(RequestInfo)}
    where = "REQUEST, or to _LOCAL in streamtally/accumulator/request_info.py"
    assert names == REQUEST.keys() | request_info._LOCAL, f"add the field to {where}"
    info = RequestInfo(**REQUEST)
    there = RequestInfo.from_state(json.loads(json.dumps(info.state())), keep_input=False)
    assert {name: getattr(there, name) for name in REQUEST} == REQUEST


TRAVELLING = {
    *("request", "reader", "fold", "chunk_count", "faults", "arrivals", "conflicts", "dropped_chunks", "duplicates"),
    *("first_given", "given_start", "opened", "order", "ordering", "waiting"),
}
"""What of a keyed stream travels; of the reader the dialect, the provider, and what waits."""

STAYING = {"clock", "keep", "limits", "raw", "record", "seal", "seal_token", "stall"}
"""What belongs to this process, or to a stream that has ended."""


def test_every_part_of_a_keyed_stream_is_decided_on() -> None:
    """A new attribute travels or stays."""
    declared = {*Stream.__slots__, *KeyedStream.__slots__}
    where = "streamtally/accumulator/transfer.py, and add it to TRAVELLING or STAYING"
    assert declared == TRAVELLING | STAYING, f"decide on {declared ^ (TRAVELLING | STAYING)} in {where}"


def test_every_part_of_a_keyed_stream_travels() -> None:
    """A stream with every kind of chunk is equal after a dump and a load."""
    limits = Limits(held_chunks=1)
    accumulator = Tally(limits=limits).accumulator
    handle = accumulator.open("r", first_index=1, started_at=1.0)
    for index, number in ((1, 0), (2, 1), (2, 1), (2, 2), (5, 3), (6, 4)):
        accumulator.add("r", chat_chunks()[number], index=index)
    accumulator.add("r", Chunk(({},)), index=3)  # type: ignore[arg-type]  # a delta that is none
    stream = handle._stream.stream
    there = transfer.load(transfer.dump(stream), clock=SYSTEM_CLOCK, limits=limits, keep="content")
    assert transfer.dump(there) == transfer.dump(stream)
    for name in TRAVELLING:
        mine, theirs = getattr(stream, name), getattr(there, name)
        assert mine not in (None, 0), f"nothing set {name}: extend this test"
        same = mine == theirs or not isinstance(mine, int | str)
        assert same, f"{name} does not travel: mend streamtally/accumulator/transfer.py"


# --------------------------------------------------------------------------------------------------------- no response

NO_RESPONSE = {
    *("assemblyai.live", "cartesia.speech", "deepgram.live", "elevenlabs.speech", "extract", "gemini.live", "langchain"),
    *("opaque", "openai.speech", "pydantic.ai", "raw.audio", "text", "vercel.ui"),
}
"""Dialects whose provider has no object for a whole answer."""


@pytest.mark.parametrize("name", dialect_names())
def test_a_dialect_has_a_response(name: str) -> None:
    """Each dialect makes the provider's own object of a record, or is known to have none."""
    assert (dialect_named(name).response is None) == (name in NO_RESPONSE), f"decide on Dialect.response of {name}"


# ------------------------------------------------------------------------------------------------------- a missing row


@pytest.mark.parametrize("stream_type", StreamType)
def test_a_type_whose_end_has_no_row(stream_type: StreamType, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader gets every chunk, and the record has the outcome that the way of ending asks for, and the fault."""
    rows = {one: finished for one, finished in fold._FINISHED.items() if one is not stream_type}
    monkeypatch.setattr(fold, "_FINISHED", rows)
    frames = producers.TYPES[stream_type].frames
    stage = Stage()
    assert tuple(stage.tally.wrap(frames)) == frames
    assert _ending(stage) == (stream_type, Outcome.COMPLETED, True)
    stream = stage.tally.wrap(iter(frames))
    assert next(stream) == frames[0]
    stream.close()
    assert _ending(stage) == (stream_type, Outcome.CANCELLED, True)
    for frame in frames:
        stage.tally.add("keyed", frame)
    stage.tally.finish("keyed", Outcome.LIMIT)
    assert _ending(stage)[2]


def _ending(stage: Stage) -> tuple[StreamType, Outcome | None, bool]:
    record = stage.record
    return record.stream_type, record.outcome, "observation_faults" in record.extras


@pytest.mark.parametrize("kind", get_args(Delta), ids=lambda kind: kind.__name__)
def test_a_delta_without_a_fold(kind: type, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader gets every chunk, the record counts the fault, and what else came is in it."""
    monkeypatch.setattr(fold, "_FOLDS", {one: folds for one, folds in fold._FOLDS.items() if one is not kind})
    delta = next(sample.delta for sample in SAMPLES if type(sample.delta) is kind)
    chunks = [Chunk((delta,)), Chunk(meta={"model": "m"})]
    stream = Tally().wrap(chunks)
    assert list(stream) == chunks
    assert (stream.record.model, stream.record.extras) == ("m", {"observation_faults": 1})


@pytest.mark.parametrize("table", [(measurements, "OPERATIONS"), (attributes, "STREAM_TYPES")], ids=lambda table: table[1])
@pytest.mark.parametrize("stream_type", StreamType)
def test_a_type_without_a_row_in_an_exporter(
    stream_type: StreamType, table: tuple[Any, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exporter fails, and is counted; the reader and the other exporters get everything."""
    module, name = table
    monkeypatch.setattr(module, name, {one: row for one, row in getattr(module, name).items() if one is not stream_type})
    frames = producers.TYPES[stream_type].frames
    stage = Stage()
    assert tuple(stage.tally.wrap(frames)) == frames
    assert (stage.record.stream_type, stage.record.outcome) == (stream_type, Outcome.COMPLETED)
    assert stage.tally.delivery is not None
    assert stage.tally.delivery.failures


def test_a_response_of_every_finish_reason() -> None:
    """The object of Anthropic's API exists for every finish reason, also those that it has no word for."""
    stage = Stage()
    list(stage.tally.wrap(anthropic("one", "claude-sonnet-4-5").frames))
    for reason in (*get_args(FinishReason), None):
        (choice,) = stage.record.choices
        other = choice.model_copy(update={"finish_reason": reason, "finish_reason_raw": "odd"})
        response = to_response(stage.record.model_copy(update={"choices": (other,)}))
        assert response["stop_reason"] == (reason and anthropic_messages._STOP_REASONS[reason])
