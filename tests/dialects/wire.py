"""Builders of payloads, and the ways of reading them, which must all make the same record."""

import functools
import json
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import cohere
import cohere.core.unchecked_base_model
import ollama
import pytest
from anthropic._models import construct_type as anthropic_construct_type
from anthropic.types.beta import BetaRawMessageStreamEvent
from openai._models import construct_type
from openai.types import Completion
from openai.types.audio import TranscriptionStreamEvent
from openai.types.chat import ChatCompletionChunk
from openai.types.image_edit_stream_event import ImageEditStreamEvent
from openai.types.image_gen_stream_event import ImageGenStreamEvent
from openai.types.realtime import RealtimeServerEvent
from openai.types.responses import ResponseStreamEvent
from pydantic import TypeAdapter, ValidationError

import streamtally
from streamtally import StreamRecord, Tally, replay

Payload: TypeAlias = dict[str, Any]
Payloads: TypeAlias = Sequence[Mapping[str, Any]]


def _mistral_object(payload: Mapping[str, Any]) -> Any:
    return pytest.importorskip("mistralai.client.models").CompletionEvent.model_validate({"data": payload})


def _conversation_event(payload: Mapping[str, Any]) -> Any:
    kind = pytest.importorskip("mistralai.client.models").ConversationEvents
    return kind.model_validate({"event": payload["type"], "data": payload})


def _interaction_event(payload: Mapping[str, Any]) -> Any:
    return _adapter(pytest.importorskip("google.genai.interactions").InteractionSSEEvent).validate_python(payload)


def _cohere_object(kind: Any, payload: Mapping[str, Any]) -> Any:
    return cohere.core.unchecked_base_model.construct_type(type_=kind, object_=payload)


SDK_TYPES: Mapping[str, Any] = {
    "openai.chat": ChatCompletionChunk,
    "openai.completions": Completion,
    "openai.realtime": RealtimeServerEvent,
    "openai.responses": ResponseStreamEvent,
    "openai.transcription": TranscriptionStreamEvent,
    "openai.images": ImageGenStreamEvent,
}
"""The class of the official SDK for a payload; for speech it returns bytes."""

OTHER_SDKS: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    "anthropic.messages": lambda payload: anthropic_construct_type(type_=BetaRawMessageStreamEvent, value=payload),
    "cohere.v1": functools.partial(_cohere_object, cohere.StreamedChatResponse),
    "cohere.v2": functools.partial(_cohere_object, cohere.V2ChatStreamResponse),
    "gemini.interactions": _interaction_event,
    "mistral.chat": _mistral_object,
    "mistral.conversations": _conversation_event,
    "ollama.chat": ollama.ChatResponse.model_validate,
    "ollama.generate": ollama.GenerateResponse.model_validate,
}
"""The function that makes an SDK's object of a payload, for other providers."""

ENDS_WITH_DONE = ("openai.chat", "openai.completions")
NAMED = ("openai.responses", "anthropic.messages")

_ARRIVAL_FIELDS = frozenset(
    {"request_id", "timing", "cost", "ordering", "highest_index", "chunk_count", "duplicates", "conflicts", "late", "raw"}
)
"""Fields about the arrival of the chunks, not about their content."""

_FIXTURE_DEFAULTS = {"response_id": "id-1", "model": "m-1", "provider": "openai"}


def chat(*choices: Payload, **fields: Any) -> Payload:
    """One Chat Completions chunk."""
    chunk = {"id": "id-1", "object": "chat.completion.chunk", "created": 1, "model": "m-1", "choices": list(choices)}
    return {**chunk, **fields}


def choice(
    index: int | None = 0, finish: str | None = None, /, *, beside: Mapping[str, Any] | None = None, **delta: Any
) -> Payload:
    """One choice of a chunk: the keywords are its delta, and `beside` are the fields next to it."""
    return {"index": index, "delta": delta, "finish_reason": finish, **(beside or {})}


def texts(*pieces: str, **fields: Any) -> list[Payload]:
    """Chunks of text."""
    return [chat(choice(content=piece), **fields) for piece in pieces]


def stops(reason: str = "stop", **fields: Any) -> Payload:
    """The chunk with which the first choice ends."""
    return chat(choice(0, reason), **fields)


def call(index: int | None = None, /, name: str | None = None, arguments: Any = None, **fields: Any) -> Payload:
    """One entry of `tool_calls`."""
    function = {"name": name, "arguments": arguments}
    whole = {"index": index, "function": {key: value for key, value in function.items() if value is not None}, **fields}
    return whole if index is not None else {key: value for key, value in whole.items() if key != "index"}


def calls(*entries: Payload) -> Payload:
    """A chunk of tool calls."""
    return chat(choice(tool_calls=list(entries)))


def event(kind: str, **fields: Any) -> Payload:
    """One event of the Responses API."""
    return {"type": f"response.{kind}", **fields}


def envelope(stage: str, **fields: Any) -> Payload:
    """An event about the whole response."""
    status = "in_progress" if stage == "created" else stage
    whole = {"id": "id-1", "object": "response", "created_at": 1, "model": "m-1", "status": status, "output": [], **fields}
    return event(stage, response=whole)


def numbered(*events: Payload) -> list[Payload]:
    """The events with their sequence numbers."""
    return [{**each, "sequence_number": number} for number, each in enumerate(events)]


