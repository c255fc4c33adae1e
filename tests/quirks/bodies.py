"""Payloads as bodies: one writer for each framing, and the writers of each dialect."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from tests.dialects.wire import Payload as Payload

Writer: TypeAlias = Callable[[Sequence[Payload]], bytes]


def sse(payloads: Sequence[Payload], *, named: bool = False, done: bool = False, end: str = "\n") -> bytes:
    """Server-sent events; `named` after the payload's type (or `event_type`), `done` with `[DONE]` at the end."""
    names = [each.get("type") or each.get("event_type") for each in payloads]
    frames = [
        (f"event: {name}{end}" if named and name else "") + f"data: {_json(each)}{end}{end}"
        for each, name in zip(payloads, names, strict=True)
    ]
    return "".join([*frames, f"data: [DONE]{end}{end}" if done else ""]).encode()


def ndjson(payloads: Sequence[Payload], *, end: str = "\n") -> bytes:
    """One line for each payload."""
    return "".join(_json(payload) + end for payload in payloads).encode()


def json_array(payloads: Sequence[Payload], *, indent: int | None = None, end: str = "\n") -> bytes:
    """One JSON array that is sent piece by piece, as Gemini does without `alt=sse`."""
    texts = [json.dumps(payload, ensure_ascii=False, indent=indent) for payload in payloads]
    return ("[" + f"{end},{end}".join(text.replace("\n", end) for text in texts) + end + "]").encode()


def event_stream(payloads: Sequence[Payload]) -> bytes:
    """Messages of the AWS event stream, of payloads in the form of boto3: `{event type: fields}`.

    A payload whose type ends with "Exception" is sent as an exception.
    """
    return b"".join(_message_of(*item) for payload in payloads for item in payload.items())


def message(headers: Mapping[str, str], payload: bytes) -> bytes:
    """One message: lengths, CRC of them, headers, payload, CRC of all (https://smithy.io/2.0/aws/amazon-eventstream.html)."""
    head = b"".join(_header(name, value) for name, value in headers.items())
    prelude = struct.pack(">II", 16 + len(head) + len(payload), len(head))
    whole = prelude + struct.pack(">I", zlib.crc32(prelude)) + head + payload
    return whole + struct.pack(">I", zlib.crc32(whole))


def _message_of(name: str, value: Any) -> bytes:
    kind = "exception" if name.endswith("Exception") else "event"
    headers = {f":{kind}-type": name, ":content-type": "application/json", ":message-type": kind}
    return message(headers, _json(value).encode())


def _header(name: str, value: str) -> bytes:
    encoded = value.encode()
    return bytes([len(name)]) + name.encode() + b"\x07" + len(encoded).to_bytes(2, "big") + encoded


def _json(value: Any) -> str:
    """Return JSON as servers write it: UTF-8 unescaped, lone surrogates escaped, bytes in base64."""
    text = json.dumps(value, ensure_ascii=False, default=_base64)
    return text if text.encode("utf-8", "ignore").decode() == text else json.dumps(value, default=_base64)


def _base64(value: Any) -> str:
    return base64.b64encode(value).decode()


def _named(payloads: Sequence[Payload]) -> bytes:
    return sse(payloads, named=True)


def _named_crlf(payloads: Sequence[Payload]) -> bytes:
    return sse(payloads, named=True, end="\r\n")


def _crlf(payloads: Sequence[Payload]) -> bytes:
    return sse(payloads, end="\r\n")


def _done(payloads: Sequence[Payload]) -> bytes:
    return sse(payloads, done=True)


def _named_done(payloads: Sequence[Payload]) -> bytes:
    """Named events, and an event `done` with `[DONE]`."""
    return sse(payloads, named=True) + b"event: done\ndata: [DONE]\n\n"


def _lines_crlf(payloads: Sequence[Payload]) -> bytes:
    return ndjson(payloads, end="\r\n")


def _indented(payloads: Sequence[Payload]) -> bytes:
    return json_array(payloads, indent=2, end="\r\n")


WRITERS: Mapping[str, Sequence[Writer]] = {
    "anthropic.completions": (_named, _named_crlf, sse),
    "anthropic.messages": (_named, _named_crlf, sse),
    "bedrock.converse": (event_stream,),
    "bedrock.invoke": (event_stream,),
    "cohere.v1": (ndjson, _lines_crlf),
    "cohere.v2": (_named, _named_crlf, sse),
    "dashscope": (sse, _crlf),
    "gemini": (_crlf, sse, json_array, _indented),
    "gemini.live": (ndjson, _lines_crlf),
    "gemini.interactions": (_named_done, _named_crlf, sse),
    "huggingface.tgi": (sse, _crlf),
    "llamacpp": (sse, _crlf),
    "mistral.chat": (_done, _crlf),
    "mistral.conversations": (_named, _named_crlf, sse),
    "ollama.chat": (ndjson, _lines_crlf),
    "ollama.generate": (ndjson, _lines_crlf),
    "openai.chat": (_done, _crlf),
    "openai.completions": (_done, _crlf),
    "vercel.ui": (_done, _crlf),
    "openai.realtime": (ndjson, _lines_crlf),
    "openai.responses": (_named, _named_crlf),
    "openai.transcription": (_crlf, sse),
    "openai.speech": (_crlf, sse),
    "openai.images": (_named, sse),
}
"""The writers for the forms in which a provider sends its streams; the first is the usual one."""
