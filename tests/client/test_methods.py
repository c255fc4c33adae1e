"""The six methods, end to end: request, chunks and record."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from streamtally import Chunk, Outcome, StreamRecord, StreamType
from streamtally.testing import FakeProvider, Scenario, scenarios
from streamtally.testing.media import png, silence
from tests.client.conftest import KEY, Asker

HELLO = [{"role": "user", "content": "Hello"}]


def test_chat(ask: Asker, provider: FakeProvider) -> None:
    """Chunks of text, and a record with the usage that was requested."""
    answer = ask("stream_chat", "gpt-4.1-mini", HELLO, temperature=0.5, a_field_of_tomorrow={"x": [1]})
    (request,) = provider.requests
    assert (request.method, request.path) == ("POST", "/v1/chat/completions")
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["content-type"] == "application/json"
    assert request.json == {
        "stream_options": {"include_usage": True},
        "model": "gpt-4.1-mini",
        "messages": HELLO,
        "temperature": 0.5,
        "a_field_of_tomorrow": {"x": [1]},
        "stream": True,
    }
    assert answer.error is None
    assert answer.text == answer.record.text == "Hello! How can I help you?"
    assert all(isinstance(chunk, Chunk) for chunk in answer.chunks)
    assert [chunk.terminal for chunk in answer.chunks] == [False] * 9 + [True]
    record = answer.record
    assert (record.outcome, record.stream_type, record.finish_reason) == (Outcome.COMPLETED, StreamType.CHAT, "stop")
    assert record.usage is not None
    assert (record.usage.input_tokens, record.usage.output_tokens, record.usage.source) == (9, 6, "provider")
    assert (record.provider, record.requested_model, record.model) == (None, "gpt-4.1-mini", "gpt-4.1-mini")
    assert (record.server_address, record.timing.started_from) == ("127.0.0.1", "request")
    assert record.cost.status == "priced"
    assert record.params["temperature"] == 0.5
    assert "messages" not in record.params


def test_chat_with_tools_and_choices(ask: Asker, provider: FakeProvider) -> None:
    """Tool calls and several choices arrive completely; Unicode is sent unchanged."""
    calls = [scenarios.Call("find", '{"city": "Köln"}'), scenarios.Call("now")]
    provider.enqueue(scenarios.chat(tool_calls=calls, n=2, reasoning="Let me see.").rechunked(7))
    answer = ask("stream_chat", "m", [{"role": "user", "content": "Wetter in Köln? \ud83d\ude00"}], n=2)
    assert provider.requests[0].json["messages"][0]["content"] == "Wetter in Köln? 😀"
    assert [(call.name, call.arguments_json) for call in answer.record.tool_calls] == [("find", {"city": "Köln"}), ("now", {})]
    assert [choice.reasoning for choice in answer.record.choices] == ["Let me see."] * 2
    assert answer.record.finish_reasons == ("tool_calls", "tool_calls")


@pytest.mark.parametrize(("given", "sent"), [({"include_usage": False}, {"include_usage": False}), (None, None)])
def test_the_callers_stream_options_win(ask: Asker, provider: FakeProvider, given: Any, sent: Any) -> None:
    """The caller's `stream_options` replace the default; None sends none."""
    answer = ask("stream_chat", "m", HELLO, stream_options=given)
    assert provider.requests[0].json.get("stream_options") == sent
    assert ("stream_options" in provider.requests[0].json) == (sent is not None)
    assert answer.record.outcome is Outcome.COMPLETED
    assert answer.record.usage is None


def test_completion(ask: Asker, provider: FakeProvider) -> None:
    """A text completion has text."""
    answer = ask("stream_completion", "gpt-3.5-turbo-instruct", "Once", max_tokens=16)
    assert provider.requests[0].path == "/v1/completions"
    assert provider.requests[0].json == {
        "stream_options": {"include_usage": True},
        "model": "gpt-3.5-turbo-instruct",
        "prompt": "Once",
        "max_tokens": 16,
        "stream": True,
    }
    assert answer.text == answer.record.text == "Once upon a time"
    assert (answer.record.outcome, answer.record.stream_type) == (Outcome.COMPLETED, StreamType.TEXT)
    assert answer.record.usage is not None
    assert answer.record.usage.output_tokens == 4


def test_responses(ask: Asker, provider: FakeProvider) -> None:
    """A response ends at its last event, without another end marker."""
    answer = ask("stream_responses", "gpt-4.1-mini", "Hello", instructions="Be kind.")
    assert provider.requests[0].path == "/v1/responses"
    assert provider.requests[0].json == {"model": "gpt-4.1-mini", "input": "Hello", "instructions": "Be kind.", "stream": True}
    assert answer.text == answer.record.text == "Hello! How can I help you?"
    assert (answer.record.outcome, answer.record.response_id) == (Outcome.COMPLETED, "resp_0")
    assert answer.chunks[-1].terminal
    assert answer.record.usage is not None
    assert answer.record.usage.output_tokens == 6
    assert "instructions" not in answer.record.params


