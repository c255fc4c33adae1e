"""For mutated streams nothing is raised, the record can be dumped and loaded, and all ways of reading agree.

With `HYPOTHESIS_PROFILE=deep` it runs for long.
"""

import json
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streamtally import Accumulator, StreamRecord, Tally, replay
from tests.dialects.wire import facts
from tests.fuzz.invariants import check, check_of_mappings
from tests.fuzz.mutations import ODD_VALUES, mutated_bytes, mutated_payloads, paths_in, replaced
from tests.fuzz.seeds import seeded_dialects, seeds
from tests.quirks.catalog import KNOWN

each_dialect = pytest.mark.parametrize("dialect", seeded_dialects())
drawing = settings(
    max_examples=settings().max_examples // 2,  # of each of many dialects
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)

NUMBERED = frozenset({"openai.responses"})
"""Dialects whose payloads are numbered: a repeated number is a duplicate, which under another index is another payload."""


@pytest.mark.no_cover  # a mass of the same: tracing each line would only make it slow
@each_dialect
@drawing
@given(st.data())
def test_payloads_with_something_broken(dialect: str, data: st.DataObject) -> None:
    """Payloads dropped, doubled, swapped, cut, or with a field changed or removed: the same record by payload and by index."""
    payloads = data.draw(mutated_payloads(_payloads(dialect)))
    record = replay(payloads, dialect=dialect)
    check_of_mappings(record, payloads)
    check_of_mappings(keyed := _keyed(payloads, dialect), payloads)
    if dialect not in NUMBERED:
        assert _comparable(keyed) == _comparable(record)


@pytest.mark.no_cover  # a mass of the same: tracing each line would only make it slow
@each_dialect
@drawing
@given(st.data())
def test_bytes_with_something_broken(dialect: str, data: st.DataObject) -> None:
    """Bytes flipped, cut, doubled, or with odd bytes inserted: the same record in any pieces, dialect stated or not."""
    body = data.draw(mutated_bytes([seed.body for seed in seeds(dialect)]))
    record = replay(body, dialect=dialect)
    check(record)
    check(replay(body))
    size = data.draw(st.integers(1, 64))
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    assert _comparable(replay(pieces, dialect=dialect)) == _comparable(record)


@drawing
@given(st.data())
def test_payloads_of_another_dialect(data: st.DataObject) -> None:
    """Payloads that are read in the wrong dialect make some record."""
    sent, named = data.draw(st.tuples(*[st.sampled_from(seeded_dialects())] * 2))
    seed = data.draw(st.sampled_from(seeds(sent)))
    check(replay(seed.body, dialect=named))
    check(replay([*seed.payloads], dialect=named))


@pytest.mark.no_cover  # a mass of the same: tracing each line would only make it slow
@pytest.mark.parametrize("dialect", sorted({quirk.dialect for quirk in KNOWN}))
def test_any_field_of_any_quirk_may_hold_anything(dialect: str) -> None:
    """Each field of the quirks in turn has one odd value, which is the same in every run."""
    chance = random.Random(5)
    for quirk in KNOWN:
        if quirk.dialect == dialect and len(quirk.payloads) < 30:
            for position, payload in enumerate(quirk.payloads):
                for path in paths_in(payload):
                    stream: list[Any] = json.loads(json.dumps(quirk.payloads, default=lambda value: value.decode("latin-1")))
                    stream[position] = replaced(stream[position], path, chance.choice(ODD_VALUES))
                    check_of_mappings(replay(stream, dialect=dialect), stream)


def _payloads(dialect: str) -> list[Any]:
    return [seed.payloads for seed in seeds(dialect) if seed.payloads]


def _keyed(payloads: list[Any], dialect: str) -> StreamRecord:
    """The record of the payloads in reverse order, each twice."""
    accumulator = Accumulator()
    accumulator.open("r", dialect=dialect)
    for position in reversed(range(len(payloads))):
        for _ in range(2):
            accumulator.add("r", payloads[position], index=position)
    return Tally().priced(accumulator.finish("r"))


def _comparable(record: StreamRecord) -> str:
    """A record as text, because NaN does not equal itself."""
    return repr(sorted(facts(record).items()))
