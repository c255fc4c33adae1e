"""The events of the Responses API about output items: which item an event is about, and what it changes there.

All events of the API follow one scheme: `response.<family>.<stage>`, where the family names a part of an item. What is known of a
family is one line of a table here. Families of tool calls that are not known are read by the scheme itself: the family
`<item type>_<field>` (`function_call_arguments`, `custom_tool_call_input`) is the field of an item of this type.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from ..chunks import AudioDelta, Channel, Chunk, Delta, ImageDelta, ItemDelta
from ..json_readers import count_of, is_list, mapping_of, name_of, text_of, unnamed
from ..json_values import Json, json_value
from .openai_common import EVENTS, unknown_event

Content = Channel | Literal["other"]
Path = tuple[str | int, ...]


class Family(NamedTuple):
    """A family of events about a text.

    Attributes:
        path: where the text is in the item.
        place: the field of the event with the last step of the path, a position in a list.
        part: the type of the part there.
        channel: the kind of content.
        kind: the type of the item; None if it is not known.
    """

    path: tuple[str, ...]
    place: str | None
    part: str | None
    channel: Content
    kind: str | None


_MESSAGE, _REASONING = "message", "reasoning"

FAMILIES: Mapping[str, Family] = {
    "output_text": Family(("content",), "content_index", "output_text", "text", _MESSAGE),
    "refusal": Family(("content",), "content_index", "refusal", "refusal", _MESSAGE),
    "reasoning_text": Family(("content",), "content_index", "reasoning_text", "reasoning", _REASONING),
    "reasoning": Family(("content",), "content_index", "reasoning_text", "reasoning", _REASONING),
    "reasoning_summary_text": Family(("summary",), "summary_index", "summary_text", "reasoning", _REASONING),
    "reasoning_summary": Family(("summary",), "summary_index", "summary_text", "reasoning", _REASONING),
    "function_call_arguments": Family(("arguments",), None, None, "other", "function_call"),
    "mcp_call_arguments": Family(("arguments",), None, None, "other", "mcp_call"),
    "custom_tool_call_input": Family(("input",), None, None, "other", "custom_tool_call"),
    "code_interpreter_call_code": Family(("code",), None, None, "other", "code_interpreter_call"),
    "shell_call_command": Family(("action", "commands"), "command_index", None, "other", "shell_call"),
    "shell_call_output_content": Family(("output",), "command_index", None, "other", "shell_call_output"),
    "apply_patch_call_operation_diff": Family(("operation", "diff"), None, None, "other", "apply_patch_call"),
}
"""The families of texts. Those of OpenRouter lack `_text`."""

_CALL = re.compile(r"(\w+?_call(?:_output)?)[_.](\w+)")
"""The family of a field of a tool call, or of its output."""

PARTS: Mapping[str, tuple[str, str, str | None]] = {
    "content_part": ("content", "content_index", None),
    "reasoning_part": ("content", "content_index", _REASONING),
    "reasoning_summary_part": ("summary", "summary_index", _REASONING),
}
"""Families of part events: the item's list, the event's position in it, and the type of the item, if the family determines it."""

PART_TEXTS: Mapping[str, tuple[str, Channel, str]] = {
    "output_text": ("text", "text", _MESSAGE),
    "refusal": ("refusal", "refusal", _MESSAGE),
    "reasoning_text": ("text", "reasoning", _REASONING),
    "summary_text": ("text", "reasoning", _REASONING),
}
"""The types of parts: the field of their text, its channel, and the type of the item."""

_SOUND = frozenset({"audio", "output_audio"})
_TRANSCRIPTS = frozenset({"audio.transcript", "output_audio.transcript", "output_audio_transcript"})

_STATES = ("_call", "_call_output")
_OTHER_STATES = frozenset({"mcp_list_tools", "compaction"})
"""Families whose events state a status: those that are types of items."""

_PLACES = frozenset({"content_index", "summary_index", "command_index", "annotation_index"})
_COMMON = frozenset({"type", "sequence_number", "item_id", "output_index", "call_id", "response_id", "obfuscation", *_PLACES})
"""The fields that any event may have: what it is about, and padding."""

_DELTA_FIELDS = _COMMON | {"delta", "logprobs"}
_DONE_FIELDS = _COMMON | {"logprobs", "name", "text"}
_IMAGE_FIELDS = _COMMON | {"partial_image_index", "partial_image_b64", "output_format"}


class _Event(NamedTuple):
    """An event, and what identifies its item."""

    payload: Mapping[str, Any]
    family: str
    stage: str
    id: str | None
    at: int | None
    call: str | None

    def delta(self, op: Any, path: Path, value: Json, channel: Content | None = None, kind: str | None = None) -> ItemDelta:
        """An operation upon the item."""
        return ItemDelta(op, self.id, self.at, path, value, channel, kind, self.call)

    def place(self, name: str) -> int:
        """A position in a list; some servers omit it for the first."""
        return count_of(self.payload.get(name)) or 0


_Found = tuple[Iterable[Delta], frozenset[str]]
"""The deltas of an event, and the fields of the event that they have."""


def event_chunk(payload: Mapping[str, Any], family: str, stage: str) -> Chunk:
    """The chunk of an event about an item. What it has beside that is kept as the event's."""
    item_id, index = name_of(payload.get("item_id")), count_of(payload.get("output_index"))
    event = _Event(payload, family, stage, item_id, index, name_of(payload.get("call_id")))
    found = _read(event)
    kind = text_of(payload.get("type"))
    if found is None:
        return unknown_event(kind, payload)
    deltas, fields = found
    rest = {} if payload.keys() <= fields else unnamed(payload, fields)
    return Chunk(tuple(deltas), extras={EVENTS: {kind: rest}}) if rest else Chunk(tuple(deltas))


