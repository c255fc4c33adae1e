import json
import re
import sys
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamtally.errors import FramingError
from streamtally.framing import JSONTextDecoder, Malformed, jsontexts, payloads
from tests.framing.wire import cut

SAMPLE = '\ufeff{"text": "漢字\u2028😀"}\r\n\n  \n\r\n{"b": [1]}\n{"half": '.encode()

TEXT = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from('"\\{}[]\n,'), max_size=9)
VALUES = st.recursive(
    st.none() | st.integers() | TEXT, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3)
)
OBJECTS = st.lists(st.dictionaries(TEXT, VALUES, max_size=3), min_size=1, max_size=5)
CUTS = st.lists(st.integers(0))
NOISE = st.lists(
    st.sampled_from([*'{}[],:"\\', "\n", "\r\n", "\n{", " ", "1", "a", '"a"', "漢", "\ufeff", '{"a": 1}', "[DONE]", '\n{"b": [']),
).map("".join)


def decode(reads: Iterable[bytes], **options: Any) -> tuple[list[str], str]:
    """The texts, and the tail or the message of the error."""
    decoder = JSONTextDecoder(**options)
    texts: list[str] = []
    try:
        for read in reads:
            texts += decoder.feed(read)
        texts += decoder.flush()
    except FramingError as error:
        return texts, f"! {error.frame!r}"
    return texts, decoder.tail


def payloads_of(body: str) -> list[Any]:
    """The payloads of a complete body."""
    return [payload for text in decode([body.encode()])[0] for payload in payloads(text)]


def json_of(body: str) -> list[Any]:
    """The payloads of a body that are JSON."""
    return [payload for payload in payloads_of(body) if not isinstance(payload, Malformed)]


def test_sample_read_whole() -> None:
    """Blank lines and the byte order mark are dropped, and the last, unterminated text is the tail."""
    assert decode([SAMPLE]) == (['{"text": "漢字\u2028😀"}', '{"b": [1]}', '{"half":'], '{"half":')


def test_sample_cut_at_every_byte() -> None:
    """A body split at any byte gives the texts of the whole."""
    for at in range(len(SAMPLE) + 1):
        assert decode([SAMPLE[:at], b"", SAMPLE[at:]]) == decode([SAMPLE]), at
    assert decode(SAMPLE[at : at + 1] for at in range(len(SAMPLE))) == decode([SAMPLE])


FORMS: dict[str, Callable[[list[Any], int | None], str]] = {
    "lines": lambda values, indent: "\n".join(json.dumps(value, indent=indent) for value in values),
    "lines with CRLF": lambda values, indent: "".join(json.dumps(value, indent=indent) + "\r\n" for value in values),
    "one after another": lambda values, indent: "".join(json.dumps(value, indent=indent, ensure_ascii=False) for value in values),
    "an array": lambda values, indent: json.dumps(values, indent=indent, ensure_ascii=False),
    "an array in lines": lambda values, indent: "[" + FORMS["lines"](values, indent).replace("\n{", "\n,\r\n{") + "\n]\n",
}


@given(OBJECTS, st.sampled_from(sorted(FORMS)), st.sampled_from([None, 1, 2]), CUTS)
def test_what_was_written_is_read(values: list[Any], form: str, indent: int | None, cuts: list[int]) -> None:
    """Objects in every form of body, on one or several lines, are decoded however the bytes are split."""
    body = FORMS[form](values, indent).encode("utf-8", "surrogatepass")
    texts, tail = decode(cut(body, cuts))
    assert ([json.loads(text) for text in texts], tail) == (values, "")


@given(NOISE, CUTS)
def test_any_cut_of_any_bytes(body: str, cuts: list[int]) -> None:
    """For any bytes the texts do not depend on the split, nothing raises, and only commas are lost."""
    data = body.encode()
    whole = decode([data])
    assert decode(cut(data, cuts)) == whole
    assert decode(data[at : at + 1] for at in range(len(data))) == whole
    lost = re.sub(r"[\s,\[\]\ufeff]", "", body)
    assert re.sub(r"[\s,\[\]\ufeff]", "", "".join(whole[0])) == lost


