"""The error fields that are taken from an exception, also from one whose attributes cannot be read."""

import pytest

from streamtally import Outcome, StreamRecord, Tally
from streamtally.accumulator import failure_fields


class Mute(Exception):
    """An exception that raises when its text or any attribute is read."""

    def __str__(self) -> str:
        raise RuntimeError("no text")

    def __getattr__(self, name: str) -> object:
        raise RuntimeError(name)


def test_an_exception_that_raises_when_it_is_read() -> None:
    """The error fields of an unreadable exception are its class name alone."""
    assert {name: value for name, value in failure_fields(Mute()).items() if value is not None} == {"type": "Mute"}


def test_the_source_of_such_an_exception_ends_all_the_same() -> None:
    """An unreadable exception reaches the caller itself, and the stream gets one record."""
    records: list[StreamRecord] = []
    tally = Tally(exporters=[records.append])
    error = Mute()

    def source() -> object:
        raise error

    with pytest.raises(Mute) as caught:
        list(tally.wrap(source))
    assert caught.value is error
    assert [record.outcome for record in records] == [Outcome.ERROR]
    assert len(tally.accumulator) == 0


@pytest.mark.parametrize("name", ["body", "json_data"])
def test_what_the_provider_answered(name: str) -> None:
    """An SDK's exception has it under one of two names, and may say nothing of it in its message."""
    error = RuntimeError("An error occurred")
    setattr(error, name, {"code": "1302", "message": "too many"})
    fields = failure_fields(error)
    assert (fields["message"], fields["body"]) == ("An error occurred", {"code": "1302", "message": "too many"})
