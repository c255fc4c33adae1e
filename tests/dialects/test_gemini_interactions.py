"""The dialect `gemini.interactions`: steps, their assembly, live events, the SDK's objects, and the whole interaction."""

from types import SimpleNamespace
from typing import Any

import pytest

from streamtally import Outcome, Tally, replay, to_response
from streamtally.dialects import dialect_named
from streamtally.dialects.payload_reader import PayloadReader
from tests.dialects.wire import Payload, read
from tests.quirks.interactions import URL, calls, created, ends, event, says, step, summary, thinks, used
from tests.sdk_types import check_response

IMAGE = {"type": "image", "data": "YWFh", "mime_type": "image/png"}
SOUND = {"type": "audio", "data": "YmJi", "mime_type": "audio/wav"}

WHOLE = [
    created(),
    *step(0, "thought", summary("hm"), {"type": "thought_signature", "signature": "c2ln"}, signature=""),
    *step(1, "google_search_call", {"type": "google_search_call", "arguments": {"queries": ["q"]}}, id="s", arguments={}),
    *step(2, "model_output", {"type": "text", "text": "Hello"}, IMAGE, SOUND,
          {"type": "text_annotation_delta", "annotations": [URL]}),
    *calls(3, "c", "f", '{"a": 1}'),
    ends("requires_action", usage=used(9, 4, 3), service_tier="flex", created="2026-11-30T00:00:00Z"),
]  # fmt: skip


def test_objects_of_the_sdk() -> None:
    """They make the same record as the events that they are made of, in every framing."""
    record = read(WHOLE, "gemini.interactions")
    assert (record.text, record.reasoning, record.provider, record.service_tier) == ("Hello", "hm", "google", "flex")
    assert [call.arguments_json for call in record.tool_calls] == [{"a": 1}]


def test_what_the_sdk_does_not_know() -> None:
    """It is in the field `raw` of the SDK's object, if that is read by its attributes."""
    unknown = SimpleNamespace(event_type="UNKNOWN", raw=event("step.delta", index=0, delta={"type": "text", "text": "a"}))
    delta = event("step.delta", index=0, delta={"type": "UNKNOWN", "raw": {"type": "text", "text": "b"}, "is_unknown": True})
    record = replay([created(), unknown, delta, ends()], dialect="gemini.interactions")
    assert record.text == "ab"


def test_the_whole_interaction() -> None:
    """The response form is valid for the SDK, with sound in its place, and is read as the same answer."""
    record = replay(WHOLE)
    whole = to_response(record)
    check_response("gemini.interactions", whole)
    content = [{"type": "text", "text": "Hello"}, IMAGE, SOUND, {"type": "text", "text": "", "annotations": [URL]}]
    assert (whole["status"], whole["steps"][2]["content"]) == ("requires_action", content)
    again = replay([whole])
    assert (again.dialect, again.outcome) == ("gemini.interactions", Outcome.COMPLETED)
    assert (again.text, again.reasoning, again.usage) == (record.text, record.reasoning, record.usage)
    assert again.tool_calls == record.tool_calls


@pytest.mark.parametrize(
    ("events", "status"),
    [
        ([created(), *says("a")], "incomplete"),
        ([created(), *calls(0, "c", "f", '{"a')], "incomplete"),
        ([created(), event("error", error={"code": "c", "message": "m"})], "failed"),
        ([created(), ends("cancelled")], "cancelled"),
        ([created(), *thinks("hm"), ends("budget_exceeded")], "budget_exceeded"),
    ],
)
def test_the_status_of_the_whole_interaction(events: list[Payload], status: str) -> None:
    """As the provider stated it, else by the outcome."""
    whole = to_response(replay(events))
    check_response("gemini.interactions", whole)
    assert whole["status"] == status
    assert ("errors" in whole) == (status == "failed")


def test_a_whole_interaction_that_has_not_ended() -> None:
    """Its state is read, and it is cut off."""
    record = replay([{"id": "i", "object": "interaction", "status": "in_progress", "steps": [{"type": "model_output"}]}])
    assert (record.dialect, record.outcome, record.response_id) == ("gemini.interactions", Outcome.TRUNCATED, "i")


LIVE = [
    event("interaction.connected"),
    event("interaction.created", interaction_id="i1"),
    *says("a"),
    event("interaction.completed", status="completed", usage=used(9, 4)),
    event("interaction.created", interaction_id="i2"),
    *says("b"),
]


