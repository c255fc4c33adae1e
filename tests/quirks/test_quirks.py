"""Every quirk, read in every way, makes the expected record."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

import streamtally
from streamtally import StreamRecord, replay, to_response
from streamtally.dialects import dialect_named
from tests.dialects.wire import facts, keyed, pieces
from tests.quirks.bodies import WRITERS
from tests.quirks.catalog import KNOWN
from tests.quirks.quirk import Quirk, differences

each_quirk = pytest.mark.parametrize("quirk", [pytest.param(quirk, id=quirk.name) for quirk in KNOWN])

_NAMED_BY = frozenset({"dialect", "provider", "stream_type"})


@each_quirk
def test_the_record_has_the_expected_values(quirk: Quirk) -> None:
    """The payloads are read as they are."""
    assert differences(replay(quirk.payloads, dialect=quirk.dialect), quirk.expected) == {}


@each_quirk
def test_every_way_of_reading_makes_the_same_record(quirk: Quirk) -> None:
    """In each of the provider's framings, whole and byte by byte; by payload, wrapped, shuffled and twice; named or not."""
    expected = facts(replay(quirk.payloads, dialect=quirk.dialect))
    for name, record in _ways(quirk):
        assert facts(record) == expected, name


@each_quirk
def test_the_dialect_is_detected(quirk: Quirk) -> None:
    """From the bytes alone, and from the payloads; where two dialects look alike, only the name differs."""
    expected = _less_named(replay(quirk.payloads, dialect=quirk.dialect), bool(quirk.same_as))
    dialect = quirk.same_as or quirk.dialect
    for source in (quirk.payloads, _bodies(quirk)[0]):
        record = replay(source)
        assert (record.dialect, _less_named(record, bool(quirk.same_as))) == (dialect, expected)


@each_quirk
def test_the_record_survives_its_json_form(quirk: Quirk) -> None:
    """The record can be dumped to JSON and loaded again; its response form, if the dialect has one, is JSON."""
    record = replay(quirk.payloads, dialect=quirk.dialect)
    assert StreamRecord.model_validate_json(record.model_dump_json()) == record
    if dialect_named(quirk.dialect).response is not None:
        json.dumps(to_response(record), default=repr)


def _ways(quirk: Quirk) -> Iterator[tuple[str, StreamRecord]]:
    dialect = quirk.dialect
    for number, body in enumerate(_bodies(quirk)):
        yield f"body {number}", replay(body, dialect=dialect)
        yield f"body {number}, byte by byte", replay(pieces(body, 1), dialect=dialect)
        yield f"body {number}, in sevens", replay(pieces(body, 7), dialect=dialect)
    yield "wrapped", streamtally.collect(list(quirk.payloads), dialect=dialect)
    yield "shuffled", keyed(quirk.payloads, dialect)
    yield "shuffled otherwise", keyed(quirk.payloads, dialect, seed=11)
    if not any(isinstance(value, bytes) for payload in quirk.payloads for value in _leaves(payload)):
        yield "texts", replay([json.dumps(payload) for payload in quirk.payloads], dialect=dialect)


def _bodies(quirk: Quirk) -> Sequence[bytes]:
    return [write(quirk.payloads) for write in WRITERS[quirk.dialect]]


def _less_named(record: StreamRecord, alike: bool) -> dict[str, Any]:
    return {name: value for name, value in facts(record).items() if not (alike and name in _NAMED_BY)}


def _leaves(value: Any) -> Iterator[Any]:
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    yield from (leaf for child in children for leaf in _leaves(child)) if isinstance(value, dict | list) else iter((value,))