def _read(event: _Event) -> _Found | None:
    """What an event changes; None for an event that is not known."""
    family, stage, payload = event.family, event.stage, event.payload
    if family == "output_item" and isinstance(payload.get("item"), Mapping):
        return _item(event), _COMMON | {"item"}
    if family in PARTS and isinstance(payload.get("part"), Mapping):
        return _part(event), _COMMON | {"part"}
    if family == "output_text.annotation" and payload.get("annotation") is not None:
        path = ("content", event.place("content_index"), "annotations")
        note = event.delta("push", path, json_value(payload["annotation"]), None, _MESSAGE)
        return (note,), _COMMON | {"annotation"}
    if stage == "partial_image":
        return (_image(event),), frozenset(payload)
    if (family in _SOUND or family in _TRANSCRIPTS) and stage in ("delta", "done"):
        return _sound(event), _COMMON | {"delta"}
    if (family.endswith(_STATES) or family in _OTHER_STATES) and "delta" not in payload:
        return (event.delta("set", ("status",), stage, None, family),), _COMMON
    return _text(event)


def _text(event: _Event) -> _Found | None:
    """An event about a text, or (in families that are not known) about any value that comes in pieces."""
    family, payload = _family(event.family), event.payload
    if event.stage in ("delta", "added"):
        if family is None and (payload.get("delta") is None or (event.id is None and event.at is None)):
            return None
        return _growth(event, family or Family((event.family,), None, None, "other", None))
    if event.stage == "done" and family is not None:
        return _whole(event, family)
    return None


@lru_cache(maxsize=256)
def _family(name: str) -> Family | None:
    """What is known of a family, from the table or by the scheme."""
    found = _CALL.fullmatch(name)
    return FAMILIES.get(name) or (found and Family((found[2],), None, None, "other", found[1]))


def _path(event: _Event, family: Family) -> Path:
    """Where an event's text is in the item. Families that are not known may have positions of any name."""
    if family.place is not None:
        return (*family.path, event.place(family.place))
    if event.family in FAMILIES:
        return family.path
    names = (name for name in event.payload if name.endswith("_index") and name != "output_index")
    return (*family.path, *(place for name in names if (place := count_of(event.payload[name])) is not None))


