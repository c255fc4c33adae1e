"""Every builder's stream, read by the official SDK, sync and async."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from openai import AsyncOpenAI, OpenAI
from openai.types import ImageEditStreamEvent, ImageGenStreamEvent
from openai.types.audio import TranscriptionStreamEvent
from openai.types.chat import ChatCompletionChunk
from openai.types.responses import ResponseFailedEvent, ResponseIncompleteEvent, ResponseStreamEvent
from pydantic import TypeAdapter

from streamtally.framing import DONE, SSEDecoder, payloads
from streamtally.testing import FakeProvider, Scenario, scenarios
from streamtally.testing.media import png, silence
from streamtally.testing.scenarios import Call, Segment

ASKED: dict[str, Any] = {"model": "any", "messages": [{"role": "user", "content": "Hi"}], "stream": True}


def payloads_of(body: bytes) -> list[Any]:
    """The JSON payloads of a body."""
    decoder = SSEDecoder()
    return [payload for event in decoder.feed(body) + decoder.flush() for payload in payloads(event.data)]


def events_of(provider: FakeProvider, scenario: Scenario, call: Callable[[Any], Any]) -> list[Any]:
    """The events of the SDK's stream; its sync and async clients must agree."""
    provider.enqueue(scenario, scenario)
    with OpenAI(base_url=provider.base_url, api_key="test", max_retries=0) as client:
        events = list(call(client))

    async def collect() -> list[Any]:
        async with AsyncOpenAI(base_url=provider.base_url, api_key="test", max_retries=0) as client:
            return [event async for event in await call(client)]

    assert asyncio.run(collect()) == events
    return events


def test_chat(provider: FakeProvider) -> None:
    """Role, text, finish and usage arrive in this order."""
    scenario = scenarios.chat("Good morning, 世界 😀", model="m")
    chunks = events_of(provider, scenario, lambda client: client.chat.completions.create(**ASKED))
    assert {type(chunk) for chunk in chunks} == {ChatCompletionChunk}
    assert [chunk.choices[0].delta.content for chunk in chunks[:-1]] == ["", "Good", " morning,", " 世界", " 😀", None]
    assert [chunk.choices[0].finish_reason for chunk in chunks[:-1]] == [None] * 5 + ["stop"]
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-1].choices == []
    assert chunks[-1].usage.total_tokens == 9 + 4
    assert {chunk.model for chunk in chunks} == {"m"}


def test_chat_in_the_pieces_given() -> None:
    """Given pieces are not split again, and given usage is sent unchanged."""
    sent = payloads_of(scenarios.chat(["a b", "", "c"], usage={"prompt_tokens": 1}, role_chunk=False).body)
    assert [payload["choices"][0]["delta"] for payload in sent[:-2]] == [
        {"content": "a b"},
        {"content": ""},
        {"content": "c"},
        {},
    ]
    assert sent[-2]["usage"] == {"prompt_tokens": 1}
    assert sent[-1] is DONE


def test_chat_without_usage_and_end_marker() -> None:
    """A stream without usage and end marker."""
    sent = payloads_of(scenarios.chat("a", include_usage=False, done=False, finish_reason="length").body)
    assert all("usage" not in payload for payload in sent)
    assert sent[-1]["choices"][0]["finish_reason"] == "length"


def test_chat_with_parallel_tool_calls(client: OpenAI, provider: FakeProvider) -> None:
    """The arguments of two calls are interleaved, and the SDK assembles them; there is no text."""
    calls = [Call("weather", json.dumps({"city": "Köln"}), "call_a"), Call("time", ['{"zone"', ': "CET"', "}"])]
    provider.enqueue(scenarios.chat(tool_calls=calls))
    with client.chat.completions.stream(model="any", messages=[{"role": "user", "content": "Hi"}]) as stream:
        completion = stream.get_final_completion()
    made = completion.choices[0].message.tool_calls or []
    assert [(call.id, call.function.name, json.loads(call.function.arguments)) for call in made] == [
        ("call_a", "weather", {"city": "Köln"}),
        ("call_1", "time", {"zone": "CET"}),
    ]
    assert completion.choices[0].finish_reason == "tool_calls"
    assert completion.choices[0].message.content == ""
    deltas = [payload["choices"][0]["delta"] for payload in payloads_of(scenarios.chat(tool_calls=calls).body)[:-2]]
    assert [delta["tool_calls"][0]["index"] for delta in deltas[3:7]] == [0, 1, 0, 1]


def test_chat_with_reasoning_and_choices(provider: FakeProvider) -> None:
    """Reasoning comes before the answer, and choices are interleaved."""
    scenario = scenarios.chat("So be it", reasoning="Let me think", n=2)
    chunks = events_of(provider, scenario, lambda client: client.chat.completions.create(**ASKED))
    assert [chunk.choices[0].index for chunk in chunks[:-1]] == [0, 1] * 8
    thoughts = [chunk.choices[0].delta.model_extra.get("reasoning_content") for chunk in chunks[2:-1:2]]
    assert thoughts[:4] == ["Let", " me", " think", None]
    assert chunks[-1].usage.completion_tokens == 12
    assert chunks[-1].usage.completion_tokens_details.reasoning_tokens == 6


