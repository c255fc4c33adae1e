"""Builders of Gemini payloads, and the ways of reading them, which must all make the same record."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

import pytest

import streamtally
from streamtally import StreamRecord, replay, to_response
from tests.dialects.wire import Payload, facts, keyed, read

FIXTURE_DEFAULTS = {"response_id": "id-1", "model": "m-1", "provider": "google"}


def reply(*parts: Payload, finish: Any = None, usage: Payload | None = None, **candidate: Any) -> Payload:
    """A chunk with one candidate of these parts; the other keywords are fields beside its content."""
    content = {"parts": list(parts), "role": "model"}
    return answers({"content": content, **candidate, **({} if finish is None else {"finishReason": finish})}, usage=usage)


def answers(*candidates: Payload, usage: Payload | None = None, **fields: Any) -> Payload:
    """A chunk with these candidates."""
    known = {"modelVersion": "m-1", "responseId": "id-1", **fields}
    return {"candidates": list(candidates), **known, **({} if usage is None else {"usageMetadata": usage})}


def text(words: str, **fields: Any) -> Payload:
    """A part with text."""
    return {"text": words, **fields}


def thought(words: str, **fields: Any) -> Payload:
    """A part of reasoning."""
    return {"text": words, "thought": True, **fields}


def call(name: str | None = None, /, *, sig: str | None = None, **fields: Any) -> Payload:
    """A part with a function call, or (without a name) a further piece of one."""
    part = {"functionCall": {**({} if name is None else {"name": name}), **fields}}
    return part if sig is None else {**part, "thoughtSignature": sig}


def piece(path: str, *, more: bool | None = None, **value: Any) -> Payload:
    """One entry of `partialArgs`."""
    return {"jsonPath": path, **value, **({} if more is None else {"willContinue": more})}


def in_pieces(*pieces: Payload) -> Payload:
    """A piece of a call that continues."""
    return call(partialArgs=list(pieces), willContinue=True)


def sdk_objects(payloads: Iterable[Payload]) -> list[Any]:
    """The payloads as objects of the official SDK."""
    types = pytest.importorskip("google.genai.types")
    return [types.GenerateContentResponse.model_validate(json.loads(json.dumps(payload))) for payload in payloads]


def read_all(payloads: Sequence[Payload], *, detectable: bool = True) -> StreamRecord:
    """The record of a fixture, which all ways of reading must make, also from objects of the SDK."""
    record = read(payloads, "gemini", detectable=detectable)
    objects = sdk_objects(payloads)
    snakes = [json.loads(one.model_dump_json(exclude_unset=True)) for one in objects]
    ways = {
        "SDK objects": replay(objects, dialect="gemini"),
        "wrapped SDK objects": streamtally.collect(objects, dialect="gemini"),
        "shuffled SDK objects": keyed(objects, "gemini", seed=5),
        "the SDK's JSON": replay(snakes, dialect="gemini"),
    }
    for name, other in ways.items():
        assert facts(other) == facts(record), name
    return record


def stated(record: StreamRecord) -> dict[str, Any]:
    """The fields of the answer in a record, without defaults and without the values that all fixtures have."""
    names = ("outcome", "choices", "output_items", "images", "audio", "error", "service_tier", "extras")
    fields = record.model_dump(exclude_defaults=True, include={*names, *FIXTURE_DEFAULTS})
    fields["outcome"] = fields["outcome"].value
    fields["choices"] = tuple({**one, "role": None} for one in fields.get("choices", ()))
    fields["choices"] = tuple({name: value for name, value in one.items() if value is not None} for one in fields["choices"])
    return {name: value for name, value in fields.items() if FIXTURE_DEFAULTS.get(name) != value}


def response_of(record: StreamRecord) -> Any:
    """The record's response form, checked by the official SDK's type."""
    return pytest.importorskip("google.genai.types").GenerateContentResponse.model_validate(to_response(record))


def parts_of(payloads: Iterable[Payload], choice: int = 0) -> list[Payload]:
    """The parts that the response form has, as the API would write them."""
    whole = to_response(replay(list(payloads), dialect="gemini"))
    parts: list[Payload] = whole["candidates"][choice]["content"]["parts"]
    return parts