def _named(event: _Event, family: Family) -> str | None:
    """The field of an event that has a text of its family, beside or in place of a delta."""
    field = family.path[-1]
    names = (family.part, "text", field, field.removesuffix("s"))
    return next((name for name in names if name and event.payload.get(name)), None)


def _growth(event: _Event, family: Family) -> _Found:
    """A piece of a text, of several texts (an object of them), or of a list. Log probabilities are lists beside a piece."""
    payload, path, fields = event.payload, _path(event, family), _DELTA_FIELDS
    value, whole = payload.get("delta"), (*path, family.part) if family.part else path
    if value is None and (name := _named(event, family)):
        value, fields = payload[name], fields | {name}
    elif family.part and isinstance(value, Mapping):
        value, whole = (value["text"], whole) if isinstance(value.get("text"), str) else (value, path)
    deltas = list(_pieces(event, family, whole, "" if value is None else value))
    deltas = deltas or [event.delta("set", path, None, None, family.kind)]  # an empty piece still opens its item
    beside = (
        [] if payload.keys() <= fields - {"logprobs"} else [name for name in payload if name not in fields or name == "logprobs"]
    )
    for name in beside:
        if is_list(payload[name]):
            fields |= {name}
            deltas += (event.delta("push", (*path, name), json_value(entry), None, family.kind) for entry in payload[name])
    return deltas, fields


def _pieces(event: _Event, family: Family, path: Path, value: Any) -> Iterator[ItemDelta]:
    """Each text in a delta as a piece of that text, and each other value as one of a list."""
    if isinstance(value, str):
        yield event.delta("append", path, value, family.channel, family.kind)
    elif isinstance(value, Mapping) and len(path) < _MAX_DEPTH:
        for name, inner in value.items():
            yield from _pieces(event, family, (*path, str(name)), inner)
    elif value is not None:
        for entry in value if is_list(value) else [value]:
            yield event.delta("push", path, json_value(entry), family.channel, family.kind)


_MAX_DEPTH = 16


def _whole(event: _Event, family: Family) -> _Found | None:
    """The end of a text: the whole of it."""
    payload, path, name = event.payload, _path(event, family), _named(event, family)
    fields = _DONE_FIELDS | {name} if name else _DONE_FIELDS
    if name is None and event.family not in FAMILIES and not payload.keys() <= fields:
        return None  # whatever it has is under another name
    deltas = []
    if name_of(payload.get("name")):
        deltas.append(event.delta("set", ("name",), payload["name"], None, family.kind))
    if is_list(payload.get("logprobs")):
        deltas.append(event.delta("set", (*path, "logprobs"), json_value(payload["logprobs"]), None, family.kind))
    value = payload[name] if name else ""
    if event.family == "shell_call_output_content":
        value = _whole_output(value)
    if isinstance(value, str):
        whole = (*path, family.part) if family.part else path
        deltas.append(event.delta("text", whole, value, family.channel, family.kind))
    elif isinstance(value, Mapping):
        deltas += (event.delta("set", (*path, str(key)), json_value(inner), None, family.kind) for key, inner in value.items())
    else:
        deltas.append(event.delta("set", path, json_value(value), family.channel, family.kind))
    return deltas, fields


def _whole_output(entries: Any) -> dict[str, Json]:
    """The output of one shell command as one entry; it may be sent in several."""
    whole: dict[str, Json] = {}
    for entry in entries if is_list(entries) else ():
        fields = mapping_of(entry)
        texts = {name: text_of(whole.get(name)) + text_of(fields.get(name)) for name in ("stdout", "stderr")}
        whole = {**whole, **unnamed(fields, frozenset(texts)), **texts}
    return whole


