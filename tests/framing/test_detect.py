import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamtally.framing import detect_framing
from tests.framing.wire import event

LONG = b" and so on" * 10
STARTS = {
    b"data: {}": "sse",
    b"\xef\xbb\xbfdata: {}": "sse",
    b"\r\n\r\nevent: x": "sse",
    b"id: 1": "sse",
    b"retry: 3": "sse",
    b": OPENROUTER PROCESSING\n": "sse",
    b'{"a": 1}': "json",
    b'\xef\xbb\xbf [{"a": 1}]': "json",
    b"[DONE]": "json",
    event("messageStart", b"{}"): "event stream",
    b"<!doctype html>": "text",
    "Größe 漢字".encode(): "text",
    "漢".encode()[:2]: "text",
    b"dat": "text",
    b"database": "text",
    b"\xff\xfb\x90\x00": "bytes",
    b"RIFF\x24\x00": "bytes",
    b"Gr\xf6\xdfe": "bytes",
    b": \x01\x02": "bytes",
    b"{\x00\x10": "bytes",
    b"\0" * 11: "bytes",
    b"\0" * 100: "bytes",
    event("messageStart", b"{}")[:11]: "bytes",
}


@pytest.mark.parametrize("start", STARTS)
def test_whole_bodies(start: bytes) -> None:
    """The framing of a complete body."""
    assert detect_framing(start, last=True) == STARTS[start]


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("rest", [b"", LONG, b"\n\n" + LONG, b"\x01" + LONG])
def test_early_detection_is_correct(start: bytes, rest: bytes) -> None:
    """The first bytes give None or the framing of the whole body, and enough of them give a framing."""
    body = start + rest
    detected = [detect_framing(body[:length], last=False) for length in range(len(body) + 1)]
    found = next((one for one in detected if one), None)
    whole = detect_framing(body, last=True)
    assert found in (None, whole)
    assert set(detected) <= {None, whole}
    assert found or len(body) < 64 + 12


@pytest.mark.parametrize("start", [b"", b"\n", b" \r\n\r\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n"])
@pytest.mark.parametrize("frames_only", [True, False])
def test_nothing_but_blanks(start: bytes, frames_only: bool) -> None:
    """Blanks give no framing."""
    assert detect_framing(start, last=False, frames_only=frames_only) is None


@pytest.mark.parametrize("start", STARTS)
def test_frames_only(start: bytes) -> None:
    """With `frames_only` anything but JSON and AWS event streams is SSE, from the first byte on."""
    detected = detect_framing(start, last=False, frames_only=True)
    if start.startswith(b"\0"):
        assert detected == "event stream"
    elif start.lstrip(b"\xef\xbb\xbf ").startswith((b"{", b"[")):
        assert detected == "json"
    else:
        assert detected == "sse"


@given(st.binary(), st.booleans())
def test_any_bytes(start: bytes, frames_only: bool) -> None:
    """A complete body that is not blank always has a framing."""
    assert detect_framing(b"x" + start, last=True, frames_only=frames_only)
