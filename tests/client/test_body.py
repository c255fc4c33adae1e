"""Reading a body to chunks, however the bytes are split."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamtally import Chunk
from streamtally.chunks import AudioDelta
from streamtally.client.body import Body
from streamtally.client.requests import CHAT, SPEECH, TRANSCRIPTION
from streamtally.dialects import payload_reader
from streamtally.dialects.frames import FRAMES, Frames
from streamtally.framing import JSONTextDecoder, payloads
from streamtally.testing import scenarios
from streamtally.testing.media import silence

EVENTS = "text/event-stream"
WHOLE = {"choices": [{"index": 0, "message": {"content": "Hi"}, "finish_reason": "stop"}]}
BODIES = {
    "events": (CHAT, EVENTS, scenarios.chat("漢字 and more", reasoning="hm").body),
    "lines": (CHAT, "application/x-ndjson", b'{"choices": [{"delta": {"content": "a"}}]}\n' * 3),
    "events with CRLF": (TRANSCRIPTION, EVENTS, scenarios.transcription().body),
    "sound in events": (SPEECH, EVENTS, scenarios.speech(sse=True).body),
    "half": (CHAT, EVENTS, scenarios.chat().body[:300]),
    "whole": (CHAT, "application/json", json.dumps(WHOLE, indent=2).encode()),
    "whole in a list": (CHAT, "application/json", json.dumps([WHOLE]).encode()),
    "half of a whole": (CHAT, "application/json", json.dumps(WHOLE).encode()[:20]),
    "lines called JSON": (CHAT, "application/json", b'{"choices": [{"delta": {"content": "a"}}]}\n' * 3),
    "blank": (CHAT, EVENTS, b"\n\n"),
}


def chunks(kind: str, pieces: list[bytes]) -> list[Chunk]:
    """All chunks of a body that arrives in these pieces, read as a transport reads them."""
    endpoint, media_type, _ = BODIES[kind]
    body = Body(endpoint.dialect, media_type)
    found = []
    for piece in [*pieces, None]:
        while body.ready:
            found.append(body.ready.popleft())
        if body.ended:
            break
        body.feed(piece)
    return [*found, *body.ready]


@given(st.sampled_from(sorted(BODIES)), st.data())
def test_any_cut_gives_the_same_chunks(kind: str, data: st.DataObject) -> None:
    """The chunks do not depend on how the body is split."""
    whole = BODIES[kind][2]
    places = sorted(data.draw(st.sets(st.integers(0, len(whole)), max_size=8)))
    pieces = [whole[start:stop] for start, stop in zip([0, *places], [*places, len(whole)], strict=True)]
    assert chunks(kind, pieces) == chunks(kind, [whole])


@pytest.mark.parametrize("kind", sorted(BODIES))
def test_byte_by_byte(kind: str) -> None:
    """Reads of one byte give the same chunks."""
    whole = BODIES[kind][2]
    assert chunks(kind, [whole[place : place + 1] for place in range(len(whole))]) == chunks(kind, [whole])


def test_tails() -> None:
    """Only an incomplete rest is kept as tail."""
    tails = {
        kind: [chunk.extras["tail"] for chunk in chunks(kind, [BODIES[kind][2]]) if "tail" in chunk.extras] for kind in BODIES
    }
    assert {kind for kind, tail in tails.items() if tail} == {"half", "half of a whole"}
    assert tails["half of a whole"] == [json.dumps(WHOLE)[:20]]


@pytest.mark.parametrize(
    ("media_type", "start", "is_sound"),
    [
        ("audio/pcm", b"data: x", True),
        ("application/octet-stream", b"{", True),
        ("text/event-stream", b"\xff", False),
        ("", b"\xff\xfb", True),
        ("", b"data: {}", False),
        ("", b'{"error": "x"}', False),
    ],
)
def test_audio_or_events(media_type: str, start: bytes, is_sound: bool) -> None:
    """The media type decides, or without one the first bytes."""
    body = Body(SPEECH.dialect, media_type)
    body.feed(start)
    body.feed(None)
    deltas = [delta for chunk in body.ready for delta in chunk.deltas]
    assert any(isinstance(delta, AudioDelta) and delta.data == start for delta in deltas) == is_sound
    assert body.ended


def test_audio_keeps_its_leading_blanks() -> None:
    """Leading bytes that are white space in text are audio."""
    body = Body(SPEECH.dialect, "audio/pcm")
    for piece in (b"  ", b"\n", silence()):
        body.feed(piece)
    assert b"".join(chunk.audio for chunk in body.ready) == b"  \n" + silence()


def test_nothing_follows_the_end_marker() -> None:
    """Payloads after the end marker are ignored, even in the same read."""
    body = Body(CHAT.dialect, EVENTS)
    body.feed(b'data: [DONE]\n\ndata: {"choices": []}\n\ndata: [DONE]\n\n')
    assert [chunk.terminal for chunk in body.ready] == [True]
    assert (body.ended, body.complete) == (True, True)


def test_a_broken_transport_after_the_end_marker() -> None:
    """A transport failure after the end marker is no failure of the stream."""
    body = Body(CHAT.dialect, EVENTS)
    body.feed(b"data: [DONE]")
    body.fail(OSError("gone"))
    assert ([chunk.terminal for chunk in body.ready], body.failure) == ([True], None)


def test_a_whole_answer_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """A JSON body has a maximum size."""
    bounded = Frames(lambda: JSONTextDecoder(max_frame=100), payloads)
    monkeypatch.setattr(payload_reader, "FRAMES", {**FRAMES, "json": bounded})
    body = Body(CHAT.dialect, "application/json")
    for _ in range(20):
        if body.needs_data:
            body.feed(b"[" * 10)
    (chunk,) = body.ready
    assert chunk.error is not None
    assert (chunk.error["type"], body.ended) == ("framing_error", True)


@pytest.mark.parametrize("content", [b"[" * 100_000, b"[]", b'{"a": 1}', b"3", b"null"])
def test_odd_json(content: bytes) -> None:
    """JSON that is too deep, empty or of another shape ends the stream without raising."""
    body = Body(CHAT.dialect, "application/json")
    body.feed(content)
    body.feed(None)
    assert body.ended