def sse(payloads: Iterable[Mapping[str, Any]], *, done: bool = False, named: bool = False, end: str = "\n") -> bytes:
    """A body of server-sent events."""
    frames = [
        (f"event: {payload['type']}{end}" if named and "type" in payload else "") + f"data: {_json(payload)}{end}{end}"
        for payload in payloads
    ]
    return "".join([*frames, f"data: [DONE]{end}{end}" if done else ""]).encode()


def _json(payload: Mapping[str, Any]) -> str:
    """JSON as servers write it: UTF-8 unescaped, but half a surrogate pair as an escape."""
    text = json.dumps(payload, ensure_ascii=False)
    return text if text.encode("utf-8", "ignore").decode() == text else json.dumps(payload)


def sdk_objects(payloads: Iterable[Mapping[str, Any]], dialect: str) -> list[Any]:
    """The payloads as objects of the official SDK."""
    kind = SDK_TYPES[dialect]
    if dialect == "openai.images":
        return [construct_type(type_=_image_type(payload), value=payload) for payload in payloads]
    return [construct_type(type_=kind, value=payload) for payload in payloads]


def _validated(payloads: Iterable[Mapping[str, Any]], dialect: str) -> list[Any] | None:
    """Return the payloads as SDK objects by strict validation, or None if the SDK's types reject what a server sends."""
    kind = SDK_TYPES[dialect]
    try:
        return [_adapter(_image_type(each) if dialect == "openai.images" else kind).validate_python(each) for each in payloads]
    except ValidationError:
        return None


@functools.cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _image_type(payload: Mapping[str, Any]) -> Any:
    return ImageEditStreamEvent if str(payload.get("type")).startswith("image_edit") else ImageGenStreamEvent


def facts(record: StreamRecord) -> dict[str, Any]:
    """The fields of a record, except those about the arrival of its chunks."""
    return {name: value for name, value in record.model_dump().items() if name not in _ARRIVAL_FIELDS}


def stated(record: StreamRecord) -> dict[str, Any]:
    """The fields of a record without defaults, without the values that all fixtures have, and without those of the dialect."""
    fields = record.model_dump(exclude_defaults=True, exclude=set(_ARRIVAL_FIELDS) | {"dialect", "stream_type"})
    fields = {name: value for name, value in fields.items() if _FIXTURE_DEFAULTS.get(name) != value}
    fields["extras"] = {name: value for name, value in fields.get("extras", {}).items() if (name, value) != ("created", 1)}
    if usage := fields.get("usage"):
        usage.pop("raw", None)
    fields["outcome"] = fields["outcome"].value
    return {name: value for name, value in fields.items() if value not in ({}, ())}


def keyed(payloads: Sequence[Any], dialect: str, seed: int = 7) -> StreamRecord:
    """The record of payloads that are added with their index, shuffled, each twice."""
    numbers = [*range(len(payloads))] * 2
    random.Random(seed).shuffle(numbers)
    tally = Tally()  # which counts the tools, as `replay` does
    tally.open("r", dialect=dialect)
    for number in numbers:
        tally.add("r", payloads[number], index=number)
    return tally.finish("r")


def read(payloads: Payloads, dialect: str = "openai.chat", *, detectable: bool = True) -> StreamRecord:
    """The record of a fixture, which all ways of reading must make.

    `detectable` is False for a stream whose first payload does not determine its dialect.
    """
    record = replay(payloads, dialect=dialect)
    for name, other in _other_ways(payloads, dialect, detectable):
        assert facts(other()) == facts(record), name
    return record


def _other_ways(
    payloads: Sequence[Mapping[str, Any]], dialect: str, detectable: bool
) -> Iterable[tuple[str, Callable[[], StreamRecord]]]:
    body = sse(payloads, done=dialect in ENDS_WITH_DONE, named=dialect in NAMED)
    yield "one body", lambda: replay(body, dialect=dialect)
    yield "bytes", lambda: replay([body[at : at + 1] for at in range(len(body))], dialect=dialect)
    yield "CRLF", lambda: replay(sse(payloads, end="\r\n"), dialect=dialect)
    yield "JSON lines", lambda: replay("\n".join(map(json.dumps, payloads)), dialect=dialect)
    yield "shuffled", lambda: keyed(payloads, dialect)
    if detectable:
        yield "unnamed", lambda: replay(payloads)
    if dialect in OTHER_SDKS:
        others = list(map(OTHER_SDKS[dialect], payloads))
        yield "SDK objects", lambda: replay(others, dialect=dialect)
        yield "wrapped SDK objects", lambda: streamtally.collect(others, dialect=dialect)
    if dialect in SDK_TYPES:
        objects = sdk_objects(payloads, dialect)
        if (validated := _validated(payloads, dialect)) is not None:
            yield "validated SDK objects", lambda: replay(validated, dialect=dialect)
        yield "SDK objects", lambda: replay(objects, dialect=dialect)
        yield "wrapped SDK objects", lambda: streamtally.collect(objects, dialect=dialect)
        yield "shuffled SDK objects", lambda: keyed(objects, dialect, seed=11)


def pieces(body: bytes, length: int) -> list[bytes]:
    """A body cut every `length` bytes."""
    return [body[at : at + length] for at in range(0, len(body), length)]
