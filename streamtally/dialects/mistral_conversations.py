"""`mistral.conversations`: the events of Mistral's Conversations API; an answer is a list of outputs, of one agent or several.

Terminal rule: `conversation.response.done`, or `conversation.response.error`; the API has no finish reason.
Usage rule: one final report with the terminal. What connectors put into the prompt is counted beside it, as the total shows.

The SDK's events have the fields as `data`. An output is known by its ID.

Sources: https://docs.mistral.ai/api/endpoint/beta/conversations, https://docs.mistral.ai/agents/tools/built-in/websearch (usage)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ..chunks import LAST, Chunk, Delta, DetailDelta, FinishDelta, ImageDelta, ItemDelta, TextDelta, ToolCallDelta
from ..json_readers import count_of, is_list, json_text, mapping_of, mappings_of, name_of, text_of, unnamed
from ..json_values import Json, json_value
from ..records import StreamRecord, StreamType
from .base import Dialect, Item, ItemRules, Vocabulary
from .charges import ChargeRules
from .openai_common import error_chunk, error_fields, response_usage, unknown_event
from .openai_usage import usage_fields

_WORDS: Vocabulary = {"done": None}
"""The only event that ends an answer which is complete."""

_OUTPUTS = frozenset({"message.output", "function.call", "tool.execution", "agent.handoff"})
"""The types of outputs, with which the types of their events begin."""

_CALL_FIELDS = frozenset(
    {"type", "object", "id", "name", "tool_call_id", "arguments", "model", "agent_id", "created_at", "completed_at"}
)
_PLACE_FIELDS = frozenset({"type", "id", "output_index", "content_index", "content", "arguments", "created_at"})
_CITING = frozenset({"tool_reference", "reference"})
"""The types of content that cite a source."""


def chunk(payload: Mapping[str, Any]) -> Chunk:
    """One event, or an event of the SDK with it."""
    event = _known(mapping_of(payload.get("data")) or payload)
    kind = text_of(event.get("type")) or text_of(payload.get("event"))
    family, _, stage = kind.rpartition(".")
    if family in _OUTPUTS:
        return Chunk(tuple(_output(event, family, stage)), meta={"model": name_of(event.get("model"))})
    if kind in _EVENTS:
        return _EVENTS[kind](event)
    if event.get("object") == "conversation.response":
        return _whole(event)
    return error_chunk(event) or unknown_event(kind, event)


def _known(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the server sent, in place of the SDK's object for a type that it does not know."""
    return mapping_of(fields.get("raw")) or fields


def _started(event: Mapping[str, Any]) -> Chunk:
    return Chunk(extras=unnamed(event, frozenset({"type"})), starts=True)


def _done(event: Mapping[str, Any]) -> Chunk:
    report = event.get("usage")
    return Chunk(
        (FinishDelta("done"),),
        extras=unnamed(event, frozenset({"type", "usage", "created_at"})),
        usage=json_value(report) if isinstance(report, Mapping) else None,
        terminal=True,
    )


def _failed(event: Mapping[str, Any]) -> Chunk:
    return Chunk(error=error_fields({**event, "type": None}), terminal=True)


def _whole(response: Mapping[str, Any]) -> Chunk:
    """A whole response, which the API returns without streaming."""
    outputs = json_value(list(mappings_of(response.get("outputs"))))
    models = [model for output in outputs if (model := name_of(output.get("model")))]
    ends = _done({name: value for name, value in response.items() if name not in ("object", "outputs")})
    replaced = ItemDelta("replace", None, None, (), outputs)
    return ends._replace(deltas=(replaced, *ends.deltas), meta={"model": models[-1]} if models else {})


_EVENTS: Mapping[str, Callable[[Mapping[str, Any]], Chunk]] = {
    "conversation.response.started": _started,
    "conversation.response.done": _done,
    "conversation.response.error": _failed,
}
"""The readers of the events about the whole answer."""


def _output(event: Mapping[str, Any], kind: str, stage: str) -> Iterator[Delta]:
    """The deltas of an event about one output."""
    output_id = name_of(event.get("id"))
    # IDs are given to all outputs, and the index only to some: where there is an ID it alone is the place.
    where = (output_id, None if output_id else count_of(event.get("output_index")))
    yield ItemDelta("set", *where, ("type",), kind)
    for name, value in unnamed(event, _PLACE_FIELDS).items():
        if value != "":
            yield ItemDelta("set", *where, (name,), value)
    if output_id:
        yield ItemDelta("set", *where, ("id",), output_id)
    if stage in _TIMES and event.get("created_at"):
        yield ItemDelta("set", *where, (_TIMES[stage],), json_value(event["created_at"]))
    if "arguments" in event:
        yield ItemDelta("append", *where, ("arguments",), json_text(event["arguments"]), "other")
    if "content" in event:
        index = count_of(event.get("content_index"))
        yield from _content(event["content"], where, LAST if index is None else index)


_TIMES = {"started": "created_at", "done": "completed_at"}


