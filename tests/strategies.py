"""All Hypothesis strategies: JSON values, chunks, whole streams in wire format, and records."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from streamtally.chunks import (
    LAST,
    AudioDelta,
    Chunk,
    Delta,
    DetailDelta,
    FinishDelta,
    ImageDelta,
    ItemDelta,
    PartDelta,
    TextDelta,
    ToolCallDelta,
    TranscriptDelta,
)
from streamtally.dialects import PayloadReader, dialect_named
from streamtally.json_values import Json
from streamtally.records import (
    Audio,
    Choice,
    Cost,
    CostLine,
    ErrorDetails,
    Image,
    InterChunk,
    Outcome,
    StreamRecord,
    StreamType,
    Timing,
    ToolCall,
    Transcript,
    Usage,
)

# -------------------------------------------------------------------------------------------------------------- values

TEXTS = st.text(st.characters(), max_size=8)
"""Texts of any characters, lone surrogates included."""

WORDS = st.text(min_size=1, max_size=6)
"""Texts as a provider sends them: valid Unicode, not empty."""

NAMES = st.sampled_from(["a", "b", "index", "type", "text", "role", "id", "cache_debug", "citations"])
COUNTS = st.integers(0, 2**31)
SECONDS = st.floats(0, 1e6)

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS
JSON_VALUES: st.SearchStrategy[Json] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | TEXTS, inner, max_size=3), max_leaves=6
)
"""Any value that Python's `json` can return, infinities included."""

JSON_OBJECTS = st.dictionaries(NAMES | TEXTS, JSON_VALUES, max_size=3)
STAMPS = st.floats(1_000, 1_100)
"""Monotonic times near the start of a `FakeClock`."""


