"""Recorded streams of real providers, read where they lie: every way of reading one comes to its reference.

`STREAMTALLY_CORPUS` says where they are; see docs/corpus.md.
"""

import hashlib
import json
import random
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

import pytest
from openai.types import Completion, ImagesResponse
from openai.types.audio import Transcription
from openai.types.chat import ChatCompletion
from openai.types.responses import Response
from pydantic import BaseModel

from streamtally import Accumulator, Choice, Outcome, StreamRecord, ToolCall, replay, to_response
from streamtally.framing import DONE, SSEDecoder, payloads
from tests.dialects.wire import facts, pieces
from tests.recordings import Recording, folder, read_all, why_absent

DISPUTED = {
    "llm-188f8f6322": "The server repeats id and name with each piece of one call. The SDK's accumulator joins what is repeated "
    "('llm_versionllm_version', id '00'); the call was 'llm_version' with id '0', which is what the record has.",
    "text-generation-inference-67e705e070": "The server repeats the id '0' with each of 17 pieces of one call. The SDK's "
    "accumulator joins them to seventeen zeros; the record has the id that was meant.",
    "req_llm-cbd31ab55b": "Fifteen whole calls come one by one, each with an id of its own, all at index 0; then an error, with "
    "a finish beside it. The SDK's accumulator fuses the calls into one with unparseable arguments, and raises at the error, "
    "before the finish; the record has fifteen calls, the finish 'stop', and the error.",
}
"""Recordings whose reference is wrong, and who is right."""

BYTE_BY_BYTE = 20_000
"""Bodies up to this size are cut after every byte, larger ones at many places."""

RESPONSES: Mapping[str, type[BaseModel]] = {
    "openai.chat": ChatCompletion,
    "openai.completions": Completion,
    "openai.responses": Response,
    "openai.images": ImagesResponse,
    "openai.transcription": Transcription,
}


def _recordings() -> list[Any]:
    path = folder()
    if path is None:
        return [pytest.param(None, marks=pytest.mark.skip(reason=why_absent()), id="absent")]
    found = [one for one in read_all(path) if one.api.startswith("openai.")]
    return [pytest.param(one, id=f"{one.api}-{one.name}") for one in found]


each_recording = pytest.mark.parametrize("recorded", _recordings())


@each_recording
def test_every_way_of_reading_comes_to_the_reference(recorded: Recording) -> None:
    """Whole, in any pieces, as it was read, and by payload in any order and twice: one record, and it is the reference."""
    record = replay(recorded.body, dialect=recorded.api)
    expected = facts(record)
    for cut in _cuts(recorded):
        assert facts(replay(cut, dialect=recorded.api)) == expected
    for seed in (1, 2):
        assert facts(_by_payload(recorded, seed)) == expected
    assert bool(_differences(recorded, record)) is (recorded.name in DISPUTED), _differences(recorded, record)


@each_recording
def test_a_completed_answer_has_a_response_object(recorded: Recording) -> None:
    """The official SDK's response type takes the record of every completed stream of which it has a type."""
    record = replay(recorded.body, dialect=recorded.api)
    if record.outcome is Outcome.COMPLETED and recorded.api in RESPONSES:
        RESPONSES[recorded.api].model_validate(to_response(record))


@each_recording
def test_the_record_survives_its_json_form(recorded: Recording) -> None:
    """Whatever a provider sent, the record can be written as JSON and read again."""
    record = replay(recorded.body, dialect=recorded.api)
    assert StreamRecord.model_validate_json(record.model_dump_json()) == record


def _cuts(recorded: Recording) -> Iterator[list[bytes]]:
    body = recorded.body
    if recorded.reads:
        yield list(recorded.pieces())
    if len(body) <= BYTE_BY_BYTE:
        yield pieces(body, 1)
        return
    cuts = sorted({0, len(body), *random.Random(len(body)).sample(range(len(body)), 2_000)})
    yield [body[start:end] for start, end in pairwise(cuts)]


def _by_payload(recorded: Recording, seed: int) -> StreamRecord:
    """The record of the payloads, each added twice under its index, in an order that the seed makes."""
    chunks = list(_payloads(recorded))
    positions = [*range(len(chunks))] * 2
    random.Random(seed).shuffle(positions)
    accumulator = Accumulator()
    accumulator.open("r", dialect=recorded.api)
    for position in positions:
        accumulator.add("r", chunks[position], index=position)
    return accumulator.finish("r")