def _content(content: Any, where: tuple[str | None, int | None], position: int) -> Iterator[Delta]:
    """A piece of the content of a message: text, or a part of some type. Text and thinking go on, other parts are whole."""
    part: Mapping[str, Any] = {"type": "text", "text": content} if isinstance(content, str) else mapping_of(content)
    part = _known(part)
    kind = name_of(part.get("type")) or "text"
    path = ("content", position, kind)
    if kind == "text":
        yield ItemDelta("append", *where, (*path, "text"), text_of(part.get("text")), "text")
    elif kind == "thinking":
        words = part.get("thinking")
        pieces = [text_of(piece.get("text")) for piece in mappings_of(words)] if is_list(words) else [text_of(words)]
        yield ItemDelta("append", *where, (*path, "thinking"), "".join(pieces), "reasoning")
    else:
        yield ItemDelta("set", *where, ("content", LAST, kind), json_value(part), "other")
        if kind == "image_url":
            url = part.get("image_url")
            yield ImageDelta(fields={"url": name_of(url) or name_of(mapping_of(url).get("url"))})
        return
    for name, value in unnamed(part, frozenset({"type", "text", "thinking"})).items():
        yield ItemDelta("set", *where, (*path, name), value)


def assemble(output: Item) -> Item:
    """An output with its content in the API's form."""
    if not is_list(output.get("content")):
        return output
    return {**output, "content": [formed for part in output["content"] for formed in _formed_parts(part)]}


def _formed_parts(part: Json) -> Iterator[Json]:
    """The parts at one position, of which the fields are below their types, as they are folded."""
    for kind, fields in mapping_of(part).items():
        whole = {"type": kind, **mapping_of(fields)}
        if kind == "thinking":
            whole["thinking"] = [{"type": "text", "text": whole.get("thinking", "")}]
        yield whole


def to_deltas(outputs: Sequence[Item]) -> Iterator[Delta]:
    """The deltas of all outputs: text with its references, thinking with its signatures, calls of the caller's functions."""
    messages = [output for output in outputs if output.get("type") == "message.output"]
    parts = [part for message in messages for part in _parts(message)]
    if role := next((role for message in messages if (role := name_of(message.get("role")))), None):
        yield DetailDelta("role", role)
    yield from (TextDelta(text_of(part.get("text"))) for part in parts if part.get("type") == "text")
    thoughts = [part for part in parts if part.get("type") == "thinking"]
    for thought in thoughts:
        yield from (TextDelta(text_of(piece.get("text")), "reasoning") for piece in mappings_of(thought.get("thinking")))
    yield DetailDelta("reasoning_details", [thought for thought in thoughts if thought.get("signature")])
    yield DetailDelta("annotations", [part for part in parts if name_of(part.get("type")) in _CITING])
    calls = (output for output in outputs if output.get("type") == "function.call")
    yield from (_call(output, position) for position, output in enumerate(calls))


def _parts(message: Item) -> Iterator[Mapping[str, Json]]:
    content = message.get("content")
    return iter([{"type": "text", "text": content}]) if isinstance(content, str) else mappings_of(content)


def _call(output: Item, position: int) -> ToolCallDelta:
    call_id = name_of(output.get("tool_call_id")) or name_of(output.get("id"))
    extras = unnamed(output, _CALL_FIELDS) or None
    return ToolCallDelta(json_text(output.get("arguments")), position, call_id, name_of(output.get("name")), "function", extras)


def usage(report: Mapping[str, Json]) -> dict[str, Any]:
    """A report as fields of a `Usage`. Tokens of connectors are input, and beside the prompt, unless the total denies it."""
    fields = usage_fields(report)
    prompt, completion, total = (fields.get(name) for name in ("input_tokens", "output_tokens", "total_tokens"))
    connectors = count_of(report.get("connector_tokens"))
    if connectors and prompt is not None and total != prompt + (completion or 0):
        fields["input_tokens"] = prompt + connectors
    if searches := count_of(mapping_of(report.get("connectors")).get("web_search")):
        fields["searches"] = searches
    return fields


def response(record: StreamRecord) -> dict[str, Json]:
    """The record as a `conversation.response` object."""
    counts = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    return {
        "conversation_id": "",
        **{name: value for name, value in record.extras.items() if name != "created_at"},
        "object": "conversation.response",
        "outputs": list(record.output_items),
        "usage": response_usage(record.usage, counts).get("usage", {}),
    }


def _is_event(payload: Mapping[str, Any]) -> bool:
    """An event of the API with what it carries, or of the SDK with it, or a whole response."""
    event = mapping_of(payload.get("data")) or payload
    kind = text_of(event.get("type"))
    family, _, stage = kind.rpartition(".")
    if family in _OUTPUTS:
        return stage in ("started", "delta", "done") and isinstance(event.get("id"), str)
    if event.get("object") == "conversation.response":
        return is_list(event.get("outputs"))
    return kind in _EVENTS


DIALECT = Dialect(
    "mistral.conversations",
    StreamType.RESPONSES,
    chunk,
    usage,
    _WORDS,
    provider="mistral",
    response=response,
    recognises=_is_event,
    items=ItemRules(to_deltas, assemble),
    charges=ChargeRules(picture_tools=frozenset({"tool.execution"})),
)

DIALECTS = (DIALECT,)
