"""`Extract`: items that no dialect reads, by paths and functions, given by the caller or registered for a class."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import BaseModel

from streamtally import Accumulator, Extract, Outcome, StreamRecord, Tally, UnknownDialect, register_source, replay
from streamtally.sources import registry
from tests.accumulator.wire import chat, finish_chunk, text_chunk


@dataclass
class Event:
    """What a made-up framework yields."""

    words: str | None = None
    thought: str | None = None
    calls: list[Any] = field(default_factory=list)
    end: dict[str, Any] | None = None
    inner: Any = None


EXTRACT = Extract(
    unwrap="inner",
    text="words",
    reasoning="thought",
    tool_calls="calls",
    finish="end.why",
    usage=lambda event: event.end and event.end["tokens"],
    model="end.model",
    error="end.error",
)
TOKENS = {"prompt_tokens": 3, "completion_tokens": 2, "cache_write_tokens": 1}
EVENTS = [
    Event(thought="hm"),
    Event("Hel"),
    Event("lo"),
    Event(calls=[SimpleNamespace(index=0, id="c", function=SimpleNamespace(name="f", arguments='{"a":'))]),
    Event(calls=[{"index": 0, "args": "1}"}]),
    Event(
        end={"why": "tool_calls", "tokens": {"prompt_tokens": 3, "completion_tokens": 2, "cache_write_tokens": 1}, "model": "m"}
    ),
]


@pytest.fixture
def registered() -> Iterator[None]:
    """The class is registered during the test."""
    register_source(f"{__name__}.Event", EXTRACT, provider="acme")
    yield
    registry._registered.clear()
    registry._origin_of_class.cache_clear()


def check(record: StreamRecord) -> None:
    """Check that everything was read."""
    assert (record.text, record.reasoning, record.finish_reason, record.model) == ("Hello", "hm", "tool_calls", "m")
    (call,) = record.tool_calls
    assert (call.id, call.name, call.arguments_json) == ("c", "f", {"a": 1})
    assert record.usage is not None
    assert (record.usage.input_tokens, record.usage.output_tokens, record.usage.cache_write_tokens) == (3, 2, 1)
    assert (record.dialect, record.outcome, record.extras) == ("extract", Outcome.COMPLETED, {})


def test_given_by_the_caller() -> None:
    """To `replay`, `wrap` and `open`."""
    check(replay(EVENTS, extract=EXTRACT))
    with Tally().wrap(EVENTS, extract=EXTRACT) as stream:
        assert list(stream) == EVENTS
    check(stream.record)
    accumulator = Accumulator()
    accumulator.open("r", extract=EXTRACT)
    for index in reversed(range(len(EVENTS))):
        accumulator.add("r", EVENTS[index], index=index)
    check(accumulator.finish("r"))


@pytest.mark.usefixtures("registered")
def test_registered_for_a_class() -> None:
    """Its subclasses are read in the same way."""

    class Special(Event):
        """A kind of event."""

    record = replay([Special("Hel"), *EVENTS[:1], *EVENTS[2:]])
    check(record)
    assert record.provider == "acme"


@pytest.mark.usefixtures("registered")
def test_a_chunk_inside_is_read_in_its_place() -> None:
    """By the dialect that its fields show; where there is none inside, the other fields are read."""
    record = replay([Event(inner=text_chunk("Hel")), Event(inner=chat(content="lo")), Event(inner=finish_chunk()), Event()])
    assert (record.dialect, record.text, record.finish_reason, record.provider) == ("openai.chat", "Hello", "stop", "acme")


def test_beside_a_dialect() -> None:
    """What it finds counts in place of what the dialect reads; the rest is the dialect's."""
    chunks = [{**text_chunk("ignored"), "shown": word} for word in ("a", "b")]
    record = replay([*chunks, finish_chunk()], dialect="openai.chat", extract=Extract(text="shown"))
    assert (record.text, record.finish_reason, record.dialect) == ("ab", "stop", "openai.chat")


def test_a_function_that_raises_costs_its_field() -> None:
    """And is counted; what else there is comes."""
    extract = Extract(text="words", reasoning=lambda event: event.no_such.thing, finish="end.why", unwrap=lambda _: 1 / 0)
    record = replay(EVENTS, extract=extract)
    assert (record.text, record.finish_reason, record.outcome) == ("Hello", "tool_calls", Outcome.COMPLETED)
    assert record.extras == {"observation_faults": 2 * len(EVENTS)}


def test_reports_that_add() -> None:
    """Each is an increment."""
    items = [
        {"text": "a", "usage": {"input_tokens": 5}},
        {"text": "b", "usage": {"output_tokens": 1}},
        {"usage": {"output_tokens": 2}},
    ]
    usage = replay(items, extract=Extract(text="text", usage="usage", usage_adds=True)).usage
    assert usage is not None
    assert (usage.input_tokens, usage.output_tokens) == (5, 3)


@pytest.mark.parametrize(
    ("error", "stated"),
    [
        ("it broke", ("provider_error", "it broke")),
        (ValueError("bad"), ("ValueError", "bad")),
        (SimpleNamespace(type="overloaded", message="busy", code=None), ("overloaded", "busy")),
    ],
)
def test_errors(error: Any, stated: tuple[str, str]) -> None:
    """As a text, an exception or an object."""
    record = replay([Event("a"), Event(end={"error": error})], extract=Extract(text="words", error="end.error"))
    assert record.error is not None
    assert (record.outcome, record.error.type, record.error.message) == (Outcome.ERROR, *stated)


class Partial(BaseModel):
    """An object of a user's own, as structured output is streamed in."""

    error: str | None = None
    choices: list[dict[str, Any]] | None = None
    metadata: dict[str, Any] | None = None
    response: dict[str, Any] | None = None
    usage: dict[str, Any] | None = None


@pytest.mark.parametrize(
    "item",
    [
        Partial(error="no parking"),
        Partial(choices=[{"text": "A"}, {"text": "B"}]),
        Partial(metadata={"usage": {"prompt_tokens": 3}}),
        Partial(response={"error": {"message": "x", "code": 1}}),
        Partial(usage={"total_tokens": 4}),
        SimpleNamespace(event_type="token", done=True, message={"a": 1}),
    ],
)
def test_a_user_s_own_objects_are_nobody_s(item: Any) -> None:
    """The names of their fields make them no dialect and no error, and nothing of them is lost."""
    record = replay([item, item])
    assert (record.dialect, record.provider, record.outcome, record.error) == ("opaque", None, Outcome.COMPLETED, None)
    assert record.extras


def test_bad_arguments() -> None:
    """A name without a module, and an unknown dialect."""
    with pytest.raises(ValueError, match="with its module"):
        register_source("Event", EXTRACT)
    with pytest.raises(UnknownDialect):
        register_source("acme.Event", EXTRACT, dialect="no.such")


def test_no_sdk_is_imported() -> None:
    """Rows name classes, and import none."""
    code = "import streamtally.sources as s, sys; list(s.all_sources()); assert not {'openai', 'anthropic'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
