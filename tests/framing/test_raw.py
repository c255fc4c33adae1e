from hypothesis import given
from hypothesis import strategies as st

from streamtally.framing import BytesDecoder, TextDecoder


@given(st.lists(st.binary()))
def test_bytes_as_they_are(reads: list[bytes]) -> None:
    """Each read that is not empty is returned unchanged."""
    decoder = BytesDecoder()
    assert [frame for read in reads for frame in decoder.feed(read)] == [read for read in reads if read]
    assert (decoder.flush(), decoder.tail) == ([], "")


@given(st.text() | st.binary(), st.integers(1, 5))
def test_text_cut_anywhere(text: str | bytes, size: int) -> None:
    """Text is decoded however it is split, and invalid UTF-8 is replaced."""
    body = text if isinstance(text, bytes) else text.encode("utf-8", "replace")
    decoder = TextDecoder()
    frames = [frame for at in range(0, len(body), size) for frame in decoder.feed(body[at : at + size])] + decoder.flush()
    assert "".join(frames) == body.decode("utf-8", "replace")
    assert "" not in frames
    assert decoder.tail == ""