def optional(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return a strategy of None or the given values."""
    return st.none() | strategy


# -------------------------------------------------------------------------------------------------------------- chunks

CHOICES = st.integers(0, 2)
POSITIONS = st.integers(0, 3)
IDS = st.sampled_from(["call_a", "call_b", "call_c"])
BASE64 = st.binary(max_size=7).map(lambda data: base64.b64encode(data).decode())
LOGPROBS = st.builds(lambda token: {"content": [{"token": token, "logprob": float("-inf")}]}, WORDS)
ITEM_PATHS = st.sampled_from(
    [
        ("content", 0, "output_text"),
        ("content", 1, "refusal"),
        ("summary", 0, "summary_text"),
        ("text",),
        ("partial_json",),
        ("reasoningContent", "reasoningText", "text"),
        ("content", LAST, "text", "text"),
        ("content", LAST, "image"),
    ]
)
ITEM_CHANNELS = st.sampled_from([None, "text", "reasoning", "other"])
ITEM_OBJECTS = st.fixed_dictionaries(
    {"type": st.sampled_from(["message", "function_call", "reasoning"])},
    optional={"id": IDS, "name": WORDS, "call_id": IDS, "arguments": WORDS, "status": st.just("completed")},
)

DETAILS = st.one_of(
    st.builds(DetailDelta, st.just("role"), st.just("assistant"), CHOICES),
    st.builds(DetailDelta, st.just("logprobs"), LOGPROBS, CHOICES),
    st.builds(DetailDelta, st.just("annotations"), st.lists(JSON_OBJECTS, max_size=2), CHOICES),
    st.builds(
        DetailDelta,
        st.just("reasoning_details"),
        st.lists(st.fixed_dictionaries({"type": WORDS, "text": WORDS}, optional={"index": POSITIONS}), max_size=2),
        CHOICES,
    ),
    st.builds(DetailDelta, st.just("extras"), JSON_OBJECTS, CHOICES),
)
ITEMS = st.one_of(
    st.builds(ItemDelta, st.sampled_from(["add", "done"]), optional(IDS), optional(POSITIONS), st.just(()), ITEM_OBJECTS),
    st.builds(
        ItemDelta, st.sampled_from(["append", "text"]), optional(IDS), optional(POSITIONS), ITEM_PATHS, TEXTS, ITEM_CHANNELS
    ),
    st.builds(ItemDelta, st.just("set"), optional(IDS), optional(POSITIONS), st.just(("status",)), WORDS),
    st.builds(ItemDelta, st.just("restart"), optional(IDS), st.none(), st.just(()), st.none()),
    st.builds(
        ItemDelta, st.just("push"), optional(IDS), optional(POSITIONS), st.just(("content", 0, "annotations")), JSON_OBJECTS
    ),
    st.builds(ItemDelta, st.just("replace"), st.none(), st.none(), st.just(()), st.lists(ITEM_OBJECTS, max_size=2)),
)
PIECES = st.tuples(st.sampled_from(["$.a", "$.b[0]", "$['c d'].e"]), SCALARS).map(list)
"""A piece of tool call arguments: its path and its value."""

DELTAS: st.SearchStrategy[Delta] = st.one_of(
    st.builds(TextDelta, TEXTS, st.sampled_from(["text", "reasoning", "refusal"]), CHOICES),
    st.builds(
        ToolCallDelta,
        TEXTS,
        optional(POSITIONS),
        optional(IDS),
        optional(WORDS),
        optional(WORDS),
        optional(JSON_OBJECTS),
        CHOICES,
        st.booleans(),
        optional(st.lists(PIECES, min_size=1, max_size=2)),
        optional(st.booleans()),
    ),
    st.builds(PartDelta, st.sampled_from(["text", "reasoning", "call", "audio", "other"]), POSITIONS, JSON_OBJECTS, CHOICES),
    st.builds(FinishDelta, st.sampled_from(["stop", "length", "tool_calls", "odd"]), CHOICES),
    DETAILS,
    ITEMS,
    st.builds(AudioDelta, BASE64 | st.binary(max_size=5), TEXTS, optional(JSON_OBJECTS)),
    st.builds(ImageDelta, optional(POSITIONS), optional(BASE64), st.booleans(), optional(JSON_OBJECTS)),
    st.builds(
        TranscriptDelta,
        optional(TEXTS),
        st.booleans(),
        st.just({"language": "en"}) | st.none(),
        st.dictionaries(st.sampled_from(["words", "segments"]), st.lists(JSON_OBJECTS, max_size=2), max_size=2) | st.none(),
    ),
)
"""Deltas of every type."""

USAGES = st.fixed_dictionaries(
    {"prompt_tokens": COUNTS},
    optional={
        "completion_tokens": optional(COUNTS),
        "total_tokens": COUNTS,
        "prompt_tokens_details": optional(st.fixed_dictionaries({}, optional={"cached_tokens": COUNTS})),
        "completion_tokens_details": optional(st.fixed_dictionaries({}, optional={"reasoning_tokens": COUNTS})),
    },
)


@st.composite
def chunks(draw: st.DrawFn, *, terminal: bool = False) -> Chunk:
    """One normalised chunk of any kind."""
    return Chunk(
        tuple(draw(st.lists(DELTAS, max_size=3))),
        meta=draw(st.dictionaries(st.sampled_from(["model", "response_id", "service_tier"]), optional(WORDS), max_size=2)),
        extras=draw(JSON_OBJECTS),
        usage=draw(optional(USAGES)),
        error=draw(st.none() | st.none() | st.just({"type": None, "message": "overloaded"})),
        terminal=terminal,
    )


# ------------------------------------------------------------------------------------------------------- whole streams


@dataclass(frozen=True, slots=True)
class Sent:
    """One whole stream as a provider sends it; the last of `payloads` completes it."""

    stream_type: StreamType
    dialect: str
    payloads: Sequence[Any]
    params: Mapping[str, Any] = field(default_factory=dict)

    def normalised(self) -> "Sent":
        """Return the same stream as `Chunk`s, one for each payload."""
        reader = PayloadReader(dialect_named(self.dialect))
        return Sent(self.stream_type, self.dialect, [reader.unit(payload) for payload in self.payloads], self.params)


def interleaved(draw: st.DrawFn, sequences: Sequence[Sequence[Any]]) -> list[Any]:
    """Return one sequence of all members, those of each sequence in order."""
    labels = [label for label, sequence in enumerate(sequences) for _ in sequence]
    steps = [iter(sequence) for sequence in sequences]
    return [next(steps[label]) for label in draw(st.permutations(labels))]


def inserted(draw: st.DrawFn, sequence: Sequence[Any], *others: Any) -> list[Any]:
    """Return the sequence with the other members inserted at any places."""
    whole = list(sequence)
    for other in others:
        whole.insert(draw(st.integers(0, len(whole))), other)
    return whole


def _cut(draw: st.DrawFn, text: str) -> list[str]:
    """Return a text in pieces, some of which may be empty."""
    borders = sorted(draw(st.lists(st.integers(0, len(text)), max_size=2)))
    return [text[start:end] for start, end in zip([0, *borders], [*borders, len(text)], strict=True)]


def _tool_deltas(draw: st.DrawFn, position: int) -> list[dict[str, Json]]:
    arguments = json.dumps(draw(st.dictionaries(WORDS, st.integers() | WORDS, max_size=2)))
    head = {
        "index": position,
        "id": f"call_{position}",
        "type": "function",
        "function": {"name": f"f{position}", "arguments": ""},
    }
    pieces = [{"index": position, "function": {"arguments": piece}} for piece in _cut(draw, arguments)]
    return [{"tool_calls": [call]} for call in (head, *pieces)]


def _choice_parts(draw: st.DrawFn) -> list[dict[str, Json]]:
    """Return the parts of one chat choice: role, reasoning, text or refusal, parallel tool calls, finish reason."""
    reasoning: list[dict[str, Json]] = [{"delta": {"reasoning_content": word}} for word in draw(st.lists(WORDS, max_size=2))]
    kind = draw(st.sampled_from(["content", "refusal"]))
    words: list[dict[str, Json]] = [
        {"delta": {kind: word}, **({"logprobs": draw(LOGPROBS)} if draw(st.booleans()) else {})}
        for word in draw(st.lists(WORDS, max_size=4))
    ]
    calls = [_tool_deltas(draw, position) for position in range(draw(st.integers(0, 2)))]
    finish = "tool_calls" if calls else draw(st.sampled_from(["stop", "length"]))
    tools = [{"delta": delta} for delta in interleaved(draw, calls)]
    return [{"delta": {"role": "assistant", "content": ""}}, *reasoning, *words, *tools, {"delta": {}, "finish_reason": finish}]


def _in_chunks(draw: st.DrawFn, form: str, choices: Sequence[Sequence[Mapping[str, Json]]]) -> list[Any]:
    """Return the parts of several choices as chunks, with usage and metadata at any place, and the end marker."""
    envelope = {"id": "answer_1", "object": form, "model": "gpt-4o"}
    labelled = [[{"index": index, **part} for part in parts] for index, parts in enumerate(choices)]
    messages: list[dict[str, Json]] = [{**envelope, "choices": [part]} for part in interleaved(draw, labelled)]
    for index in draw(st.sets(st.integers(0, len(messages) - 1), max_size=2)):
        messages[index] = {**messages[index], **draw(st.sampled_from([{"service_tier": "flex"}, {"system_fingerprint": "fp_1"}]))}
    reports = [{**envelope, "choices": [], "usage": usage} for usage in draw(st.lists(USAGES, max_size=2))]
    return [*inserted(draw, messages, *reports), "[DONE]"]


@st.composite
def chat_streams(draw: st.DrawFn) -> Sent:
    """`openai.chat` with up to three choices, reasoning, refusals, parallel calls and log probabilities."""
    choices = [_choice_parts(draw) for _ in range(draw(st.integers(1, 3)))]
    return Sent(StreamType.CHAT, "openai.chat", _in_chunks(draw, "chat.completion.chunk", choices))


@st.composite
def completion_streams(draw: st.DrawFn) -> Sent:
    """`openai.completions` with up to three choices."""
    choices = [
        [*({"text": word} for word in draw(st.lists(WORDS, max_size=4))), {"text": "", "finish_reason": "stop"}]
        for _ in range(draw(st.integers(1, 3)))
    ]
    return Sent(StreamType.TEXT, "openai.completions", _in_chunks(draw, "text_completion", choices))


def _part_events(draw: st.DrawFn, family: str, name: str, field_name: str, where: Mapping[str, Json]) -> tuple[list[Any], str]:
    pieces = draw(st.lists(WORDS, min_size=1, max_size=3))
    whole = "".join(pieces)
    deltas = [{"type": f"response.{family}.delta", "delta": piece, **where} for piece in pieces]
    done = [{"type": f"response.{family}.done", name: whole, **where}] if draw(st.booleans()) else []
    note = {"type": "response.output_text.annotation.added", "annotation": {"type": "url_citation"}, **where}
    return [*deltas, *([note] if field_name == "content" and draw(st.booleans()) else []), *done], whole


_FAMILIES = {
    "message": [("output_text", "text", "content"), ("refusal", "refusal", "content")],
    "reasoning": [("reasoning_summary_text", "text", "summary"), ("reasoning_text", "text", "content")],
    "function_call": [("function_call_arguments", "arguments", "arguments")],
    "custom_tool_call": [("custom_tool_call_input", "input", "input")],
}
_PART_TYPES = {"reasoning_summary_text": "summary_text"}


def _item_events(draw: st.DrawFn, index: int) -> tuple[list[dict[str, Json]], dict[str, Json]]:
    """Return the events of one output item, and the complete item."""
    kind = draw(st.sampled_from(sorted(_FAMILIES)))
    item: dict[str, Json] = {"id": f"item_{index}", "type": kind}
    if kind.endswith("_call"):
        item |= {"call_id": f"call_{index}", "name": "find"}
    events: list[dict[str, Json]] = [{"type": "response.output_item.added", "output_index": index, "item": dict(item)}]
    where: dict[str, Json] = {"item_id": item["id"], "output_index": index}
    for part in range(1 if kind.endswith("_call") else draw(st.integers(1, 2))):
        family, name, field_name = draw(st.sampled_from(_FAMILIES[kind]))
        place = {"summary": {"summary_index": part}, "content": {"content_index": part}}.get(field_name, {})
        part_events, whole = _part_events(draw, family, name, field_name, {**where, **place})
        events += part_events
        if place:
            item.setdefault(field_name, []).append({"type": _PART_TYPES.get(family, family), name: whole})
        else:
            item[field_name] = whole
    if draw(st.booleans()):
        events.append({"type": "response.output_item.done", "output_index": index, "item": {**item, "status": "completed"}})
    return events, item


@st.composite
def response_streams(draw: st.DrawFn) -> Sent:
    """`openai.responses` with interleaved items, with or without `done` events, and sequence numbers."""
    items = [_item_events(draw, index) for index in range(draw(st.integers(1, 3)))]
    response = {"id": "resp_1", "object": "response", "model": "gpt-4o"}
    usage = {"input_tokens": draw(COUNTS), "output_tokens": draw(COUNTS)}
    output = [item for _, item in items] if draw(st.booleans()) else []
    last = {**response, "status": "completed", "output": output, "usage": usage}
    events = [
        {"type": "response.created", "response": {**response, "status": "in_progress"}},
        *interleaved(draw, [events for events, _ in items]),
        {"type": "response.completed", "response": last},
    ]
    return Sent(StreamType.RESPONSES, "openai.responses", [{**event, "sequence_number": n} for n, event in enumerate(events)])


def _spoken(draw: st.DrawFn, number: int) -> list[dict[str, Json]]:
    """Return the events of one response of a session: sound or text, or a call."""
    response, item_id = f"resp_{number}", f"item_{number}"
    place = {"response_id": response, "item_id": item_id, "output_index": 0}
    words, kind = draw(st.lists(WORDS, max_size=3)), draw(st.sampled_from(["output_text", "output_audio", "function_call"]))
    deltas: list[dict[str, Json]]
    item: dict[str, Json] = {"id": item_id, "type": "message", "role": "assistant", "content": []}
    if kind == "function_call":
        item = {"id": item_id, "type": kind, "call_id": f"call_{number}", "name": "find", "arguments": ""}
        deltas = [{"type": "response.function_call_arguments.delta", "delta": word} for word in words]
    elif kind == "output_audio":
        spoken = [{"type": "response.output_audio_transcript.delta", "delta": word} for word in words]
        sound = [{"type": "response.output_audio.delta", "delta": draw(BASE64)} for _ in words]
        deltas = interleaved(draw, [spoken, sound])
    else:
        deltas = [{"type": "response.output_text.delta", "delta": word, "content_index": 0} for word in words]
    status = draw(st.sampled_from(["completed", "cancelled", "incomplete", "failed"]))
    usage = {"input_tokens": draw(COUNTS), "output_tokens": draw(COUNTS)}
    output = [item] if draw(st.booleans()) and kind != "function_call" else []
    return [
        {"type": "response.created", "response": {"id": response, "object": "realtime.response", "status": "in_progress"}},
        {"type": "response.output_item.added", "response_id": response, "output_index": 0, "item": item},
        *({**delta, **place} for delta in deltas),
        {"type": "response.done", "response": {
            "id": response, "object": "realtime.response", "status": status, "output": output, "usage": usage}},
    ]  # fmt: skip


@st.composite
def realtime_streams(draw: st.DrawFn) -> Sent:
    """`openai.realtime`: a session of up to three responses, two of which may be streamed at once, and what the user said."""
    heard = "conversation.item.input_audio_transcription.completed"
    others: list[dict[str, Json]] = [
        {"type": heard, "item_id": "user_1", "content_index": 0, "transcript": draw(WORDS), "usage": {"total_tokens": 9}},
        {"type": "rate_limits.updated", "rate_limits": []},
        {"type": "error", "error": {"type": "invalid_request_error", "message": draw(WORDS)}},
    ]
    responses = [_spoken(draw, number) for number in range(draw(st.integers(1, 3)))]
    at_once = draw(st.integers(1, len(responses)))
    spoken = interleaved(draw, responses[:at_once]) + [event for events in responses[at_once:] for event in events]
    session = {"object": "realtime.session", "type": "realtime", "model": "gpt-realtime-1"}
    events = [{"type": "session.created", "session": session}, *inserted(draw, spoken, *others), Chunk(terminal=True)]
    numbered = [{**event, "event_id": f"event_{n}"} if isinstance(event, dict) else event for n, event in enumerate(events)]
    return Sent(StreamType.RESPONSES, "openai.realtime", numbered)


@st.composite
def speech_streams(draw: st.DrawFn) -> Sent:
    """`openai.speech` events with base64, or raw audio that ends with the end marker."""
    pieces = draw(st.lists(st.binary(min_size=1, max_size=7), max_size=5))
    if draw(st.booleans()):
        return Sent(StreamType.SPEECH, "raw.audio", [*pieces, "[DONE]"])
    events: list[Any] = [{"type": "speech.audio.delta", "audio": base64.b64encode(piece).decode()} for piece in pieces]
    usage = {"input_tokens": draw(COUNTS), "output_tokens": draw(COUNTS)}
    return Sent(StreamType.SPEECH, "openai.speech", [*events, {"type": "speech.audio.done", "usage": usage}])


@st.composite
def transcription_streams(draw: st.DrawFn) -> Sent:
    """`openai.transcription` with words, segments and the final text."""
    pieces = draw(st.lists(WORDS, max_size=4))
    deltas = [
        {"type": "transcript.text.delta", "delta": piece, "logprobs": [{"token": piece, "logprob": -0.5}]} for piece in pieces
    ]
    segments = [{"type": "transcript.text.segment", "id": word, "text": word} for word in draw(st.lists(WORDS, max_size=2))]
    done = {
        "type": "transcript.text.done",
        "text": "".join(pieces),
        "language": "en",
        "usage": draw(st.sampled_from([{"type": "duration", "seconds": 3.5}, {"input_tokens": 3, "output_tokens": 4}])),
    }
    return Sent(StreamType.TRANSCRIPTION, "openai.transcription", [*interleaved(draw, [deltas, segments]), done])


@st.composite
def image_streams(draw: st.DrawFn) -> Sent:
    """`openai.images` with up to three interleaved images, each with previews."""
    wanted = draw(st.integers(1, 3))
    images = []
    for index in range(wanted):
        place = {"image_index": index} if wanted > 1 else {}
        previews = [
            {"type": "image_generation.partial_image", "partial_image_index": number, "b64_json": draw(BASE64), **place}
            for number in range(draw(st.integers(0, 2)))
        ]
        usage = {"input_tokens": draw(COUNTS), "output_tokens": draw(COUNTS)}
        whole = {"type": "image_generation.completed", "b64_json": draw(BASE64), "output_format": "png", "usage": usage, **place}
        images.append([*previews, whole])
    return Sent(StreamType.IMAGE, "openai.images", interleaved(draw, images), {"n": wanted})


def _beside(draw: st.DrawFn, *words: Mapping[str, Json]) -> list[dict[str, Json]]:
    """Return pieces of an answer with pieces of other kinds at any places between them."""
    others: list[dict[str, Json]] = [
        {"type": "image", "data": draw(BASE64)},
        {"type": "audio", "data": draw(BASE64), "mime_type": "audio/l16"},
        {"type": "text_annotation_delta", "annotations": [{"type": "url_citation", "url": draw(WORDS)}]},
        {"type": "beam", "hue": draw(WORDS)},
    ]
    return inserted(draw, [dict(word) for word in words], *draw(st.lists(st.sampled_from(others), max_size=2)))


def _interaction_step(draw: st.DrawFn, index: int) -> list[dict[str, Json]]:
    """Return the events of one step."""
    words = draw(st.lists(WORDS, max_size=3))
    kind = draw(st.sampled_from(["model_output", "thought", "function_call", "google_search_call"]))
    step: dict[str, Json] = {"type": kind}
    deltas: list[dict[str, Json]] = [{"type": "thought_summary", "content": {"type": "text", "text": word}} for word in words]
    if kind == "model_output":
        deltas = _beside(draw, *({"type": "text", "text": word} for word in words))
        begins = draw(st.booleans())
        if begins and words:
            step["content"] = [{"type": "text", "text": words[0]}]
    elif kind.endswith("_call"):
        step |= {"id": f"c{index}", "name": "f", "arguments": {}}
        arguments = {"queries": words}
        pieces = [{"type": "arguments_delta", "arguments": piece} for piece in _cut(draw, json.dumps(arguments))]
        deltas = pieces if kind == "function_call" else [{"type": kind, "arguments": arguments}]
    return [
        {"event_type": "step.start", "index": index, "step": step},
        *({"event_type": "step.delta", "index": index, "delta": delta} for delta in deltas),
        {"event_type": "step.stop", "index": index},
    ]


@st.composite
def interaction_streams(draw: st.DrawFn) -> Sent:
    """`gemini.interactions` with text among media, thoughts, calls of both kinds, and interleaved steps."""
    steps = [_interaction_step(draw, index) for index in range(draw(st.integers(1, 3)))]
    interaction = {"id": "v1_1", "object": "interaction", "model": "gemini-1"}
    usage = {"total_input_tokens": draw(COUNTS), "total_output_tokens": draw(COUNTS), "total_thought_tokens": draw(COUNTS)}
    last = {**interaction, "status": draw(st.sampled_from(["completed", "requires_action", "incomplete"])), "usage": usage}
    events = [
        {"event_type": "interaction.created", "interaction": {**interaction, "status": "in_progress"}},
        *interleaved(draw, steps),
        {"event_type": "interaction.completed", "interaction": last},
    ]
    return Sent(StreamType.RESPONSES, "gemini.interactions", events)


def _conversation_output(draw: st.DrawFn, number: int) -> list[dict[str, Json]]:
    """Return the events of one output: a message with parts of several types, a call, a server's tool or a handoff."""
    words = draw(st.lists(WORDS, max_size=3))
    kind = draw(st.sampled_from(["message.output", "function.call", "tool.execution", "agent.handoff"]))
    place = {"id": f"out_{number}", "output_index": number}
    if kind == "message.output":
        parts = st.sampled_from(["", {"type": "tool_reference", "title": "t"}, {"type": "thinking", "thinking": []}])
        place |= {"content_index": 0} if draw(st.booleans()) else {}
        content = inserted(draw, words, *draw(st.lists(parts, max_size=2)))
        return [{"type": f"{kind}.delta", "content": piece, "model": "m", "role": "assistant", **place} for piece in content]
    if kind == "function.call":
        call = {"name": "f", "tool_call_id": f"call_{number}", **place}
        return [{"type": f"{kind}.delta", "arguments": piece, **call} for piece in _cut(draw, json.dumps(words))]
    return [{"type": f"{kind}.{stage}", "name": "web_search", **place} for stage in ("started", "done")]


@st.composite
def conversation_streams(draw: st.DrawFn) -> Sent:
    """`mistral.conversations` with interleaved outputs of all types."""
    outputs = [_conversation_output(draw, number) for number in range(draw(st.integers(1, 3)))]
    usage = {"prompt_tokens": draw(COUNTS), "completion_tokens": draw(COUNTS), "connector_tokens": draw(COUNTS)}
    events = [
        {"type": "conversation.response.started", "conversation_id": "conv_1"},
        *interleaved(draw, outputs),
        {"type": "conversation.response.done", "usage": usage},
    ]
    return Sent(StreamType.RESPONSES, "mistral.conversations", events)


def _ui_part(draw: st.DrawFn, number: int) -> list[dict[str, Json]]:
    """Return the events of one part of a message; IDs of words are used again."""
    words, part_id = draw(st.lists(WORDS, max_size=3)), draw(st.sampled_from(["0", "1"]))
    kind = draw(st.sampled_from(["text", "reasoning", "tool", "file", "data-note"]))
    if kind == "tool":
        names = {"toolCallId": f"call_{number}", "toolName": "f"}
        pieces = [{"type": "tool-input-delta", "inputTextDelta": piece, **names} for piece in _cut(draw, json.dumps(words))]
        whole = {"type": "tool-input-available", "input": words, **names}
        output = {"type": "tool-output-available", "toolCallId": f"call_{number}", "output": draw(JSON_VALUES)}
        return [{"type": "tool-input-start", **names}, *pieces, whole, output]
    if kind == "file":
        return [{"type": "file", "mediaType": "image/png", "url": f"data:image/png;base64,{draw(BASE64)}"}]
    if kind == "data-note":
        return [{"type": kind, "id": part_id, "data": word} for word in words]
    deltas = [{"type": f"{kind}-delta", "id": part_id, "delta": word} for word in words]
    return [{"type": f"{kind}-start", "id": part_id}, *deltas, {"type": f"{kind}-end", "id": part_id}]


@st.composite
def ui_streams(draw: st.DrawFn) -> Sent:
    """`vercel.ui` with up to two steps of parts, some of which stream at the same time, and usage in the metadata."""
    steps = []
    for step in range(draw(st.integers(1, 2))):
        parts = [_ui_part(draw, 3 * step + number) for number in range(draw(st.integers(1, 3)))]
        steps += [{"type": "start-step"}, *interleaved(draw, parts), {"type": "finish-step"}]
    metadata = {"usage": {"inputTokens": draw(COUNTS), "outputTokens": draw(COUNTS)}, "model": "m"}
    finish = {"type": "finish", "finishReason": "stop", **({"messageMetadata": metadata} if draw(st.booleans()) else {})}
    return Sent(StreamType.CHAT, "vercel.ui", [{"type": "start", "messageId": "msg_1"}, *steps, finish])


@st.composite
def live_streams(draw: st.DrawFn) -> Sent:
    """`gemini.live`: a session of up to three turns with sound, text, transcripts and calls, some interrupted."""
    messages: list[dict[str, Json]] = [{"setupComplete": {}}]
    for _ in range(draw(st.integers(1, 3))):
        words = draw(st.lists(WORDS, min_size=1, max_size=3))
        turn: list[dict[str, Json]] = [{"serverContent": {"modelTurn": {"parts": [{"text": word}]}}} for word in words]
        sound = {"inlineData": {"mimeType": "audio/pcm", "data": draw(BASE64)}}
        others: list[dict[str, Json]] = [
            {"serverContent": {"modelTurn": {"parts": [sound]}}},
            {"serverContent": {"outputTranscription": {"text": draw(WORDS)}}},
            {"serverContent": {"inputTranscription": {"text": draw(WORDS)}}},
            {"toolCall": {"functionCalls": [{"id": draw(IDS), "name": "f", "args": {"a": 1}}]}},
        ]
        end = draw(st.sampled_from([{"interrupted": True}, {"generationComplete": True}]))
        usage = {"promptTokenCount": draw(COUNTS), "responseTokenCount": draw(COUNTS)}
        messages += inserted(draw, turn, *draw(st.lists(st.sampled_from(others), max_size=2)))
        messages += [{"serverContent": end}, {"serverContent": {"turnComplete": True}, "usageMetadata": usage}]
    return Sent(StreamType.CHAT, "gemini.live", [*messages, Chunk(terminal=True)])


def _growing(draw: st.DrawFn) -> list[str]:
    """Return the texts of an answer: pieces, or all that came so far each time."""
    words = draw(st.lists(WORDS, max_size=5))
    return words if draw(st.booleans()) else ["".join(words[:end]) for end in range(1, len(words) + 1)]


@st.composite
def old_claude_streams(draw: st.DrawFn) -> Sent:
    """`anthropic.completions`, also those of old versions."""
    events = [{"type": "completion", "completion": text, "stop_reason": None, "model": "claude-2"} for text in _growing(draw)]
    metrics = {"amazon-bedrock-invocationMetrics": {"inputTokenCount": draw(COUNTS), "outputTokenCount": draw(COUNTS)}}
    end = {"type": "completion", "completion": "", "stop_reason": "stop_sequence", **(metrics if draw(st.booleans()) else {})}
    return Sent(StreamType.TEXT, "anthropic.completions", [*inserted(draw, events, {"type": "ping"}), end])


@st.composite
def dashscope_streams(draw: st.DrawFn) -> Sent:
    """`dashscope` with up to two choices and parallel calls, which it counts by themselves."""
    choices = []
    for index in range(draw(st.integers(1, 2))):
        calls = [_tool_deltas(draw, position) for position in range(draw(st.integers(0, 2)))]
        deltas = [*({"content": text} for text in _growing(draw)), *interleaved(draw, calls)]
        running = [{"index": index, "message": delta, "finish_reason": "null"} for delta in deltas]
        choices.append([*running, {"index": index, "message": {"content": ""}, "finish_reason": "stop"}])
    items = [
        {"output": {"choices": [choice]}, "usage": {"input_tokens": 9, "output_tokens": draw(COUNTS)}, "request_id": "r"}
        for choice in interleaved(draw, choices)
    ]
    return Sent(StreamType.CHAT, "dashscope", [*items, "[DONE]"])


@st.composite
def tgi_streams(draw: st.DrawFn) -> Sent:
    """`huggingface.tgi`: tokens, some of them special, and the whole text at the end."""
    words = draw(st.lists(st.tuples(WORDS, st.booleans()), min_size=1, max_size=5))
    events: list[dict[str, Json]] = [
        {"index": number, "token": {"id": 1, "text": word, "logprob": -0.5, "special": special}}
        for number, (word, special) in enumerate(words, 1)
    ]
    details = {"finish_reason": "length", "generated_tokens": draw(COUNTS), "input_length": draw(COUNTS)}
    events[-1] |= {"generated_text": "".join(word for word, special in words if not special), "details": details}
    return Sent(StreamType.TEXT, "huggingface.tgi", events)


@st.composite
def llamacpp_streams(draw: st.DrawFn) -> Sent:
    """`llamacpp` with up to two prompts, which it counts by themselves."""
    answers = []
    for index in range(draw(st.integers(1, 2))):
        counts = {"index": index, "tokens_evaluated": draw(COUNTS), "tokens_predicted": draw(COUNTS)}
        words = draw(st.lists(WORDS, max_size=4))
        running = [{"content": word, "tokens": [number], "stop": False, **counts} for number, word in enumerate(words)]
        timings = {"cache_n": draw(st.integers(0, 9))}
        answers.append([*running, {"content": "", "stop": True, "stop_type": "eos", "timings": timings, **counts}])
    return Sent(StreamType.TEXT, "llamacpp", [*interleaved(draw, answers), "[DONE]"])


@st.composite
def text_streams(draw: st.DrawFn) -> Sent:
    """`text` that ends with a terminal chunk."""
    return Sent(StreamType.TEXT, "text", [*draw(st.lists(WORDS, max_size=6)), Chunk(terminal=True)])


@st.composite
def odd_streams(draw: st.DrawFn) -> Sent:
    """Chunks of any kind in any combination, for which the properties of records hold too."""
    drawn = draw(st.lists(chunks(), max_size=6))
    dialect = draw(st.sampled_from(["openai.chat", "openai.responses", "openai.transcription"]))
    return Sent(dialect_named(dialect).stream_type, dialect, [*drawn, Chunk(terminal=True)])


STREAMS: Mapping[str, st.SearchStrategy[Sent]] = {
    "chat": chat_streams(),
    "completions": completion_streams(),
    "responses": response_streams(),
    "realtime": realtime_streams(),
    "speech": speech_streams(),
    "transcription": transcription_streams(),
    "images": image_streams(),
    "old claude": old_claude_streams(),
    "interactions": interaction_streams(),
    "live": live_streams(),
    "conversations": conversation_streams(),
    "dashscope": dashscope_streams(),
    "tgi": tgi_streams(),
    "llamacpp": llamacpp_streams(),
    "ui": ui_streams(),
    "text": text_streams(),
    "odd": odd_streams(),
}
"""Whole streams by kind: the six types, further formats, plain text, and arbitrary combinations of chunks."""


@st.composite
def broken_payloads(draw: st.DrawFn, kind: str) -> Any:
    """One payload of a stream in which a value, at any depth, is replaced by another JSON value."""
    payload = json.loads(json.dumps(draw(st.sampled_from(draw(STREAMS[kind]).payloads)), default=str))
    places = list(_places(payload))
    if not places:
        return draw(JSON_VALUES)
    holder, key = draw(st.sampled_from(places))
    holder[key] = draw(JSON_VALUES)
    return payload


def _places(value: Json) -> list[tuple[Any, Any]]:
    """Return every place in a JSON value, as its container and key."""
    if isinstance(value, dict):
        return [(value, key) for key in value] + [place for inner in value.values() for place in _places(inner)]
    if isinstance(value, list):
        return [(value, key) for key in range(len(value))] + [place for inner in value for place in _places(inner)]
    return []


# ------------------------------------------------------------------------------------------------------------- records

DECIMALS = st.decimals(0, 1_000, places=15)
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - wants naive bounds
FIGURES = optional(SECONDS | st.just(float("inf")))
FINISHES = optional(st.sampled_from(["stop", "length", "tool_calls", "content_filter", "error"]))
LISTED_OBJECTS = st.lists(JSON_OBJECTS, max_size=2).map(tuple)

TOOL_CALLS = st.builds(
    ToolCall,
    index=COUNTS,
    id=optional(TEXTS),
    name=optional(TEXTS),
    arguments=TEXTS,
    arguments_json=JSON_VALUES,
    complete=st.booleans(),
    type=TEXTS,
    extras=JSON_OBJECTS,
)
CHOICE_RECORDS = st.builds(
    Choice,
    index=COUNTS,
    role=optional(TEXTS),
    text=TEXTS,
    reasoning=optional(TEXTS),
    reasoning_details=LISTED_OBJECTS,
    refusal=optional(TEXTS),
    tool_calls=st.lists(TOOL_CALLS, max_size=2).map(tuple),
    annotations=LISTED_OBJECTS,
    logprobs=JSON_VALUES,
    finish_reason=FINISHES,
    finish_reason_raw=optional(TEXTS),
    extras=JSON_OBJECTS,
)
AUDIO_RECORDS = st.builds(
    Audio,
    data=optional(st.binary()),
    mime_type=optional(TEXTS),
    transcript=optional(TEXTS),
    size=COUNTS,
    id=optional(TEXTS),
    extras=JSON_OBJECTS,
)
IMAGE_RECORDS = st.builds(
    Image,
    index=COUNTS,
    data=optional(st.binary()),
    url=optional(TEXTS),
    mime_type=optional(TEXTS),
    revised_prompt=optional(TEXTS),
    partials=COUNTS,
    complete=st.booleans(),
    extras=JSON_OBJECTS,
)
TRANSCRIPT_RECORDS = st.builds(
    Transcript,
    text=TEXTS,
    language=optional(TEXTS),
    duration=FIGURES,
    words=LISTED_OBJECTS,
    segments=LISTED_OBJECTS,
    logprobs=st.lists(JSON_VALUES, max_size=2).map(tuple),
)
_USAGE_TEXTS = {"image_size", "image_quality", "video_size", "search_context"}
_USAGE_OTHERS = {"seconds", "cost_usd", "cost_stated_by", "source", "partial", "raw"} | _USAGE_TEXTS
USAGE_RECORDS = st.builds(
    Usage,
    **{name: optional(COUNTS) for name in Usage.model_fields if name not in _USAGE_OTHERS},
    seconds=FIGURES,
    **{name: optional(TEXTS) for name in _USAGE_TEXTS},
    cost_usd=optional(DECIMALS),
    source=st.sampled_from(["provider", "estimated"]),
    partial=st.booleans(),
    raw=JSON_OBJECTS,
)
COST_RECORDS = st.builds(
    Cost,
    usd=optional(DECIMALS),
    status=st.sampled_from(["priced", "partial", "unknown_model", "missing_rate", "no_usage"]),
    complete=st.booleans(),
    breakdown=st.lists(st.builds(CostLine, unit=NAMES, count=DECIMALS, rate=NAMES, usd=DECIMALS), max_size=2).map(tuple),
    unpriced=st.lists(NAMES, max_size=2).map(tuple),
    provider_matched=optional(NAMES),
    model_matched=optional(NAMES),
    match_rule=optional(NAMES),
    catalog_revision=optional(NAMES),
    source=st.sampled_from(["computed", "provider"]),
)
TIMING_RECORDS = st.builds(
    Timing,
    started_from=st.sampled_from(["request", "given", "wrap"]),
    started_at=optional(MOMENTS),
    ended_at=optional(MOMENTS),
    inter_chunk=optional(
        st.builds(
            InterChunk, count=COUNTS, mean=SECONDS, p50=SECONDS, p95=SECONDS, p99=SECONDS, max=st.just(Decimal(1)) | SECONDS
        )
    ),
    stalls=optional(COUNTS),
    **{
        name: FIGURES
        for name in Timing.model_fields
        if name not in {"started_from", "started_at", "ended_at", "inter_chunk", "stalls"}
    },
)
ERROR_RECORDS = st.builds(
    ErrorDetails,
    type=TEXTS,
    message=optional(TEXTS),
    code=optional(TEXTS),
    status=optional(st.integers(100, 599)),
    retryable=optional(st.booleans()),
    body=JSON_VALUES,
)
RANGES = st.lists(st.tuples(COUNTS, st.integers(1, 9)).map(lambda pair: (pair[0], pair[0] + pair[1])), max_size=3).map(tuple)

RECORDS = st.builds(
    StreamRecord,
    request_id=TEXTS,
    stream_type=st.sampled_from(StreamType),
    outcome=optional(st.sampled_from(Outcome)),
    **{name: optional(TEXTS) for name in ("provider", "requested_model", "model", "response_id", "conversation_id")},
    **{name: optional(TEXTS) for name in ("server_address", "service_tier", "system_fingerprint")},
    **dict.fromkeys(("chunk_count", "duplicates", "conflicts", "late", "dropped_bytes", "dropped_chunks"), COUNTS),
    **dict.fromkeys(("params", "attributes", "extras"), JSON_OBJECTS),
    dialect=TEXTS,
    server_port=optional(st.integers(1, 65_535)),
    choices=st.lists(CHOICE_RECORDS, max_size=2).map(tuple),
    output_items=LISTED_OBJECTS,
    audio=optional(AUDIO_RECORDS),
    transcript=optional(TRANSCRIPT_RECORDS),
    images=st.lists(IMAGE_RECORDS, max_size=2).map(tuple),
    usage=optional(USAGE_RECORDS),
    cost=COST_RECORDS,
    timing=TIMING_RECORDS,
    error=optional(ERROR_RECORDS),
    ordering=st.sampled_from(["index", "sequence", "arrival"]),
    missing=RANGES,
    highest_index=optional(st.integers(0, 2**70)),
    raw=optional(st.lists(JSON_VALUES, max_size=2).map(tuple)),
)
"""Records with every field."""