@pytest.mark.parametrize(
    ("last", "outcome"), [("interaction.completed", Outcome.COMPLETED), ("interaction.cancelled", Outcome.CANCELLED)]
)
def test_live_interactions(last: str, outcome: Outcome) -> None:
    """A socket has one after another: each is a part of the record, with steps from 0 on."""
    record = replay([*LIVE, event(last, usage=used(11, 2))])
    assert (record.text, record.outcome) == ("ab", outcome)
    assert [part.response_id for part in record.parts] == ["i1", "i2"]
    assert record.usage is not None
    assert (record.usage.input_tokens, record.usage.output_tokens) == (20, 6)


def test_continuations() -> None:
    """Each hop of an automatic continuation is an interaction of its own, of which the usage is summed."""
    hop = [created(id="h1"), *says("a"), ends("requires_continuation", id="h1", continuation_token="t", usage=used(9, 4))]
    record = replay([*hop, created(id="h2"), *says("b"), ends(id="h2", usage=used(13, 2))])
    assert (record.text, record.finish_reason, record.response_id) == ("ab", "stop", "h2")
    assert record.usage is not None
    assert (record.usage.input_tokens, record.usage.output_tokens) == (22, 6)


def test_a_hop_that_was_interrupted() -> None:
    """The SDK goes on with another interaction, whose steps are not those of the first."""
    record = replay([created(id="h1"), *thinks("hm")[:-1], created(id="h2"), *says("a"), ends(id="h2")])
    assert (record.reasoning, record.text, len(record.output_items)) == ("hm", "a", 2)


def test_add_ends_with_the_terminal() -> None:
    """The SDK hides `[DONE]`; `interaction.completed` ends a keyed stream, in any order."""
    tally, events = Tally(), [created(), *says("a", "b"), ends()]
    found = [tally.add("r", events[number], index=number) for number in (5, 3, 2, 0, 4, 1)]
    assert [record is None for record in found] == [True] * 5 + [False]
    assert found[-1] is not None
    assert (found[-1].text, found[-1].outcome) == ("ab", Outcome.COMPLETED)


@pytest.mark.parametrize(
    "payload",
    [
        created(),
        event("interaction.status_update", interaction_id="i", status="queued"),
        event("interaction.complete", interaction={}),
        event("content.start", index=0, content={"type": "text"}),
        event("content.delta", index=0, delta={"type": "text", "text": "a"}),
        *says("a"),
    ],
)
def test_events_that_are_recognised(payload: Payload) -> None:
    """By the type of the event and what it carries; Cohere's events have an `event_type` too."""
    assert dialect_named("gemini.interactions").recognises(payload)
    assert not dialect_named("cohere.v1").recognises(payload)
    assert not dialect_named("cohere.v1").resembles(payload)


@pytest.mark.parametrize(
    "payload",
    [
        {"event_type": "step.start"},
        {"event_type": "step.delta", "index": 0, "delta": "a"},
        {"event_type": "step.stop", "index": "first"},
        {"event_type": "interaction.liked"},
        {"event_type": "text-generation", "text": "a"},
        {"event_type": "error", "message": "a"},
        {"object": "interaction"},
    ],
)
def test_events_of_others(payload: Payload) -> None:
    """A name alone is no event of this API."""
    dialect = dialect_named("gemini.interactions")
    assert not dialect.recognises(payload)
    assert not dialect.resembles(payload)


def test_a_stream_that_is_only_an_error() -> None:
    """It is an error of this API, unless the next payload says otherwise."""
    record = replay([event("error", error={"code": "RESOURCE_EXHAUSTED", "message": "slow down"})])
    assert (record.dialect, record.outcome) == ("gemini.interactions", Outcome.ERROR)
    assert record.error is not None
    assert (record.error.type, record.error.message) == ("RESOURCE_EXHAUSTED", "slow down")


def test_normalised_chunks() -> None:
    """The words of a chunk, for clients that read chunk by chunk."""
    reader = PayloadReader()
    words: list[Any] = [
        (chunk.text, chunk.reasoning) for payload in [created(), *thinks("hm"), *says("a")] for chunk in reader.read(payload)
    ]
    assert [word for word in words if word != ("", "")] == [("", "hm"), ("a", "")]


def test_texts_that_grow_from_step_to_step() -> None:
    """They are the texts of three steps, and no snapshots of one."""
    steps = [{"type": "model_output", "content": [{"type": "text", "text": text}]} for text in ("1", "12", "123")]
    assert replay([created(), ends(steps=steps)]).text == "112123"
