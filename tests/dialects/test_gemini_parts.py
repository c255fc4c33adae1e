"""The parts of a Gemini answer: calls whole and in pieces, code, media, signatures, in order of arrival."""

import base64
import json
from typing import Any

import pytest

from streamtally import Accumulator, StreamRecord, replay
from streamtally.dialects import dialect_named
from tests.dialects.gemini_wire import (
    answers,
    call,
    in_pieces,
    parts_of,
    piece,
    read_all,
    reply,
    response_of,
    stated,
    text,
    thought,
)
from tests.dialects.wire import Payload

SIG, OTHER_SIG = (base64.b64encode(word).decode() for word in (b"\xfb\xefsignature", b"another"))
CODE = {"executableCode": {"language": "PYTHON", "code": "print(1)"}}
RESULT = {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1\n"}}
END = reply(text(""), finish="STOP")


def calls_of(record: StreamRecord) -> list[tuple[str | None, str | None, Any, bool]]:
    """The ID, name and arguments of each call, and whether it is complete."""
    return [(one.id, one.name, one.arguments_json, one.complete) for one in record.tool_calls]


def test_whole_calls() -> None:
    """Several in one chunk, equal or not, with or without ID and arguments; names inside the arguments are kept."""
    args = {"snake_name": {"finish_reason": 1, "jsonPath": "x"}, "n": 1.5, "none": None}
    chunks = [
        reply(call("f", args=args), call("f", args=args)),
        reply(call("g", id="a", args={}), call("g"), call("f", args={"n": 2})),
        END,
    ]
    record = read_all(chunks)
    assert calls_of(record) == [
        (None, "f", args, True),
        (None, "f", args, True),
        ("a", "g", {}, True),
        (None, "g", {}, True),
        (None, "f", {"n": 2}, True),
    ]
    assert (record.finish_reason, record.output_items) == ("tool_calls", ())


def test_a_call_twice_under_one_id() -> None:
    """A whole call that is repeated is another call."""
    record = read_all([reply(call("f", id="a", args={"n": 1})), reply(call("f", id="a", args={"n": 1}), finish="STOP")])
    assert calls_of(record) == [("a", "f", {"n": 1}, True)] * 2


def test_other_fields_of_a_call() -> None:
    """Other fields of a call are kept with it, in the same place."""
    record = replay([reply(call("f", args={}, sig=SIG, newField=1)), END], dialect="gemini")
    assert record.tool_calls[0].extras == {"thoughtSignature": SIG, "functionCall": {"newField": 1}}
    assert [one.name for one in response_of(record).function_calls or []] == ["f"]


def test_calls_in_pieces() -> None:
    """A name, arguments by their paths, an empty piece at the end; the next call may be equal."""
    chunks = [
        reply(call("f", willContinue=True, sig=SIG)),
        reply(in_pieces(piece("$.where", stringValue="Bos", more=True))),
        reply(in_pieces(piece("$.where", stringValue="ton", more=True), piece("$.deep[0].n", numberValue=2.0))),
        reply(in_pieces(piece("$.where", stringValue=""), piece("$.deep[1]['a.b']", boolValue=False))),
        reply(in_pieces(piece("$.none", nullValue="NULL_VALUE"), piece("$.deep[0].half", numberValue=0.5))),
        reply(call()),
        reply(call("f", id="b", willContinue=True)),
        reply(in_pieces(piece("$.where", stringValue="Rome"))),
        reply(call()),
        reply(call("f"), finish="STOP"),
    ]
    record = read_all(chunks)
    first = {"where": "Boston", "deep": [{"n": 2, "half": 0.5}, {"a.b": False}], "none": None}
    assert calls_of(record) == [(None, "f", first, True), ("b", "f", {"where": "Rome"}, True), (None, "f", {}, True)]
    assert json.loads(record.tool_calls[0].arguments) == first
    assert record.tool_calls[0].extras == {"thoughtSignature": SIG}
    assert (record.finish_reason, record.output_items) == ("tool_calls", ())
    assert [one.args for one in response_of(record).function_calls or []] == [first, {"where": "Rome"}, {}]


def test_a_call_whose_name_is_repeated() -> None:
    """A call that continues may repeat its name; another name begins another call."""
    again = {"functionCall": {"name": "f", "partialArgs": [piece("$.n", numberValue=1)], "willContinue": True}}
    record = read_all([reply(call("f", willContinue=True)), reply(again), reply(call("g", args={})), END])
    assert [(one.name, one.arguments_json) for one in record.tool_calls] == [("f", None), ("g", {})]
    assert record.tool_calls[0].arguments == '{"n": 1}'


def test_a_call_that_was_cut_off() -> None:
    """A call that was cut off is not complete, and its pieces are kept."""
    chunks = [reply(call("f", willContinue=True)), reply(in_pieces(piece("$.where", stringValue="Bos", more=True)))]
    record = replay(chunks, dialect="gemini")
    (cut,) = record.tool_calls
    assert (cut.complete, cut.arguments_json, cut.arguments) == (False, None, '{"where": "Bos"}')
    assert (record.outcome, response_of(record).function_calls is not None) == ("truncated", True)


def test_pieces_of_which_only_the_size_is_kept() -> None:
    """If no content is kept there are no arguments, and the call is not complete."""
    accumulator = Accumulator(keep="counts")
    accumulator.open("r", dialect="gemini")
    chunks = [reply(call("f", willContinue=True)), reply(in_pieces(piece("$.secret", stringValue="secret"))), reply(CODE), END]
    for position, chunk in enumerate(chunks):
        accumulator.add("r", chunk, index=position)
    record = accumulator.finish("r")
    assert [(one.name, one.arguments, one.complete) for one in record.tool_calls] == [("f", "", False)]
    assert record.output_items == ()


def test_parts_keep_their_order() -> None:
    """Text, code, its result and calls alternate; adjacent texts are one part."""
    chunks = [
        reply(thought("hm ")),
        reply(thought("so"), text("I ")),
        reply(text("run:"), CODE),
        reply(RESULT),
        reply(text("and ask")),
        reply(call("f", args={"n": 1}, sig=SIG)),
        reply(text("done"), finish="STOP"),
    ]
    record = read_all(chunks)
    assert (record.reasoning, record.text) == ("hm so", "I run:and askdone")
    assert record.output_items == (
        thought("hm so"),
        text("I run:"),
        CODE,
        RESULT,
        text("and ask"),
        call("f"),
        text("done"),
    )
    whole = [*record.output_items[:5], call("f", args={"n": 1}, sig=SIG), text("done")]
    assert parts_of(chunks) == whole
    assert [part.text for part in (response_of(record).parts or []) if part.text] == ["hm so", "I run:", "and ask", "done"]


def test_signatures_stay_with_their_part() -> None:
    """Each signature is kept with its part; those not of a call are reasoning details too."""
    chunks = [
        reply({"thoughtSignature": SIG}),
        reply(thought("hm"), text("so")),
        reply(call("f", sig=SIG, args={})),
        reply(text("", thoughtSignature=OTHER_SIG), finish="STOP"),
    ]
    record = read_all(chunks)
    assert record.choices[0].reasoning_details == (
        {"type": "thought_signature", "signature": SIG},
        {"type": "thought_signature", "signature": OTHER_SIG},
    )
    assert parts_of(chunks) == [
        {"thoughtSignature": SIG},
        thought("hm"),
        text("so"),
        call("f", sig=SIG, args={}),
        text("", thoughtSignature=OTHER_SIG),
    ]
    signatures = [part.thought_signature for part in response_of(record).parts or []]
    assert signatures == [b"\xfb\xefsignature", None, None, b"\xfb\xefsignature", b"another"]


def test_images() -> None:
    """Images are kept at their places; an image in a thought is a draft, which the final one replaces."""
    draft, first, second = (
        {"mimeType": "image/png", "data": base64.b64encode(word).decode()} for word in (b"draft", b"1\xfb", b"2\xef")
    )
    chunks = [
        reply({"inlineData": draft, "thought": True}),
        reply(text("one "), {"inlineData": first}),
        reply(text("two"), {"inlineData": second, "thoughtSignature": SIG}),
        END,
    ]
    record = read_all(chunks)
    assert [(one.data, one.mime_type, one.partials, one.complete) for one in record.images] == [
        (b"1\xfb", "image/png", 1, True),
        (b"2\xef", "image/png", 0, True),
    ]
    assert parts_of(chunks) == [
        text("one "),
        {"inlineData": first},
        text("two"),
        {"inlineData": second, "thoughtSignature": SIG},
    ]
    assert response_of(record).parts is not None


def test_sound() -> None:
    """Pieces of audio are joined."""
    pieces = [base64.b64encode(sound).decode() for sound in (b"\x00\xfb", b"\xef\x01\x02")]
    sound = "audio/L16;codec=pcm;rate=24000"
    chunks = [reply({"inlineData": {"mimeType": sound, "data": each}}) for each in pieces]
    record = read_all([*chunks, END])
    assert record.audio is not None
    assert (record.audio.data, record.audio.mime_type) == (b"\x00\xfb\xef\x01\x02", sound)
    assert parts_of([*chunks, END]) == [
        {"inlineData": {"mimeType": sound, "data": base64.b64encode(b"\x00\xfb\xef\x01\x02").decode()}}
    ]


@pytest.mark.parametrize(
    "part",
    [
        {"fileData": {"mimeType": "video/mp4", "fileUri": "gs://a/b"}},
        {"functionResponse": {"name": "f", "response": {"snake_name": 1}}},
        {"inlineData": {"mimeType": "application/pdf", "data": "YWFh"}},
        {"toolCall": {"id": "t", "toolType": "GOOGLE_SEARCH_WEB", "args": {"a_b": 1}}},
        {"text": "a", "partMetadata": {"a_b": 1}},
    ],
)
def test_other_parts_are_kept(part: Payload) -> None:
    """A part of any kind is an output item, and a part of the response."""
    record = read_all([reply(text("so")), reply(part), END])
    assert record.output_items == (text("so"), part)
    assert parts_of([reply(text("so")), reply(part), END]) == [text("so"), part]
    assert response_of(record).parts is not None


def test_an_unknown_part_is_kept() -> None:
    """Also if the SDK's response type would reject it."""
    record = replay([reply(text("so"), {"newKind": {"a": 1}}), END], dialect="gemini")
    assert record.output_items == (text("so"), {"newKind": {"a": 1}})
    assert response_of(record).text == "so"


def test_parts_of_further_candidates() -> None:
    """Parts of further candidates have the index of their candidate."""
    chunks = [
        answers({"content": {"parts": [text("a")]}}, {"content": {"parts": [text("b"), CODE]}, "index": 1}),
        answers({"finishReason": "STOP"}, {"index": 1, "finishReason": "STOP"}),
    ]
    record = read_all(chunks)
    assert record.output_items == ({"text": "b", "index": 1}, {**CODE, "index": 1})
    assert (parts_of(chunks), parts_of(chunks, 1)) == ([text("a")], [text("b"), CODE])


def test_the_first_token_is_the_first_content() -> None:
    """A role, a signature and usage are no content; code, a name and a piece of arguments are."""
    silent = [reply(text("")), reply({"thoughtSignature": SIG}), answers({"content": {"role": "model"}})]
    speaking = [reply(CODE), reply(call("f")), reply(in_pieces(piece("$.a", stringValue="x"))), reply(thought("hm"))]
    read = dialect_named("gemini").chunk
    assert [bool(read(chunk).flags) for chunk in [*silent, *speaking]] == [False] * 3 + [True] * 4


def test_text_and_calls_alone_make_no_items() -> None:
    """Such an answer has no output items, because its other fields have all of it."""
    record = read_all([reply(thought("hm")), reply(text("so")), reply(call("f", args={})), END])
    assert "output_items" not in stated(record)
    assert parts_of([reply(thought("hm")), reply(text("so")), reply(call("f", args={})), END]) == [
        thought("hm"),
        text("so"),
        call("f", args={}),
    ]
