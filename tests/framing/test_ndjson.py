import json
import sys
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamtally.errors import FramingError
from streamtally.framing import LineDecoder

SAMPLE = '\ufeff{"text": "漢字\u2028😀"}\r\n\n  \n\r\n{"b": [1]}\n{"half": '.encode()


def decode(reads: Iterable[bytes]) -> tuple[list[str], str]:
    """The lines and the tail of a stream that comes in these reads."""
    decoder = LineDecoder()
    lines = [line for read in reads for line in decoder.feed(read)]
    return lines + decoder.flush(), decoder.tail


def test_sample_read_whole() -> None:
    """Blank lines go, the byte order mark goes, the line that nothing ended comes last and is the tail."""
    assert decode([SAMPLE]) == (['{"text": "漢字\u2028😀"}', '{"b": [1]}', '{"half": '], '{"half": ')


def test_sample_cut_at_every_byte() -> None:
    """Wherever one body is cut in two, the lines are those of the whole."""
    for at in range(len(SAMPLE) + 1):
        assert decode([SAMPLE[:at], SAMPLE[at:]]) == decode([SAMPLE]), at
    assert decode(SAMPLE[at : at + 1] for at in range(len(SAMPLE))) == decode([SAMPLE])


@given(
    st.lists(st.dictionaries(st.text(max_size=9), st.text(max_size=9) | st.integers(), max_size=3), max_size=5),
    st.sampled_from(["\n", "\r\n"]),
    st.integers(1, 9),
)
def test_what_was_written_is_read(values: list[object], line_end: str, size: int) -> None:
    """JSON texts survive, in reads of any size, with or without the last line end."""
    lines = [json.dumps(value, ensure_ascii=False).encode("utf-8", "replace").decode() for value in values]
    for body in (line_end.join(lines).encode(), "".join(line + line_end for line in lines).encode()):
        assert decode(body[at : at + size] for at in range(0, len(body), size))[0] == lines


def test_no_tail_after_a_line_end() -> None:
    """A stream that ends with a line end leaves nothing unfinished."""
    assert decode([b"{}\n"]) == (["{}"], "")
    assert decode([]) == ([], "")
    assert LineDecoder().tail == ""


def test_byte_order_mark_only_at_the_start() -> None:
    """A later mark is content."""
    assert decode(["\ufeff1\n".encode(), "\ufeff2\n".encode()]) == (["1", "\ufeff2"], "")


def test_broken_bytes_are_replaced() -> None:
    """Bytes that are no UTF-8 become the replacement character."""
    assert decode([b'"\xff\xe6\xbc', b'"\n']) == (['"\ufffd\ufffd"'], "")


@pytest.mark.parametrize("size", [1, 5, 100])
def test_line_too_long(size: int) -> None:
    """Lines before one beyond the bound are handed out; then the error comes, with the line's head."""
    decoder = LineDecoder(max_frame=5)
    body = b"12345\r\n1\n123456\n2\n".replace(b"\r", b"")
    lines: list[str] = []

    def drain() -> None:
        for at in range(0, len(body), size):
            lines.extend(decoder.feed(body[at : at + size]))
        lines.extend(decoder.flush())

    with pytest.raises(FramingError) as caught:
        drain()
    assert (lines, caught.value.frame) == (["12345", "1"], b"123456")


def test_no_separator_but_line_feeds() -> None:
    """What Python calls a line end, and NDJSON does not, is content."""
    line = "".join(map(chr, (0x0B, 0x0C, 0x1C, 0x1D, 0x1E, 0x85, 0x2028, 0x2029)))
    assert decode([f"<{line}>\n".encode()]) == ([f"<{line}>"], "")
    assert sys.intern(line).splitlines() != [line]