def test_a_text_comes_with_its_last_byte() -> None:
    """A text is returned with its last byte, before a line end or the end of the array."""
    decoder = JSONTextDecoder()
    assert [decoder.feed(bytes([byte])) for byte in b'[{"a":{}}'][-2:] == [[], ['{"a":{}}']]
    assert decoder.feed(b" , {}") == ["{}"]
    assert decoder.feed(b"]") == []
    assert (decoder.flush(), decoder.tail) == ([], "")


@pytest.mark.parametrize(
    "broken",
    ['{"a": "cut', '{"a": "cut\\', '{"a": 1, "b": 2', '{"a": {"b": [1', '{"a": {"b": "c"}', '{"a": 1,', '{"a":', '{"a": [', '{',
     'oops', '{"a": [1, {"b": "cut', '{"a": 1]', "}", "<html>", 'data: {"a": 1}'],
)  # fmt: skip
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_broken_line_costs_only_itself(broken: str, end: str) -> None:
    """Wherever a line is cut, the lines before and after it are decoded."""
    for rest in (['{"c": 3}', '{"d": {"e": 4}}', "[DONE]"], ['{"c": 3}']):
        lines = ['{"x": 1}', broken, *rest]
        assert json_of(end.join(lines)) == [payload for line in ['{"x": 1}', *rest] for payload in payloads(line)]
        assert len(payloads_of(end.join(lines))) > len(rest) + 1


def test_every_cut_of_a_line() -> None:
    """A line with every kind of token, cut at any length, does not affect the next lines."""
    line = '{"a": "x, {y}\\" [z]", "b": [{"c": 1}, {"d": [true, null]}], "e": {"f": {}}, "g": -1.5e3}'
    for length in range(1, len(line)):
        assert json_of(f'{line[:length]}\n{{"c": 3}}\n{{"d": 4}}\n') == [{"c": 3}, {"d": 4}], line[:length]


def test_a_broken_text_over_several_lines() -> None:
    """An incomplete text of several lines ends where the next one begins."""
    assert json_of('{\n  "a": 1,\n  "b": {\n    "c": 2\n{\n  "d": 4\n}\n{\n  "e": 5\n}') == [{"d": 4}, {"e": 5}]
    assert json_of('[{\n  "a": "cut\n,\r\n{\n  "b": 2\n}\n]') == [{"b": 2}]


def test_unindented_parts_are_parts() -> None:
    """An object at the start of a line belongs to its text where JSON allows a value."""
    body = '{"data": [\n{"a": 1},\n{"b": 2}\n],\n"more":\n{"c": 3}\n}'
    assert payloads_of(body) == [json.loads(body)]
    assert payloads_of(json.dumps({"a": [{"b": {}}, {"c": []}], "d": {"e": 1}}, indent=0)) == [
        {"a": [{"b": {}}, {"c": []}], "d": {"e": 1}}
    ]


@pytest.mark.parametrize(
    ("body", "texts", "tail"),
    [
        ("", [], ""),
        ("[", [], "["),
        ("[ \n", [], "["),
        ("[]", [], ""),
        ("[]\n[DONE]", ["[DONE]"], ""),
        ('[{"a": 1}', ['{"a": 1}'], "["),
        ('[{"a": 1},\n', ['{"a": 1}'], "["),
        ('[{"a": 1},{"b": "', ['{"a": 1}', '{"b": "'], '{"b": "'),
        ("[DON", ["[DON"], "[DON"),
        ('[1, "]"]', ['[1, "]"]'], ""),
        ("[[1], {}]", ["[[1], {}]"], ""),
        ("17\ntrue\n", ["17", "true"], ""),
        ("17", ["17"], "17"),
        ('{"a": 1}, {"b": 2},', ['{"a": 1}', '{"b": 2}'], ""),
        ("[{}]\n[{}]", ["{}", "{}"], ""),
        ('[{}] {"b": 2}\n[DONE]\n', ["{}", '{"b": 2}', "[DONE]"], ""),
    ],
)
def test_texts_and_tails(body: str, texts: list[str], tail: str) -> None:
    """Arrays of objects are split, other texts are not, and the incomplete rest is the tail."""
    assert decode([body.encode()]) == (texts, tail)
    assert decode(body.encode()[at : at + 1] for at in range(len(body))) == (texts, tail)