def _payloads(recorded: Recording) -> Iterator[Any]:
    if recorded.format == "raw-bytes":
        yield from pieces(recorded.body, 1_000)
        return
    if recorded.format == "event-lines":
        yield from map(json.loads, recorded.body.splitlines())
        return
    decoder = SSEDecoder()
    for event in [*decoder.feed(recorded.body), *decoder.flush()]:
        if event.event == "error":
            yield f"event: error\ndata: {event.data}\n\n"
        else:
            yield from ("[DONE]" if payload is DONE else payload for payload in payloads(event.data))


def _differences(recorded: Recording, record: StreamRecord) -> list[str]:
    """What the record has other than the reference; empty where they agree."""
    reference = recorded.reference or {}
    if "audio_sha256" in reference:
        data = record.audio.data if record.audio and record.audio.data else b""
        return _unequal("audio", hashlib.sha256(data).hexdigest(), reference["audio_sha256"])
    found = [] if "choices" in reference else _unequal("text", record.text, reference.get("content") or "")
    if recorded.api == "openai.images":
        found = []
    by_index = {answer.index: answer for answer in record.choices}
    for position, wanted in enumerate(reference.get("choices") or _only_choice(reference)):
        found += _choice_differences(by_index.get(wanted.get("index") or position, Choice(finish_reason=None)), wanted)
    return found + _usage_differences(record, reference.get("usage") or {})


def _only_choice(reference: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """A reference without choices has the fields of one, of which those that it does not know are not compared."""
    known = {name: reference[name] for name in ("reasoning", "refusal", "tool_calls", "finish_reason") if reference.get(name)}
    return [known] if known else []


def _choice_differences(answer: Choice, wanted: Mapping[str, Any]) -> list[str]:
    found = []
    for name, key in (("text", "content"), ("reasoning", "reasoning"), ("refusal", "refusal")):
        if key in wanted:
            found += _unequal(name, getattr(answer, name) or "", wanted[key] or "")
    if wanted.get("finish_reason"):
        found += _unequal("finish", answer.finish_reason_raw, wanted["finish_reason"])
    if "tool_calls" in wanted:
        calls = wanted["tool_calls"] or []
        found += _unequal("calls", [*map(_call, answer.tool_calls)], [*map(_wanted_call, calls)])
        ids = [(call.id, known["id"]) for call, known in zip(answer.tool_calls, calls, strict=False) if known.get("id")]
        found += [line for mine, theirs in ids for line in _unequal("id", mine, theirs)]
    return found


def _call(call: ToolCall) -> tuple[str, Any]:
    return call.name or "", _parsed(call.arguments)


def _wanted_call(call: Mapping[str, Any]) -> tuple[str, Any]:
    return call.get("name") or "", _parsed(call.get("arguments") or "")


def _parsed(arguments: str) -> Any:
    try:
        return json.loads(arguments or "{}")
    except ValueError:
        return arguments


def _usage_differences(record: StreamRecord, wanted: Mapping[str, Any]) -> list[str]:
    """Totals; a report whose output leaves out the reasoning is included in ours."""
    prompt = wanted.get("prompt_tokens", wanted.get("input_tokens"))
    completion = wanted.get("completion_tokens", wanted.get("output_tokens"))
    if prompt is None and completion is None:
        return []
    if record.usage is None:
        return [f"no usage, not {prompt} and {completion}"]
    details = wanted.get("completion_tokens_details") or {}
    reasoning = details.get("reasoning_tokens") or 0
    inclusive = wanted.get("total_tokens") != (prompt or 0) + (completion or 0) + reasoning
    expected = (completion or 0) + (0 if inclusive else reasoning)
    return [
        *_unequal("input tokens", record.usage.input_tokens, prompt),
        *_unequal("output tokens", record.usage.output_tokens, expected),
    ]


def _unequal(what: str, mine: object, theirs: object) -> list[str]:
    return [] if mine == theirs else [f"{what}: {str(mine)[:80]}, not {str(theirs)[:80]}"]
