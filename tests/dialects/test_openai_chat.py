"""Chat Completions of OpenAI and of compatible servers."""

import base64

import pytest

from streamtally import replay
from tests.dialects.wire import Payload, call, calls, chat, choice, facts, pieces, read, sse, stated, stops, texts

ANSWER = {"text": "hello", "finish_reason": "stop", "finish_reason_raw": "stop"}


def test_a_plain_answer() -> None:
    """Role, text, finish and a usage frame of its own make one complete record."""
    role = chat(choice(role="assistant", content="", refusal=None), usage=None, service_tier="default", system_fingerprint="fp")
    usage = chat(usage={"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}, obfuscation="xx")
    assert stated(read([role, *texts("hel", "lo"), stops(), usage])) == {
        "outcome": "completed",
        "choices": ({**ANSWER, "role": "assistant"},),
        "usage": {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5},
        "service_tier": "default",
        "system_fingerprint": "fp",
    }


@pytest.mark.parametrize(
    "delta",
    [
        pytest.param({"reasoning": "hm"}, id="reasoning"),
        pytest.param({"reasoning_content": "hm"}, id="reasoning_content"),
        pytest.param({"reasoning_text": "hm"}, id="reasoning_text"),
        pytest.param({"thinking": "hm"}, id="thinking"),
        pytest.param({"reasoning": "hm", "reasoning_content": "hm"}, id="both, the same twice"),
        pytest.param({"reasoning": None, "reasoning_content": "hm", "content": ""}, id="one of them null"),
    ],
)
def test_reasoning_by_every_name(delta: Payload) -> None:
    """Reasoning is read once, from any of the fields in which servers send it."""
    record = read([chat(choice(**delta)), chat(choice(**delta)), *texts("hello"), stops()])
    assert stated(record)["choices"] == ({**ANSWER, "reasoning": "hmhm"},)


def test_reasoning_details_grow_by_index_and_type() -> None:
    """Text, summary and data of one detail are joined; its signature, ID and format may be in any chunk."""
    details: list[list[Payload]] = [
        [
            {"type": "reasoning.text", "text": "a", "index": 0, "format": "f"},
            {"type": "reasoning.summary", "summary": "s", "index": 1},
        ],
        [
            {"type": "reasoning.summary", "summary": "t", "index": 1},
            {"type": "reasoning.text", "text": "b", "index": 0, "id": None},
        ],
        [{"type": "reasoning.encrypted", "data": "xy", "index": 2, "id": "r2"}],
        [{"type": "reasoning.text", "text": "", "index": 0, "signature": "sig"}],
    ]
    record = read([*(chat(choice(reasoning_details=part)) for part in details), *texts("hello"), stops()])
    (answer,) = record.choices
    assert answer.reasoning_details == (
        {"type": "reasoning.text", "text": "ab", "index": 0, "format": "f", "signature": "sig"},
        {"type": "reasoning.summary", "summary": "st", "index": 1},
        {"type": "reasoning.encrypted", "data": "xy", "index": 2, "id": "r2"},
    )


@pytest.mark.parametrize(
    "nothing",
    [
        pytest.param(chat(), id="choices empty"),
        pytest.param({**chat(), "choices": None}, id="choices null"),
        pytest.param({"id": "id-1", "object": "chat.completion.chunk", "created": 1, "model": "m-1"}, id="choices missing"),
        pytest.param(chat(choice()), id="delta empty"),
        pytest.param(chat({"index": 0, "delta": None, "finish_reason": None}), id="delta null"),
        pytest.param(chat({"index": 0, "finish_reason": None}), id="delta missing"),
        pytest.param(chat(choice(content=None, role=None, tool_calls=None)), id="everything null"),
        pytest.param(chat(choice(content="", tool_calls=[])), id="everything empty"),
    ],
)
@pytest.mark.parametrize("position", [0, 1, 3])
def test_an_empty_chunk(nothing: Payload, position: int) -> None:
    """Chunks without choices, delta or content change nothing at any place."""
    chunks = [*texts("hel", "lo"), stops()]
    chunks.insert(position, nothing)
    assert stated(read(chunks)) == {"outcome": "completed", "choices": (ANSWER,)}


def test_azure_preamble_and_filter_chunks() -> None:
    """Filter results are kept, and the empty ID and model of the first chunk are ignored."""
    preamble = {"id": "", "object": "", "created": 0, "model": "", "choices": []}
    prompt = [{"prompt_index": 0, "content_filter_results": {"hate": {"filtered": False}}}]
    verdict = {
        "content_filter_results": {"hate": {"filtered": False, "severity": "safe"}},
        "content_filter_offsets": {"end_offset": 5},
    }
    filtered = chat(choice(beside=verdict))
    record = read([{**preamble, "prompt_filter_results": prompt}, *texts("hel", "lo"), stops(), filtered])
    assert stated(record) == {
        "outcome": "completed",
        "choices": ({**ANSWER, "extras": verdict},),
        "extras": {"prompt_filter_results": prompt},
    }


def test_ids_and_model_may_vary_or_be_missing() -> None:
    """The last stated ID, model and tier count; empty ones are ignored."""
    first = {"object": "chat.completion.chunk", "choices": [choice(content="hel")]}
    second = chat(choice(content="lo"), id="id-2", model="m-2", service_tier="flex")
    record = read([first, second, {**stops(), "id": "", "model": None, "service_tier": None}])
    assert (record.response_id, record.model, record.service_tier, record.text) == ("id-2", "m-2", "flex", "hello")


def test_a_tier_survives_a_tail_that_only_has_usage() -> None:
    """Fields of the stream are merged over all chunks, not taken from the last."""
    tail = chat(usage={"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2})
    assert read([*texts("hello", service_tier="flex"), stops(), tail]).service_tier == "flex"


def test_choices_without_an_index_are_numbered_by_place() -> None:
    """A missing index is the place in the list."""
    chunks = [chat(choice(None, content="a"), choice(None, content="b")), chat(choice(None, "stop"), choice(None, "length"))]
    record = read(chunks)
    assert [(answer.index, answer.text, answer.finish_reason) for answer in record.choices] == [
        (0, "a", "stop"),
        (1, "b", "length"),
    ]


def test_two_choices_interleaved() -> None:
    """Text, refusal, calls and finish reason of each choice are kept apart, in any order."""
    chunks = [
        chat(choice(1, role="assistant", content="")),
        chat(choice(0, role="assistant", content="a")),
        chat(choice(1, tool_calls=[call(0, "f", '{"x":', id="c1", type="function")])),
        chat(choice(0, tool_calls=[call(0, "g", "{", id="c0", type="function")])),
        chat(choice(1, tool_calls=[call(0, None, " 1}")])),
        chat(choice(0, tool_calls=[call(0, None, "}")])),
        chat(choice(1, "tool_calls")),
        chat(choice(0, refusal="no")),
        chat(choice(0, "stop")),
    ]
    record = read(chunks)
    assert stated(record)["choices"] == (
        {
            "text": "a",
            "role": "assistant",
            "refusal": "no",
            "tool_calls": ({"index": 0, "id": "c0", "name": "g", "arguments": "{}", "arguments_json": {}, "complete": True},),
            "finish_reason": "tool_calls",
            "finish_reason_raw": "stop",
        },
        {
            "index": 1,
            "role": "assistant",
            "tool_calls": (
                {"index": 0, "id": "c1", "name": "f", "arguments": '{"x": 1}', "arguments_json": {"x": 1}, "complete": True},
            ),
            "finish_reason": "tool_calls",
            "finish_reason_raw": "tool_calls",
        },
    )
    assert record.finish_reasons == ("tool_calls", "tool_calls")
    assert record.text == "a"


@pytest.mark.parametrize(
    ("end", "reason", "raw", "outcome"),
    [
        pytest.param([stops(), stops()], "stop", "stop", "completed", id="repeated"),
        pytest.param([], None, None, "truncated", id="absent"),
        pytest.param([stops("")], None, None, "truncated", id="empty"),
        pytest.param([chat(choice(0, "stop", content=""))], "stop", "stop", "completed", id="with empty content"),
        pytest.param([chat({"index": 0, "delta": None, "finish_reason": "stop"})], "stop", "stop", "completed", id="null delta"),
        pytest.param([chat({"index": 0, "finish_reason": "stop"})], "stop", "stop", "completed", id="no delta"),
        pytest.param([stops(), chat(choice(content=""))], "stop", "stop", "completed", id="then an empty delta"),
        pytest.param([stops("tool_calls"), stops("stop")], "stop", "stop", "completed", id="two words, the last counts"),
        pytest.param([stops("length")], "length", "length", "completed", id="length"),
        pytest.param([stops("model_length")], "length", "model_length", "completed", id="the server's own word"),
        pytest.param([stops("MAX_TOKENS")], "length", "MAX_TOKENS", "completed", id="in capitals"),
        pytest.param([stops("content_filter")], "content_filter", "content_filter", "completed", id="content filter"),
        pytest.param([stops("eos")], "stop", "eos", "completed", id="end of sequence"),
        pytest.param([stops("whatever")], None, "whatever", "completed", id="an unknown word"),
    ],
)
def test_finish(end: list[Payload], reason: str | None, raw: str | None, outcome: str) -> None:
    """The last reason of a choice is kept, normalised and raw; without one the answer is cut short."""
    finish = {name: word for name, word in (("finish_reason", reason), ("finish_reason_raw", raw)) if word}
    assert stated(read([*texts("hel", "lo"), *end])) == {"outcome": outcome, "choices": ({"text": "hello", **finish},)}


def test_finish_with_content() -> None:
    """The last chunk may have text too."""
    assert stated(read([*texts("hel"), chat(choice(0, "stop", content="lo"))])) == {"outcome": "completed", "choices": (ANSWER,)}


def test_one_choice_of_two_unfinished() -> None:
    """The answer is complete only if every choice has a reason."""
    record = read([chat(choice(0, content="a"), choice(1, content="b")), stops()])
    assert (record.outcome, record.finish_reasons) == ("truncated", ("stop", None))


def _token(token: str, logprob: float) -> Payload:
    return {"token": token, "logprob": logprob, "bytes": [*token.encode()], "top_logprobs": []}


def test_logprobs_of_content_and_refusal() -> None:
    """The lists of all chunks are joined, each under its key."""
    chunks = [
        chat(choice(content="hel", beside={"logprobs": {"content": [_token("hel", -0.5)], "refusal": None}})),
        chat(choice(content="lo", beside={"logprobs": {"content": [_token("lo", -1.5)], "refusal": [_token("n", -2.5)]}})),
        chat(choice(0, "stop", beside={"logprobs": None})),
    ]
    (answer,) = read(chunks).choices
    assert answer.logprobs == {"content": [_token("hel", -0.5), _token("lo", -1.5)], "refusal": [_token("n", -2.5)]}


def test_logprobs_that_are_bare_numbers() -> None:
    """One number per chunk makes a list."""
    chunks = [chat(choice(content=piece, beside={"logprobs": value})) for piece, value in (("hel", -0.5), ("lo", -1.5))]
    (answer,) = read([*chunks, stops()]).choices
    assert (answer.text, answer.logprobs) == ("hello", [-0.5, -1.5])


def test_annotations_and_citations() -> None:
    """Annotations of the deltas are collected; of citations beside the choices the last value is kept."""
    notes = [
        {"type": "url_citation", "url_citation": {"url": f"https://{n}.test", "title": n, "start_index": 0, "end_index": 1}}
        for n in "ab"
    ]
    chunks = [
        chat(choice(content="hel", annotations=notes[:1]), citations=["https://a.test"]),
        chat(choice(content="lo", annotations=notes[1:]), citations=["https://a.test", "https://b.test"]),
        stops(),
    ]
    assert stated(read(chunks)) == {
        "outcome": "completed",
        "choices": ({**ANSWER, "annotations": tuple(notes)},),
        "extras": {"citations": ["https://a.test", "https://b.test"]},
    }


def test_what_has_no_name_is_kept_field_by_field() -> None:
    """Fields of objects are merged over the chunks: none of a gateway is lost."""
    chunks = [
        chat(
            choice(content="hello", beside={"native_finish_reason": None, "token_ids": [1]}), x_groq={"id": "req-1"}, provider="P"
        ),
        chat(choice(0, "stop", beside={"native_finish_reason": "STOP", "stop_reason": None}), x_groq={"seed": 5}),
    ]
    assert stated(read(chunks)) == {
        "outcome": "completed",
        "choices": ({**ANSWER, "extras": {"native_finish_reason": "STOP", "token_ids": [1]}},),
        "extras": {"x_groq": {"id": "req-1", "seed": 5}, "provider": "P"},
    }


SOUND = bytes(range(256)) * 3


@pytest.mark.parametrize("length", [1, 3, 4, 7, 1000])
def test_audio_in_chat(length: int) -> None:
    """Audio is base64 that may be cut anywhere, with a transcript, ID and expiry, and without text."""
    code = base64.b64encode(SOUND).decode()
    chunks = [
        chat(choice(role="assistant", content=None, refusal=None, audio={"id": "audio-1", "transcript": "hel"})),
        chat(choice(audio={"transcript": "lo"})),
        *(chat(choice(audio={"data": code[at : at + length]})) for at in range(0, len(code), length)),
        chat(choice(audio={"expires_at": 99})),
        stops(),
    ]
    record = read(chunks) if length >= 7 else replay(sse(chunks, end="\r\n"), dialect="openai.chat")
    assert stated(record) == {
        "outcome": "completed",
        "choices": ({"role": "assistant", "finish_reason": "stop", "finish_reason_raw": "stop"},),
        "audio": {"data": SOUND, "size": len(SOUND), "transcript": "hello", "id": "audio-1", "extras": {"expires_at": 99}},
    }


def _image(data: bytes, index: int | None) -> Payload:
    url = f"data:image/png;base64,{base64.b64encode(data).decode()}"
    return {"type": "image_url", "image_url": {"url": url}, **({} if index is None else {"index": index})}


@pytest.mark.parametrize("numbered", [True, False])
def test_images_in_the_delta(numbered: bool) -> None:
    """Images are decoded from their data URLs, with or without an index, in one chunk or in several."""
    images = [_image(bytes([n]) * 5, n if numbered else None) for n in range(3)]
    record = read([*texts("hel"), chat(choice(images=images[:2])), chat(choice(content="lo", images=images[2:])), stops()])
    assert [(image.index, image.data, image.mime_type, image.complete) for image in record.images] == [
        (0, b"\0\0\0\0\0", "image/png", True),
        (1, b"\1\1\1\1\1", "image/png", True),
        (2, b"\2\2\2\2\2", "image/png", True),
    ]
    assert record.text == "hello"


def test_an_image_that_is_only_linked() -> None:
    """An image that is linked has a URL and no bytes."""
    (image,) = read([chat(choice(images=[{"type": "image_url", "image_url": {"url": "https://x.test/1.png"}}])), stops()]).images
    assert (image.url, image.data, image.complete) == ("https://x.test/1.png", None, True)


def test_a_cumulative_message_beside_the_delta() -> None:
    """If a server repeats the whole answer beside each delta, only the deltas count."""
    chunks = [
        chat(
            choice(role="assistant", content=piece, beside={"message": {"role": "assistant", "content": so_far}}),
            object="chat.completion",
        )
        for piece, so_far in (("hel", "hel"), ("lo", "hello"))
    ]
    last = chat(choice(0, "stop", content="", beside={"message": {"role": "assistant", "content": "hello"}}))
    assert stated(read([*chunks, last])) == {"outcome": "completed", "choices": ({**ANSWER, "role": "assistant"},)}


def test_a_whole_completion_instead_of_a_stream() -> None:
    """A server that does not stream sends one message with all content."""
    message = {"role": "assistant", "content": "hello", "tool_calls": [call(None, "f", "{}", id="c0", type="function")]}
    whole = {**chat({"index": 0, "message": message, "finish_reason": "stop"}), "object": "chat.completion"}
    assert stated(read([whole])) == {
        "outcome": "completed",
        "choices": (
            {
                **ANSWER,
                "finish_reason": "tool_calls",
                "role": "assistant",
                "tool_calls": ({"index": 0, "id": "c0", "name": "f", "arguments": "{}", "arguments_json": {}, "complete": True},),
            },
        ),
    }


def test_content_as_a_list_and_then_as_a_text() -> None:
    """Thinking parts are reasoning, text parts are text, and plain texts may follow; other parts are kept."""
    reference = {"type": "reference", "reference_ids": [1]}
    chunks = [
        chat(choice(content=[{"type": "thinking", "thinking": [{"type": "text", "text": "h"}]}])),
        chat(choice(content=[{"type": "thinking", "thinking": [{"type": "text", "text": "m"}]}, {"type": "text", "text": "he"}])),
        chat(choice(content=["l", reference])),
        *texts("lo"),
        stops(),
    ]
    assert stated(read(chunks)) == {
        "outcome": "completed",
        "choices": ({**ANSWER, "reasoning": "hm", "annotations": (reference,)},),
    }


def test_reasoning_as_a_part_of_the_content() -> None:
    """Parts of type `reasoning`, with a summary or a text, are reasoning."""
    summary = {"type": "reasoning", "summary": [{"type": "summary_text", "text": "h"}]}
    chunks = [
        chat(choice(content=[summary])),
        chat(choice(content=[{"type": "reasoning", "text": "m"}])),
        *texts("hello"),
        stops(),
    ]
    assert stated(read(chunks)) == {"outcome": "completed", "choices": ({**ANSWER, "reasoning": "hm"},)}


def test_text_beside_the_delta() -> None:
    """Text that a server sends in `text` and in the delta is read once."""
    chunks = [chat(choice(content=piece, beside={"text": piece})) for piece in ("hel", "lo")]
    assert stated(read([*chunks, stops()])) == {"outcome": "completed", "choices": (ANSWER,)}


def test_chunks_without_an_object() -> None:
    """The dialect is detected by the choices if `object` is missing or different."""
    for form in (None, "", "chat.completion", "something"):
        chunks = [{**chunk, "object": form} for chunk in (*texts("hel", "lo"), stops())]
        if form is None:
            chunks = [{name: value for name, value in chunk.items() if name != "object"} for chunk in chunks]
        assert stated(read(chunks)) == {"outcome": "completed", "choices": (ANSWER,)}


def test_a_surrogate_pair_in_two_chunks() -> None:
    """A character that is split over two chunks is one character, in text, reasoning, details and arguments."""
    halves = ("\ud83d", "\ude00")
    chunks = [
        chat(choice(content=half, reasoning=half, reasoning_details=[{"type": "reasoning.text", "text": half, "index": 0}]))
        for half in halves
    ]
    parts = [calls(call(0, "f" if half == halves[0] else None, half)) for half in halves]
    record = read([*chunks, *parts, stops()])
    (answer,) = record.choices
    assert (answer.text, answer.reasoning, answer.reasoning_details[0]["text"], answer.tool_calls[0].arguments) == ("😀",) * 4


def test_line_separators_are_content() -> None:
    """U+2028 and similar characters do not end a line: they are text."""
    text = "a\u2028b\u2029c\x85d\x0be"
    assert read([*texts(text), stops()]).text == text


def test_comments_blank_lines_and_spaces_do_not_matter() -> None:
    """Comments, `data:` without a space, and events without a blank line between them make the same record."""
    chunks = [*texts("hel", "lo"), stops()]
    plain = facts(replay(sse(chunks, done=True)))
    body = sse(chunks, done=True)
    assert facts(replay(b": PROCESSING\n\n" + body.replace(b"\n\n", b"\n\n: ping\n\n"))) == plain
    assert facts(replay(body.replace(b"data: {", b"data:{"))) == plain
    assert facts(replay(body.replace(b"\n\n", b"\n"))) == plain
    assert facts(replay(b"\xef\xbb\xbf" + body)) == plain


@pytest.mark.parametrize("marks", [0, 1, 2])
def test_the_end_marker_may_be_missing_or_repeated(marks: int) -> None:
    """`[DONE]` changes nothing about a finished answer."""
    record = replay(sse([*texts("hel", "lo"), stops()]) + b"data: [DONE]\n\n" * marks, dialect="openai.chat")
    assert stated(record) == {"outcome": "completed", "choices": (ANSWER,)}


def test_the_end_marker_does_not_finish_an_answer() -> None:
    """A proxy may append `[DONE]` after its upstream failed: the answer is cut short."""
    assert stated(replay(sse(texts("hel"), done=True))) == {"outcome": "truncated", "choices": ({"text": "hel"},)}


def test_half_a_frame_at_the_end() -> None:
    """An incomplete frame is kept as the tail, and the answer is truncated."""
    body = sse(texts("hel", "lo"))
    whole, tail = body[:-30], body[:-30].split(b"\n\n")[-1].decode()
    record = replay(whole, dialect="openai.chat")
    assert stated(record) == {"outcome": "truncated", "choices": ({"text": "hel"},), "extras": {"tail": tail}}


@pytest.mark.parametrize("tail", ["event: chat.comp", "data", "data: [DO", "data: 12", 'data: {"choices": [{'])
def test_every_kind_of_half_frame_is_kept(tail: str) -> None:
    """Any part of a last frame is in the record."""
    record = replay(sse(texts("hel")) + tail.encode(), dialect="openai.chat")
    assert stated(record) == {"outcome": "truncated", "choices": ({"text": "hel"},), "extras": {"tail": tail}}


def test_a_last_frame_that_only_lacks_its_blank_line() -> None:
    """A whole payload is read although no blank line follows."""
    assert stated(replay(sse([*texts("hel", "lo"), stops()]).rstrip())) == {"outcome": "completed", "choices": (ANSWER,)}


def test_a_line_of_a_mebibyte() -> None:
    """A frame may have any length."""
    text = "xyz" * 350_000
    for record in (replay(sse(texts(text))), replay(pieces(sse(texts(text)), 65_536), dialect="openai.chat")):
        assert record.text == text


def test_bytes_that_are_no_utf8() -> None:
    """Invalid bytes become replacement characters, and the rest of the text stays."""
    body = sse([*texts("hel", "@", "lo"), stops()]).replace(b"@", b"\xff\xc3")
    assert replay(body).text == "hel\ufffd\ufffdlo"