def test_completions(provider: FakeProvider) -> None:
    """The text is in the choice, the finish on an empty one, and usage is last."""
    scenario = scenarios.completions("Once upon", n=2, finish_reason="length", model="m")
    chunks = events_of(provider, scenario, lambda client: client.completions.create(model="any", prompt="Hi", stream=True))
    assert [[choice.text for choice in chunk.choices] for chunk in chunks] == [["Once"]] * 2 + [[" upon"]] * 2 + [[""]] * 2 + [[]]
    assert [chunk.choices[0].finish_reason for chunk in chunks[:-1]] == [None] * 4 + ["length"] * 2
    assert (chunks[-1].usage.completion_tokens, chunks[0].model) == (4, "m")
    assert len(payloads_of(scenarios.completions("Once", include_usage=False).body)) == 3


def test_responses(provider: FakeProvider) -> None:
    """All events are numbered, and the last has the response and its usage."""
    scenario = scenarios.responses("Good morning", reasoning="Let me think", model="m")
    events = events_of(provider, scenario, lambda client: client.responses.create(model="any", input="Hi", stream=True))
    assert [event.sequence_number for event in events] == list(range(len(events)))
    kinds = [event.type.removeprefix("response.") for event in events]
    assert kinds == [
        *("created", "in_progress", "output_item.added", "reasoning_summary_part.added"),
        *("reasoning_summary_text.delta",) * 3,
        *("reasoning_summary_text.done", "reasoning_summary_part.done", "output_item.done"),
        *("output_item.added", "content_part.added", "output_text.delta", "output_text.delta"),
        *("output_text.done", "content_part.done", "output_item.done", "completed"),
    ]
    response = events[-1].response
    assert (response.output_text, response.status, response.model) == ("Good morning", "completed", "m")
    assert (response.usage.output_tokens, response.usage.output_tokens_details.reasoning_tokens) == (5, 3)


def test_responses_with_parallel_tool_calls(client: OpenAI, provider: FakeProvider) -> None:
    """Function calls are items of their own with interleaved arguments."""
    provider.enqueue(scenarios.responses("Wait", tool_calls=[Call("weather", '{"city": "Köln"}'), Call("time", "{}", "call_t")]))
    with client.responses.stream(model="any", input="Hi") as stream:
        deltas = [event.output_index for event in stream if event.type == "response.function_call_arguments.delta"]
        response = stream.get_final_response()
    calls = [item for item in response.output if item.type == "function_call"]
    assert [(call.call_id, call.name, call.arguments, call.status) for call in calls] == [
        ("call_0", "weather", '{"city": "Köln"}', "completed"),
        ("call_t", "time", "{}", "completed"),
    ]
    assert deltas == [1, 2, 1]
    assert response.output_text == "Wait"


def test_responses_with_nothing_but_a_call(provider: FakeProvider) -> None:
    """Without text there is no message, and given usage is sent unchanged."""
    usage = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
    scenario = scenarios.responses(tool_calls=[Call("now")], usage=usage)
    events = events_of(provider, scenario, lambda client: client.responses.create(model="any", input="Hi", stream=True))
    assert [item.type for item in events[-1].response.output] == ["function_call"]
    assert events[-1].response.usage.to_dict() == usage


@pytest.mark.parametrize("status", ["incomplete", "failed"])
def test_responses_that_do_not_complete(client: OpenAI, provider: FakeProvider, status: Any) -> None:
    """A token limit and a server error end with an event of their own."""
    provider.enqueue(scenarios.responses("Good", status=status))
    *_, last = client.responses.create(model="any", input="Hi", stream=True)
    assert isinstance(last, ResponseIncompleteEvent | ResponseFailedEvent)
    assert last.type == f"response.{status}"
    reason = last.response.incomplete_details and last.response.incomplete_details.reason
    error = last.response.error and last.response.error.code
    assert (reason, error) == {"incomplete": ("max_output_tokens", None), "failed": (None, "server_error")}[status]
    assert (last.response.usage is None) is (status == "failed")


def test_speech_as_bytes(client: OpenAI, provider: FakeProvider) -> None:
    """Raw bytes have the media type of the audio."""
    provider.enqueue(scenarios.speech(silence(20)), scenarios.speech([b"RI", b"FF"], content_type="audio/wav"))
    for sound, kind in ((silence(20), "audio/mpeg"), (b"RIFF", "audio/wav")):
        with client.audio.speech.with_streaming_response.create(model="any", input="Hi", voice="alloy") as response:
            assert b"".join(response.iter_bytes()) == sound
            assert response.headers["content-type"] == kind