def test_speech_as_audio(ask: Asker, provider: FakeProvider) -> None:
    """Audio is returned as bytes up to the end of the body; the input's characters are counted and its text is not kept."""
    answer = ask("stream_speech", "tts-1", "Guten Tag", voice="a-voice-of-tomorrow", speed=1.5)
    assert provider.requests[0].path == "/v1/audio/speech"
    asked = {"model": "tts-1", "input": "Guten Tag", "voice": "a-voice-of-tomorrow", "speed": 1.5}
    assert provider.requests[0].json == asked
    assert b"".join(chunk.audio for chunk in answer.chunks) == silence()
    record = answer.record
    assert record.audio is not None
    assert (record.audio.data, record.audio.mime_type) == (silence(), "audio/mpeg")
    assert (record.outcome, record.stream_type) == (Outcome.COMPLETED, StreamType.SPEECH)
    assert record.usage is not None
    assert (record.usage.characters, record.usage.output_tokens) == (9, None)
    assert record.params == {"model": "tts-1", "voice": "a-voice-of-tomorrow", "speed": 1.5}


def test_speech_as_events(ask: Asker, provider: FakeProvider) -> None:
    """Audio in events ends with usage."""
    answer = ask("stream_speech", "gpt-4o-mini-tts", "Hello", voice="alloy", sse=True)
    assert provider.requests[0].json["stream_format"] == "sse"
    assert answer.record.audio is not None
    assert answer.record.audio.data == b"".join(chunk.audio for chunk in answer.chunks) == silence()
    assert answer.record.outcome is Outcome.COMPLETED
    assert answer.record.usage is not None
    assert answer.record.usage.output_tokens == 80


@pytest.mark.parametrize("sound", [b"{not json", b"data: no event", b": no comment", b"\0\1"])
def test_speech_that_begins_like_text(ask: Asker, provider: FakeProvider, sound: bytes) -> None:
    """Audio by its media type stays audio, whatever its first bytes."""
    provider.enqueue(scenarios.speech([sound, b"\xff" * 9], content_type="audio/pcm"))
    answer = ask("stream_speech", "tts-1", "Hello", voice="alloy", response_format="pcm")
    assert answer.record.audio is not None
    assert answer.record.audio.data == sound + b"\xff" * 9


def test_transcription(ask: Asker, provider: FakeProvider, tmp_path: Path) -> None:
    """A transcription sends a form with the file and returns a transcript."""
    path = tmp_path / "speech.mp3"
    path.write_bytes(silence())
    answer = ask("stream_transcription", "whisper", path, language="en", include=["logprobs"], vad={"type": "server", "n": 2})
    (request,) = provider.requests
    assert request.path == "/v1/audio/transcriptions"
    assert request.form == {
        "model": "whisper",
        "language": "en",
        "include[]": "logprobs",
        "vad[type]": "server",
        "vad[n]": "2",
        "stream": "true",
    }
    assert b'name="file"; filename="speech.mp3"' in request.body
    assert silence() in request.body
    assert answer.record.text == "Hello world, this is a test."
    assert answer.record.outcome is Outcome.COMPLETED
    assert answer.record.usage is not None
    assert answer.record.usage.audio_input_tokens == 9


@pytest.mark.parametrize("form", ["path", "text path", "bytes", "file", "open file", "named bytes", "named file"])
def test_every_form_of_a_file(ask: Asker, provider: FakeProvider, tmp_path: Path, form: str) -> None:
    """Each form of a file is sent completely, with a name for its format."""
    path = tmp_path / "file.mp3"
    path.write_bytes(silence())
    with path.open("rb") as opened:
        file = {
            "path": path,
            "text path": str(path),
            "bytes": silence(),
            "file": io.BytesIO(silence()),
            "open file": opened,
            "named bytes": ("file.mp3", silence()),
            "named file": ("file.mp3", io.BytesIO(silence())),
        }[form]
        answer = ask("stream_transcription", "m", file)
    assert b'filename="file.mp3"' in provider.requests[0].body
    assert silence() in provider.requests[0].body
    assert answer.record.outcome is Outcome.COMPLETED


