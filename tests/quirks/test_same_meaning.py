"""The same conversation makes the same record in the format of every provider."""

import pytest

from streamtally import replay
from streamtally.dialects import dialect_names
from tests.quirks.bodies import WRITERS
from tests.quirks.conversations import BY_DIALECT, MEANING
from tests.quirks.quirk import differences

CASES = [(dialect, name) for dialect in BY_DIALECT if dialect in dialect_names() for name in BY_DIALECT[dialect]]


@pytest.mark.parametrize(("dialect", "name"), CASES)
def test_the_record_is_the_same(dialect: str, name: str) -> None:
    """Normalised fields, inclusive totals and the outcome are equal for all formats, read from bytes."""
    record = replay(WRITERS[dialect][0](BY_DIALECT[dialect][name]), dialect=dialect)
    assert differences(record, MEANING[name]) == {}


@pytest.mark.parametrize(("dialect", "name"), [case for case in CASES if case[1] in ("error", "cut")])
def test_usage_of_an_interrupted_stream_is_partial(dialect: str, name: str) -> None:
    """Counts that were reported are lower bounds; without a report usage is None, never zero."""
    record = replay(WRITERS[dialect][0](BY_DIALECT[dialect][name]), dialect=dialect)
    assert record.usage is None or record.usage.partial
