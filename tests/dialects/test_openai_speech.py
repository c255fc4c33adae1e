"""Text to speech: server-sent events, or a body of audio."""

import base64
import random

import pytest

from streamtally import Accumulator, replay
from tests.dialects.wire import Payload, pieces, read, sse, stated

DIALECT = "openai.speech"
SOUND = b"ID3\x04" + random.Random(5).randbytes(3000)
USAGE = {"input_tokens": 5, "output_tokens": 60, "total_tokens": 65}
DONE: Payload = {"type": "speech.audio.done", "usage": USAGE}


def delta(data: bytes) -> Payload:
    """One event with audio."""
    return {"type": "speech.audio.delta", "audio": base64.b64encode(data).decode()}


@pytest.mark.parametrize("length", [1000, 1001, 1002])
def test_events(length: int) -> None:
    """The audio of all events is joined, and usage is in the last one."""
    record = read([*map(delta, pieces(SOUND, length)), DONE], DIALECT)
    assert stated(record) == {
        "outcome": "completed",
        "audio": {"data": SOUND, "size": len(SOUND)},
        "usage": {"input_tokens": 5, "output_tokens": 60, "total_tokens": 65},
    }


def test_base64_that_is_cut_anywhere() -> None:
    """Pieces of base64 need not end at a whole byte."""
    code = base64.b64encode(SOUND).decode()
    events = [{"type": "speech.audio.delta", "audio": code[at : at + 333]} for at in range(0, len(code), 333)]
    record = read([*events, DONE], DIALECT)
    assert record.audio is not None
    assert record.audio.data == SOUND


def test_events_without_the_last_one() -> None:
    """The end of the source ends the audio; usage is None."""
    record = read([delta(SOUND)], DIALECT)
    assert (record.outcome, record.usage, record.audio and record.audio.size) == ("completed", None, len(SOUND))


def test_other_fields_of_events() -> None:
    """Unknown fields and events are kept with the audio."""
    record = read([{**delta(b"a"), "voice": "v"}, {"type": "speech.audio.info", "seconds": 2}, DONE], DIALECT)
    assert record.audio is not None
    assert (record.audio.data, record.audio.extras) == (b"a", {"voice": "v", "seconds": 2})


STARTS = {
    "MP3": b"ID3\x04\x00",
    "MPEG": b"\xff\xfb\x90",
    "WAV": b"RIFF\x24\x00",
    "Ogg": b"OggS\x00",
    "FLAC": b"fLaC\x00",
    "silence": b"\x00\x00\x00",
    "samples like a comment": b": \x01\x02\xff",
    "samples like an object": b"{\x00\x10\x80",
    "samples like a list": b"[\xff\x10\x00",
    "samples like blanks": b"\n \r\n\x00",
    "the first letter of a field": b"d\x00a",
    "almost a field": b"data\x00:",
}


@pytest.mark.parametrize("length", [1, 2, 3, 5, 64, 1000, 10_000])
@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("dialect", [DIALECT, "raw.audio", None])
def test_raw_bytes_in_pieces(start: str, length: int, dialect: str | None) -> None:
    """A body of audio is kept byte for byte, in any pieces."""
    body = (
        STARTS[start] + b"".join([b"\x01:x", b"\x02{y}", b"\x03data: z\n\n", b"\x04id: 1\n", b" \n\n", b"event: a"]) + SOUND[:500]
    )
    record = replay(pieces(body, length), dialect=dialect)
    assert record.audio is not None
    assert (record.audio.data, record.audio.size, record.outcome, record.usage) == (body, len(body), "completed", None)


@pytest.mark.parametrize("cut", [4, 7, 10])
def test_raw_pieces_that_look_like_text(cut: int) -> None:
    """Only the start of a body decides its framing: no later piece is read as an event."""
    body = [SOUND[:cut], b": \n\n", b"data: {}\n\n", b'{"a": 1}\n', SOUND]
    record = replay(body, dialect=DIALECT)
    assert record.audio is not None
    assert record.audio.data == b"".join(body)


@pytest.mark.parametrize("length", [1, 7, 100_000])
def test_events_in_pieces(length: int) -> None:
    """Events are distinguished from audio with a first piece of any size."""
    body = sse([delta(SOUND), DONE])
    for whole in (body, b": OPENING\n\n" + body, body.replace(b"\n", b"\r\n"), b"event: x\n" + body, b"\n\n" + body):
        record = replay(pieces(whole, length), dialect=DIALECT)
        assert record.audio is not None
        assert (record.audio.data, record.usage and record.usage.total_tokens) == (SOUND, 65)


@pytest.mark.parametrize("length", [1, 9, 1000])
def test_an_error_instead_of_audio(length: int) -> None:
    """A JSON body is an error, not audio."""
    record = replay(pieces(b'{"error": {"message": "no voice", "type": "invalid_request_error"}}', length), dialect=DIALECT)
    assert record.error is not None
    assert (record.outcome, record.error.message, record.audio) == ("error", "no voice", None)


def test_raw_bytes_by_position() -> None:
    """Pieces that come with their positions are put in order."""
    accumulator = Accumulator()
    accumulator.open("r", dialect="raw.audio")
    for position in (2, 0, 1, 0):
        accumulator.add("r", SOUND[position * 100 : position * 100 + 100], index=position)
    record = accumulator.finish("r")
    assert record.audio is not None
    assert (record.audio.data, record.duplicates) == (SOUND[:300], 1)


def test_no_bytes_at_all() -> None:
    """An empty body has no audio."""
    for body in ([], [b""], [b"", b"\n"]):
        assert replay(body, dialect=DIALECT).audio is None