def test_images(ask: Asker, provider: FakeProvider) -> None:
    """Previews and complete images arrive."""
    answer = ask("stream_image", "gpt-image-1", "A cat", n=2, partial_images=1, size="1024x1024")
    assert provider.requests[0].path == "/v1/images/generations"
    asked = {"model": "gpt-image-1", "prompt": "A cat", "n": 2, "partial_images": 1, "size": "1024x1024", "stream": True}
    assert provider.requests[0].json == asked
    assert [image.data for image in answer.record.images] == [png(grey=0), png(grey=1)]
    assert [image.partials for image in answer.record.images] == [1, 1]
    assert answer.record.outcome is Outcome.COMPLETED
    assert answer.record.usage is not None
    assert (answer.record.usage.images, answer.record.usage.output_tokens) == (2, 272)


def test_image_edits(ask: Asker, provider: FakeProvider) -> None:
    """With one or more images the request is an edit, sent as a form."""
    answer = ask("stream_image", "gpt-image-1", "A dog", image=[png(), ("b.png", png(grey=1))], mask=png(grey=2), n=1)
    (request,) = provider.requests
    assert request.path == "/v1/images/edits"
    assert request.form == {"model": "gpt-image-1", "prompt": "A dog", "n": "1", "stream": "true"}
    assert request.body.count(b'name="image[]"; filename="') == 2
    assert b'name="mask"; filename="file.png"' in request.body
    assert [image.complete for image in answer.record.images] == [True]
    assert answer.record.outcome is Outcome.COMPLETED


def test_thousand_chunks(ask: Asker, provider: FakeProvider) -> None:
    """A long stream, split anywhere, is read completely."""
    words = [f"word{number} " for number in range(1_000)]
    provider.enqueue(scenarios.chat(words).rechunked(1000))
    answer = ask("stream_chat", "m", HELLO)
    assert answer.record.text == answer.text == "".join(words)
    assert answer.record.chunk_count == len(answer.chunks) == 1_004


def test_unknown_fields_are_kept(ask: Asker, provider: FakeProvider) -> None:
    """Fields that a gateway adds, at the top level and in a choice, are in the record."""
    event = {"id": "x", "object": "chat.completion.chunk", "cache": {"hit": True}}
    choice = {"index": 0, "delta": {"content": "Hi", "mood": "good"}, "finish_reason": "stop"}
    provider.enqueue(Scenario((f"data: {json.dumps({**event, 'choices': [choice]})}\n\n".encode(), b"data: [DONE]\n\n")))
    answer = ask("stream_chat", "m", HELLO)
    assert answer.record.extras == {"cache": {"hit": True}}
    assert answer.record.choices[0].extras == {"mood": "good"}


@pytest.mark.parametrize("media_type", ["application/json", "application/json; charset=utf-8"])
def test_a_server_that_does_not_stream(ask: Asker, provider: FakeProvider, media_type: str) -> None:
    """A response without streaming is one chunk and completed."""
    message = {"role": "assistant", "content": "Hello there"}
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    whole = {"object": "chat.completion", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": usage}
    body = json.dumps(whole, indent=2).encode()
    provider.enqueue(Scenario((body,), content_type=media_type).rechunked(50))
    answer = ask("stream_chat", "m", HELLO)
    assert (answer.error, answer.text, answer.record.text) == (None, "Hello there", "Hello there")
    assert (answer.record.outcome, answer.record.chunk_count) == (Outcome.COMPLETED, 1)


def test_a_transcript_that_is_not_streamed(ask: Asker, provider: FakeProvider) -> None:
    """A model that cannot stream returns the whole transcript."""
    provider.enqueue(Scenario((b'{\n  "text": "Hello."\n}\n',), content_type="application/json"))
    answer = ask("stream_transcription", "whisper-1", b"ID3")
    assert (answer.record.text, answer.record.outcome) == ("Hello.", Outcome.COMPLETED)


def test_events_that_are_called_json(ask: Asker, provider: FakeProvider) -> None:
    """Events under the JSON media type are read by their first byte."""
    scenario = scenarios.chat("one two")
    provider.enqueue(Scenario(scenario.frames, content_type="application/json"))
    answer = ask("stream_chat", "m", HELLO)
    assert (answer.record.text, answer.record.outcome) == ("one two", Outcome.COMPLETED)


def test_the_provider_of_the_record(ask: Asker) -> None:
    """The client's `provider` is in the record, and a request parameter of that name is not taken for it."""
    answer = ask("stream_chat", "m", HELLO, client={"provider": "mine"})
    assert answer.record.provider == "mine"
    assert ask("stream_chat", "m", HELLO, provider={"order": ["x"]}).record.provider is None


def test_records_survive_json(ask: Asker) -> None:
    """The record of a real stream survives JSON."""
    record = ask("stream_chat", "m", HELLO).record
    assert StreamRecord.model_validate_json(record.model_dump_json()) == record
