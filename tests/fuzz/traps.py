"""Streams that take long to read if any cost is superlinear: each is a body of about the given size.

`python -m tests.fuzz.traps COUNT SECONDS` reads all, and prints those that took longer.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from streamtally import StreamRecord, replay
from tests.dialects.wire import call, calls, chat, choice, event
from tests.quirks import anthropic, bedrock, cohere, gemini, ollama
from tests.quirks.bodies import event_stream, message

Pieces: TypeAlias = Iterable[Any]
HUGE = 10**12


def in_pieces(body: bytes, size: int = 1_000) -> Iterator[bytes]:
    """A body in small pieces, as from a slow network."""
    return (body[start : start + size] for start in range(0, len(body), size))


def _each(make: Callable[[int], Any]) -> Callable[[int], Pieces]:
    """A stream of payloads by their number, which must have a fixed width in a text if that text is most of the work."""
    return lambda count: map(make, range(count))


def _framed(frame: bytes, size: int = 1_000) -> Callable[[int], Pieces]:
    return lambda count: in_pieces(frame * count, size)


def _detail(number: int) -> dict[str, Any]:
    return {"type": "reasoning.text", "text": "a", "signature": f"s{number}"}


def _tool(number: int, index: int | None) -> Any:
    return calls(call(index, "f", "{}", id=f"c{number}"))


PAYLOADS: Mapping[str, tuple[str, Callable[[int], Pieces]]] = {
    "words": ("openai.chat", _each(lambda _: chat(choice(content="a")))),
    "calls": ("openai.chat", _each(lambda number: _tool(number, number))),
    "calls far apart": ("openai.chat", _each(lambda number: _tool(number, HUGE * number))),
    "calls without index": ("openai.chat", _each(lambda number: _tool(number, None))),
    "calls without id": ("openai.chat", _each(lambda _: calls(call(0, "f", "{}")))),
    "choices": ("openai.chat", _each(lambda number: chat(choice(number, content="a")))),
    "choices far apart": ("openai.chat", _each(lambda number: chat(choice(HUGE * number, content="a")))),
    "annotations": ("openai.chat", _each(lambda number: chat(choice(annotations=[{"type": "t", "n": number}])))),
    "the same annotations": ("openai.chat", _each(lambda _: chat(choice(annotations=[{"type": "t"}] * 5)))),
    "reasoning details": ("openai.chat", _each(lambda number: chat(choice(reasoning_details=[_detail(number)])))),
    "images": ("openai.chat", _each(lambda _: chat(choice(images=[{"image_url": {"url": "https://a.test"}}])))),
    "usage of other names": ("openai.chat", _each(lambda number: chat(usage={f"n{number}": 1}))),
    "other names": ("openai.chat", _each(lambda number: chat(choice(content="a"), **{f"n{number}": 1}))),
    "log probabilities": ("openai.chat", _each(lambda _: chat(choice(content="a", beside={"logprobs": {"content": [{}]}})))),
    "errors": ("openai.chat", _each(lambda number: {"error": {"message": f"m{number:05}"}})),
    "items": (
        "openai.responses",
        _each(lambda number: event("output_item.added", output_index=number, item={"id": f"i{number}"})),
    ),
    "items far apart": (
        "openai.responses",
        _each(lambda number: event("output_item.added", output_index=HUGE * number, item={"id": f"i{number}"})),
    ),
    "parts far apart": (
        "openai.responses",
        _each(lambda number: event("output_text.delta", item_id="m", output_index=0, content_index=HUGE * number, delta="a")),
    ),
    "annotations of an item": (
        "openai.responses",
        _each(lambda number: event("output_text.annotation.added", item_id="m", content_index=0, annotation={"n": number})),
    ),
    "previews": ("openai.images", _each(lambda _: {"type": "image_generation.partial_image", "b64_json": "QUJD"})),
    "finished images": ("openai.images", _each(lambda _: {"type": "image_generation.completed", "b64_json": "QUJD"})),
    "segments": (
        "openai.transcription",
        _each(lambda number: {"type": "transcript.text.segment", "id": f"s{number}", "text": "a"}),
    ),
    "blocks": ("anthropic.messages", _each(lambda number: anthropic.opened(number, "text", text="a"))),
    "blocks far apart": ("anthropic.messages", _each(lambda number: anthropic.opened(HUGE * number, "text", text="a"))),
    "blocks at one index": ("anthropic.messages", _each(lambda _: anthropic.opened(0, "text", text="a"))),
    "calls in blocks": (
        "anthropic.messages",
        _each(lambda number: anthropic.opened(number, "tool_use", id=f"t{number}", name="f", input={})),
    ),
    "citations": ("anthropic.messages", _each(lambda number: anthropic.grows(0, "citations_delta", citation={"n": number}))),
    "signatures": ("anthropic.messages", _each(lambda number: anthropic.grows(0, "signature_delta", signature=f"s{number}"))),
    "starts": ("anthropic.messages", _each(lambda number: anthropic.start(id=f"m{number}"))),
    "pieces of input": ("anthropic.messages", _each(lambda _: anthropic.grows(0, "input_json_delta", partial_json="1, "))),
    "thoughts": ("gemini", _each(lambda number: gemini.reply(gemini.text("a", thought=True, thoughtSignature=f"s{number}")))),
    "functions": ("gemini", _each(lambda number: gemini.reply(gemini.call("f", n=number)))),
    "functions with an id": ("gemini", _each(lambda number: gemini.reply({"functionCall": {"id": f"c{number}", "name": "f"}}))),
    "pieces of arguments": (
        "gemini",
        _each(lambda number: gemini.reply({"functionCall": {
            "name": "f", "partialArgs": [{"jsonPath": f"$.a[{number}]", "numberValue": 1}], "willContinue": True}})),
    ),
    "arguments far apart": (
        "gemini",
        _each(lambda number: gemini.reply({"functionCall": {
            "name": "f", "partialArgs": [{"jsonPath": f"$.a[{HUGE * number}]", "numberValue": 1}], "willContinue": True}})),
    ),
    "pieces of one argument": (
        "gemini",
        _each(lambda _: gemini.reply({"functionCall": {
            "name": "f", "partialArgs": [{"jsonPath": "$.a", "stringValue": "a"}], "willContinue": True}})),
    ),
    "grounding": (
        "gemini",
        _each(lambda number: gemini.reply(groundingMetadata={"groundingChunks": [{"web": {"uri": f"u{number}"}}]})),
    ),
    "the same grounding": ("gemini", _each(lambda _: gemini.reply(groundingMetadata=gemini.GROUNDING))),
    "inline images": ("gemini", _each(lambda _: gemini.reply({"inlineData": {"mimeType": "image/png", "data": "QUJD"}}))),
    "code": ("gemini", _each(lambda _: gemini.reply({"executableCode": {"code": "1"}}))),
    "candidates": ("gemini", _each(lambda number: {"candidates": [{"index": number, "content": {"parts": [{"text": "a"}]}}]})),
    "blocks of Converse": ("bedrock.converse", _each(lambda number: bedrock.grows(number, text="a"))),
    "calls of Converse": ("bedrock.converse", _each(lambda number: bedrock.opened(number, f"t{number}", "f"))),
    "reasoning of Converse": (
        "bedrock.converse",
        _each(lambda number: bedrock.grows(0, reasoningContent={"signature": f"s{number:05}"})),
    ),
    "wrapped words": ("bedrock.invoke", _each(lambda _: bedrock.wrapped([{"generation": "a"}])[0])),
    "citations of Cohere": ("cohere.v2", _each(lambda number: cohere.cites(number)[0])),
    "plans": ("cohere.v2", _each(lambda _: cohere.plans("a")[0])),
    "calls of Cohere": ("cohere.v2", _each(lambda number: cohere.opened(number, f"c{number}", "f"))),
    "whole calls of Cohere": (
        "cohere.v1",
        _each(lambda number: cohere.v1("tool-calls-generation", tool_calls=[{"name": f"f{number}"}])),
    ),
    "lines": ("ollama.chat", _each(lambda _: ollama.line("a"))),
    "calls of Ollama": ("ollama.chat", _each(lambda number: ollama.line(tool_calls=[ollama.call("f", n=number)]))),
    "loaded": ("ollama.chat", _each(lambda _: ollama.ends("load"))),
}  # fmt: skip
"""By name: the dialect, and so many payloads."""

_WORD = b'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n'
_LINE = json.dumps(ollama.line("a")).encode()

BODIES: Mapping[str, tuple[str | None, Callable[[int], Pieces]]] = {
    "tiny events": ("openai.chat", _framed(b"data:{}\n\n")),
    "tiny reads": ("openai.chat", _framed(_WORD, 1)),
    "comments": ("openai.chat", _framed(b":\n")),
    "comments after a start": (None, lambda count: [_WORD, *in_pieces(b": ping\n\n" * count)]),
    "blank lines": ("openai.chat", _framed(b"\n")),
    "carriage returns": ("openai.chat", _framed(b"\r")),
    "blank before all": (None, _framed(b" ", 10)),
    "data lines of one event": ("openai.chat", _framed(b"data: {}\n")),
    "broken lines of one event": ("openai.chat", _framed(b"data: {\n")),
    "a line without end": ("openai.chat", _framed(b"data: aaaaaaa")),
    "an object without end": ("ollama.chat", lambda count: in_pieces(b'{"a":"' + b"aaaaaaaaaa" * count)),
    "an object of escapes": ("ollama.chat", lambda count: in_pieces(b'{"a":"' + b'\\"' * count)),
    "an array without end": ("gemini", lambda count: in_pieces(b"[" + b'{"a": [1, {"b": "c"}]},\n' * count)),
    "an array of commas": ("gemini", lambda count: in_pieces(b"[" + b"," * count)),
    "an open object with lines": (None, lambda count: in_pieces(b'{"a": [\n' + b"1,\n" * count)),
    "open objects": ("gemini", lambda count: in_pieces(b'[{"a":' * count)),
    "deep lists": ("openai.chat", lambda count: [b"data: " + b"[" * count + b"\n\n"] * 20),
    "deep objects": ("gemini", lambda count: [b'{"a":' * count]),
    "closed deep lists": ("gemini", lambda count: [b"[" * count + b"]" * count]),
    "lines of text": ("ollama.chat", _framed(_LINE + b"\n", 100)),
    "objects side by side": ("ollama.chat", _framed(b"{}")),
    "garbage in lines": ("ollama.chat", _framed(b"garbage\n")),
    "sound": ("openai.speech", _framed(b"\0\1\2\3", 10)),
    "messages": ("bedrock.converse", _framed(event_stream([bedrock.grows(0, text="a")]), 7)),
    "empty messages": ("bedrock.converse", _framed(message({}, b""))),
    "a message of four gigabytes": ("bedrock.converse", lambda count: in_pieces(b"\xff\xff\xff\xff" + b"\0" * 8 + b"a" * count)),
    "garbage for messages": ("bedrock.converse", _framed(b"\0\0\0\x10abcdefgh")),
    "headers": (
        "bedrock.converse",
        lambda count: in_pieces(message({f"h{number}": "" for number in range(min(count, 9_000))}, b"")),
    ),
}  # fmt: skip
"""By name: the dialect, or none, and so many times something, in pieces."""


def read(name: str, count: int) -> StreamRecord:
    """The record of one of the streams."""
    dialect, make = {**PAYLOADS, **BODIES}[name]
    return replay(make(count), dialect=dialect)


def slow(count: int, seconds: int) -> list[str]:
    """The names of those that take more seconds of CPU time, or 2 GiB: each runs in a process of its own."""
    waiting, running, found = [*PAYLOADS, *BODIES], dict[int, str](), list[str]()
    while waiting or running:
        while waiting and len(running) < (os.cpu_count() or 1):
            name = waiting.pop()
            running[_begun(name, count, seconds)] = name
        process, status = os.wait()
        name = running.pop(process)
        found += [f"{name}: {status}"] if status else []
    return found


def _begun(name: str, count: int, seconds: int) -> int:
    process = os.fork()
    if not process:
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
        try:
            read(name, count).model_dump_json()
        except BaseException:
            os._exit(1)
        os._exit(0)
    return process


if __name__ == "__main__":
    print(*slow(int(sys.argv[1]), int(sys.argv[2])), sep="\n")