def _item(event: _Event) -> Iterator[Delta]:
    """An item as it starts, or as it ends. Texts of an item that starts are first pieces: more of them follow."""
    item = event.payload["item"]
    kind = name_of(item.get("type"))
    is_call = text_of(kind).endswith("_call")
    call = name_of(item.get("call_id")) if is_call else None
    event = event._replace(id=name_of(item.get("id")) or event.id, call=call or event.call)
    value: dict[str, Any] = json_value(item)
    if event.stage == "done":
        said = any(True for _ in _texts_of(value))
        yield event.delta("done", (), value, "other" if is_call or said else None, kind)
        if kind == "image_generation_call" and text_of(item.get("result")):
            fields = {"revised_prompt": name_of(item.get("revised_prompt")), "mime_type": _mime_type(item.get("output_format"))}
            yield ImageDelta(event.at, item["result"], fields=fields)
        return
    first = list(_texts_of(value))
    for text in first:
        text.holder[text.name] = ""
    yield event.delta("add", (), value, "other" if is_call else None, kind)
    yield from (event.delta("first", text.path, text.words, text.channel, kind) for text in first)


class _Text(NamedTuple):
    """A text in an item that is not empty: where it is, and where its pieces go."""

    holder: Any
    name: str | int
    path: Path
    words: str
    channel: Content


def _texts_of(item: dict[str, Any]) -> Iterator[_Text]:
    """The texts of an item that grow."""
    for field in ("content", "summary"):
        for position, part in enumerate(item[field] if is_list(item.get(field)) else ()):
            yield from _text_of_part(part, (field, position))
    for name in ("arguments", "input", "code"):
        if text_of(item.get(name)):
            yield _Text(item, name, (name,), item[name], "other")
    operation, action = item.get("operation"), item.get("action")
    if isinstance(operation, dict) and text_of(operation.get("diff")):
        yield _Text(operation, "diff", ("operation", "diff"), operation["diff"], "other")
    commands = action.get("commands") if isinstance(action, dict) else None
    for position, command in enumerate(commands if isinstance(commands, list) else ()):
        if text_of(command):
            yield _Text(commands, position, ("action", "commands", position), command, "other")


def _text_of_part(part: Any, path: Path) -> Iterator[_Text]:
    kind = part.get("type") if isinstance(part, dict) else None
    if isinstance(kind, str) and kind in PART_TEXTS:
        name, channel, _ = PART_TEXTS[kind]
        if text_of(part.get(name)):
            yield _Text(part, name, (*path, kind), part[name], channel)


def _part(event: _Event) -> Iterator[Delta]:
    """A part of an item as it starts, or as it ends."""
    field, place, kind = PARTS[event.family]
    path = (field, event.place(place))
    part: dict[str, Any] = json_value(event.payload["part"])
    if kind is None and isinstance(part.get("type"), str) and part["type"] in PART_TEXTS:
        kind = PART_TEXTS[part["type"]][2]
    texts = list(_text_of_part(part, path))
    if event.stage == "done":
        yield event.delta("set", path, part, texts[0].channel if texts else None, kind)
        return
    for text in texts:
        text.holder[text.name] = ""
    yield event.delta("set", path, part, None, kind)
    yield from (event.delta("first", text.path, text.words, text.channel, kind) for text in texts)


def _image(event: _Event) -> ImageDelta:
    payload = event.payload
    fields = {**unnamed(payload, _IMAGE_FIELDS), "mime_type": _mime_type(payload.get("output_format"))}
    return ImageDelta(event.at, text_of(payload.get("partial_image_b64")), partial=True, fields=fields)


def _mime_type(output_format: Any) -> str | None:
    name = name_of(output_format)
    return f"image/{name}" if name else None


def _sound(event: _Event) -> Iterator[Delta]:
    """A piece of sound or of its transcript, whose ends add nothing."""
    piece = text_of(event.payload.get("delta"))
    if event.stage == "delta":
        yield AudioDelta(piece) if event.family in _SOUND else AudioDelta(transcript=piece)
