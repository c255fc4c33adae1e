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
    """The texts, and the tail or what the error says."""
    decoder = JSONTextDecoder(**options)
    texts: list[str] = []
    try:
        for read in reads:
            texts += decoder.feed(read)
        texts += decoder.flush()
    except FramingError as error:
        return texts, f"! {error.frame!r}"
    return texts, decoder.tail


def said(body: str) -> list[Any]:
    """The payloads of a body that is read whole."""
    return [payload for text in decode([body.encode()])[0] for payload in payloads(text)]


def sound(body: str) -> list[Any]:
    """The payloads of a body that are JSON."""
    return [payload for payload in said(body) if not isinstance(payload, Malformed)]


def test_sample_read_whole() -> None:
    """Blank lines go, the byte order mark goes, the text that nothing ended comes last and is the tail."""
    assert decode([SAMPLE]) == (['{"text": "漢字\u2028😀"}', '{"b": [1]}', '{"half":'], '{"half":')


def test_sample_cut_at_every_byte() -> None:
    """Wherever one body is cut in two, the texts are those of the whole."""
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
    """Objects survive in each form, in one line or in several, and however the bytes are cut."""
    body = FORMS[form](values, indent).encode("utf-8", "surrogatepass")
    texts, tail = decode(cut(body, cuts))
    assert ([json.loads(text) for text in texts], tail) == (values, "")


@given(NOISE, CUTS)
def test_any_cut_of_any_bytes(body: str, cuts: list[int]) -> None:
    """Sound or broken, the texts do not depend on the cuts, nothing raises, and nothing said is lost but commas."""
    data = body.encode()
    whole = decode([data])
    assert decode(cut(data, cuts)) == whole
    assert decode(data[at : at + 1] for at in range(len(data))) == whole
    lost = re.sub(r"[\s,\[\]\ufeff]", "", body)
    assert re.sub(r"[\s,\[\]\ufeff]", "", "".join(whole[0])) == lost


def test_a_text_comes_with_its_last_byte() -> None:
    """No line end is waited for, nor the end of the array."""
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
    """Wherever a line was cut, those before and after it are read."""
    for rest in (['{"c": 3}', '{"d": {"e": 4}}', "[DONE]"], ['{"c": 3}']):
        lines = ['{"x": 1}', broken, *rest]
        assert sound(end.join(lines)) == [payload for line in ['{"x": 1}', *rest] for payload in payloads(line)]
        assert len(said(end.join(lines))) > len(rest) + 1


def test_every_cut_of_a_line() -> None:
    """The same for every length of one line that has everything in it."""
    line = '{"a": "x, {y}\\" [z]", "b": [{"c": 1}, {"d": [true, null]}], "e": {"f": {}}, "g": -1.5e3}'
    for length in range(1, len(line)):
        assert sound(f'{line[:length]}\n{{"c": 3}}\n{{"d": 4}}\n') == [{"c": 3}, {"d": 4}], line[:length]


def test_a_broken_text_over_several_lines() -> None:
    """A text that was cut ends where the next one begins."""
    assert sound('{\n  "a": 1,\n  "b": {\n    "c": 2\n{\n  "d": 4\n}\n{\n  "e": 5\n}') == [{"d": 4}, {"e": 5}]
    assert sound('[{\n  "a": "cut\n,\r\n{\n  "b": 2\n}\n]') == [{"b": 2}]


def test_unindented_parts_are_parts() -> None:
    """An object that begins a line where an object can be is a part of its text."""
    body = '{"data": [\n{"a": 1},\n{"b": 2}\n],\n"more":\n{"c": 3}\n}'
    assert said(body) == [json.loads(body)]
    assert said(json.dumps({"a": [{"b": {}}, {"c": []}], "d": {"e": 1}}, indent=0)) == [
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
    """Arrays of objects are opened, everything else is kept together; what the end cuts short is the tail."""
    assert decode([body.encode()]) == (texts, tail)
    assert decode(body.encode()[at : at + 1] for at in range(len(body))) == (texts, tail)


def test_after_the_end() -> None:
    """`flush` leaves nothing behind."""
    decoder = JSONTextDecoder()
    decoder.feed(b'[{"a')
    decoder.flush()
    assert decoder.feed(b'{"b": 1}]') == ['{"b": 1}']


def test_byte_order_mark_only_at_the_start() -> None:
    """A later mark is content."""
    assert decode(["\ufeff1\n".encode(), "\ufeff2\n".encode()]) == (["1", "\ufeff2"], "")


def test_broken_bytes_are_replaced() -> None:
    """Bytes that are no UTF-8 become the replacement character."""
    assert decode([b'{"\xff\xe6\xbc', b'"}\n']) == (['{"\ufffd\ufffd"}'], "")


def test_no_line_end_but_line_feeds() -> None:
    """What Python calls a line end, and JSON lines do not, is content."""
    line = "".join(map(chr, (0x1C, 0x1D, 0x1E, 0x85, 0x2028, 0x2029)))
    assert decode([f"<{line}>\n".encode()]) == ([f"<{line}>"], "")
    assert sys.intern(line).splitlines() != [line]


@pytest.mark.parametrize("size", [1, 5, 100])
@pytest.mark.parametrize(
    "long", [b'{"a": "1234"}', b"[1, 2, 3, 4]", b"0123456789012", b'[            {"a": 1}', b'{"a": {"b": {"c": 1']
)
def test_text_too_long(long: bytes, size: int) -> None:
    """Texts before one beyond the bound are handed out; then the error comes, with the text's head, and stays."""
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
    """Keepalives between texts are not held."""
    decoder = JSONTextDecoder(max_frame=10)
    for _ in range(100):
        assert decoder.feed(b" \n\r\n") == []
    assert len(decoder._held) == 0


class Counted:
    """A regular expression that counts how often it is asked and how much it passes over."""

    asked = passed = 0

    def __init__(self, pattern: re.Pattern[bytes]) -> None:
        self._pattern = pattern

    def match(self, data: bytearray, at: int) -> re.Match[bytes] | None:
        """As of a pattern."""
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


@pytest.mark.parametrize("step", [1, 13, 4096, 2**20])
@pytest.mark.parametrize("kind", LONG)
def test_work_is_linear(monkeypatch: pytest.MonkeyPatch, kind: str, step: int) -> None:
    """No byte is passed over twice, however it arrives and however odd it is."""
    monkeypatch.setattr(jsontexts, "_SKIPPED", {state: Counted(found) for state, found in jsontexts._SKIPPED.items()})
    monkeypatch.setattr(Counted, "asked", 0)
    monkeypatch.setattr(Counted, "passed", 0)
    body = LONG[kind]
    decode(body[at : at + step] for at in range(0, len(body), step))
    assert Counted.passed <= len(body)
    assert Counted.asked <= 3 * len(body) + 10