def test_speech_as_events(client: OpenAI, provider: FakeProvider) -> None:
    """Base64 in events with CRLF, and usage in the last one."""
    provider.enqueue(scenarios.speech([b"abc", b"defg"], sse=True))
    asked: dict[str, Any] = {"model": "any", "input": "Hi", "voice": "alloy", "stream_format": "sse"}
    with client.audio.speech.with_streaming_response.create(**asked) as response:
        body = b"".join(response.iter_bytes())
    assert payloads_of(body) == [
        {"type": "speech.audio.delta", "audio": "YWJj"},
        {"type": "speech.audio.delta", "audio": "ZGVmZw=="},
        {"type": "speech.audio.done", "usage": {"input_tokens": 9, "output_tokens": 40, "total_tokens": 49}},
        DONE,
    ]
    assert body.count(b"\r\n\r\n") == 4


def transcribe(client: Any) -> Any:
    """Request a transcript."""
    return client.audio.transcriptions.create(model="any", file=("a.mp3", silence()), stream=True)


def test_transcription(provider: FakeProvider) -> None:
    """Pieces of text, then the whole text and usage."""
    *deltas, done = events_of(provider, scenarios.transcription("Hello world."), transcribe)
    assert [event.delta for event in deltas] == ["Hello", " world."]
    assert (done.type, done.text, done.usage.type, done.usage.total_tokens) == (
        "transcript.text.done",
        "Hello world.",
        "tokens",
        11,
    )


def test_transcription_with_speakers(provider: FakeProvider) -> None:
    """Segments replace deltas, and usage is by duration."""
    segments = [Segment("A", 0.0, 1.5, "Hello"), Segment("B", 1.5, 2.0, "world.")]
    scenario = scenarios.transcription("Hello world.", segments=segments, usage={"type": "duration", "seconds": 2})
    *sent, done = events_of(provider, scenario, transcribe)
    assert [(event.id, event.speaker, event.text, event.end) for event in sent] == [
        ("seg_0", "A", "Hello", 1.5),
        ("seg_1", "B", "world.", 2.0),
    ]
    assert done.usage.seconds == 2


@pytest.mark.parametrize("family", ["image_generation", "image_edit"])
def test_images(provider: FakeProvider, family: str) -> None:
    """Each image comes after its previews, with usage."""
    edit = family == "image_edit"
    scenario = scenarios.images(png(grey=1), png(grey=2), partials=2, edit=edit, output_format="webp", size="auto")

    def ask(client: Any) -> Any:
        asked = {"model": "any", "prompt": "Hi", "stream": True, "partial_images": 2}
        return client.images.edit(image=("a.png", png()), **asked) if edit else client.images.generate(**asked)

    events = events_of(provider, scenario, ask)
    assert [event.type for event in events] == ([f"{family}.partial_image"] * 2 + [f"{family}.completed"]) * 2
    assert [event.partial_image_index for event in events if event.type.endswith("partial_image")] == [0, 1] * 2
    assert events[2].b64_json != events[5].b64_json
    assert (events[2].output_format, events[2].size, events[2].usage.total_tokens) == ("webp", "auto", 281)


def test_usage_as_given() -> None:
    """Given usage is sent unchanged."""
    usage = {"input_tokens": 1}
    for scenario in (
        scenarios.images(usage=usage),
        scenarios.speech(sse=True, usage=usage),
        scenarios.transcription(usage=usage),
    ):
        assert [payload["usage"] for payload in payloads_of(scenario.body) if payload is not DONE and "usage" in payload] == [
            usage
        ]


@pytest.mark.parametrize(
    ("kind", "scenario"),
    [
        (ChatCompletionChunk, scenarios.chat("Hi", reasoning="Hm", tool_calls=[Call("f", '{"a": 1}')], n=2)),
        (ResponseStreamEvent, scenarios.responses("Hi", reasoning="Hm", tool_calls=[Call("f", '{"a": 1}')])),
        (ResponseStreamEvent, scenarios.responses(status="incomplete")),
        (ResponseStreamEvent, scenarios.responses(status="failed")),
        (TranscriptionStreamEvent, scenarios.transcription()),
        (TranscriptionStreamEvent, scenarios.transcription(segments=[Segment("A", 0.0, 1.0, "Hi")])),
        (ImageGenStreamEvent, scenarios.images()),
        (ImageEditStreamEvent, scenarios.images(edit=True)),
    ],
)
def test_every_payload_is_valid(kind: Any, scenario: Scenario) -> None:
    """All payloads validate against the SDK's declared types, which are stricter than its parser."""
    adapter: TypeAdapter[Any] = TypeAdapter(kind)
    for payload in payloads_of(scenario.body):
        if payload is not DONE:
            adapter.validate_python(payload, strict=True)