def test_after_the_end() -> None:
    """`flush` clears the decoder."""
    decoder = JSONTextDecoder()
    decoder.feed(b'[{"a')
    decoder.flush()
    assert decoder.feed(b'{"b": 1}]') == ['{"b": 1}']


def test_byte_order_mark_only_at_the_start() -> None:
    """A byte order mark after the start is content."""
    assert decode(["\ufeff1\n".encode(), "\ufeff2\n".encode()]) == (["1", "\ufeff2"], "")


def test_broken_bytes_are_replaced() -> None:
    """Invalid UTF-8 becomes the replacement character."""
    assert decode([b'{"\xff\xe6\xbc', b'"}\n']) == (['{"\ufffd\ufffd"}'], "")


def test_no_line_end_but_line_feeds() -> None:
    """Line separators other than line feeds are content."""
    line = "".join(map(chr, (0x1C, 0x1D, 0x1E, 0x85, 0x2028, 0x2029)))
    assert decode([f"<{line}>\n".encode()]) == ([f"<{line}>"], "")
    assert sys.intern(line).splitlines() != [line]


@pytest.mark.parametrize("size", [1, 5, 100])
@pytest.mark.parametrize(
    "long", [b'{"a": "1234"}', b"[1, 2, 3, 4]", b"0123456789012", b'[            {"a": 1}', b'{"a": {"b": {"c": 1']
)
def test_text_too_long(long: bytes, size: int) -> None:
    """Texts before an oversized one are returned; then every call raises with the start of the text."""
    body = b'{"a": 12}\n[{}, {}]\n' + long + b"\n{}\n"
    texts, error = decode((body[at : at + size] for at in range(0, len(body), size)), max_frame=10)
    assert texts == ['{"a": 12}', "{}", "{}"]
    assert error.startswith(f"! {long[:11]!r}"[:-1])
    decoder = JSONTextDecoder(max_frame=10)
    for data in (long + b"\n", b"{}\n"):
        with pytest.raises(FramingError, match="more than 10 bytes"):
            decoder.feed(data)
    with pytest.raises(FramingError, match="more than 10 bytes"):
        decoder.flush()


def test_blanks_have_no_bound() -> None:
    """Blanks between texts are not buffered."""
    decoder = JSONTextDecoder(max_frame=10)
    for _ in range(100):
        assert decoder.feed(b" \n\r\n") == []
    assert len(decoder._buffer) == 0


class Counted:
    """A regular expression that counts its matches and the bytes that they cover."""

    asked = passed = 0

    def __init__(self, pattern: re.Pattern[bytes]) -> None:
        self._pattern = pattern

    def match(self, data: bytearray, at: int) -> re.Match[bytes] | None:
        """The pattern's `match`, counted."""
        found = self._pattern.match(data, at)
        Counted.asked += 1
        Counted.passed += found.end() - at if found else 0
        return found


LONG = {
    "a string": b'{"a": "' + b"x" * 2**17 + b'"}',
    "escapes": b'{"a": "' + b'\\"' * 2**16 + b'"}',
    "depth": b"[" * 2**16 + b"]" * 2**16,
    "blanks": b"[" + b" \n" * 2**16 + b"{}]",
    "line ends": b"{" + b"\n" * 2**17 + b"}",
    "lines": b'{"a": {"b": [1]}}\n' * 2**13,
    "elements": b"[" + b",{\n}" * 2**15 + b"]",
    "what is broken": b'{"a":\n{' * 2**14,
    "a line": b"x" * 2**17 + b"\n",
}


@pytest.mark.no_cover  # a mass of the same: tracing each line would only make it slow
@pytest.mark.parametrize("step", [1, 13, 4096, 2**20])
@pytest.mark.parametrize("kind", LONG)
def test_work_is_linear(monkeypatch: pytest.MonkeyPatch, kind: str, step: int) -> None:
    """No byte is matched twice, however the bytes arrive."""
    monkeypatch.setattr(jsontexts, "_SKIPPED", {state: Counted(found) for state, found in jsontexts._SKIPPED.items()})
    monkeypatch.setattr(Counted, "asked", 0)
    monkeypatch.setattr(Counted, "passed", 0)
    body = LONG[kind]
    decode(body[at : at + step] for at in range(0, len(body), step))
    assert Counted.passed <= len(body)
    assert Counted.asked <= 3 * len(body) + 10
