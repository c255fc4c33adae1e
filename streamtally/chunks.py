"""The normalised form of one payload, shared by all dialects.

A `Chunk` is immutable and comparable, and has one JSON form, from which its digest is computed. All types are plain tuples
because they are on the hot path.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Any, Literal, NamedTuple

from .json_values import Json, json_value, merged, size_of, stated
from .usage_reports import merged_usage

Channel = Literal["text", "reasoning", "refusal"]


class TextDelta(NamedTuple):
    """Generated text of one choice: the answer, reasoning, or a refusal.

    With `whole` it is all of the text so far (a snapshot), with False a piece. None leaves that to the fold, see
    `folding/snapshots.py`.
    """

    text: str
    channel: Channel = "text"
    choice: int = 0
    whole: bool | None = None


class ToolCallDelta(NamedTuple):
    """A piece of a tool call; `position` is the server's index.

    Servers omit or repeat index, id and name; the fold assigns the piece to a call. With `final` the delta has the whole call,
    whose arguments replace those streamed under this position. `pieces` are arguments by path: pairs of a JSONPath and a value,
    of which strings are joined. `goes_on` states whether more pieces of this call follow.
    """

    arguments: str = ""
    position: int | None = None
    id: str | None = None
    name: str | None = None
    type: str | None = None
    extras: Mapping[str, Json] | None = None
    choice: int = 0
    final: bool = False
    pieces: list[list[Json]] | None = None
    goes_on: bool | None = None


class FinishDelta(NamedTuple):
    """The provider's finish reason of a choice; `number` is its number, if the provider sends reasons as numbers.

    With `fallback` it counts only where no other reason came.
    """

    reason: str
    choice: int = 0
    number: int | None = None
    fallback: bool = False


class DetailDelta(NamedTuple):
    """Other data of one choice: `field` is role, logprobs, annotations, reasoning_details or extras.

    With `final` it is all of a list that may have come in pieces, and counts where none of them came.
    """

    field: Literal["role", "logprobs", "annotations", "reasoning_details", "extras"]
    value: Json
    choice: int = 0
    final: bool = False


class AudioDelta(NamedTuple):
    """A piece of audio: raw bytes, or base64 text whose pieces need not end at a whole byte."""

    data: bytes | str = b""
    transcript: str = ""
    fields: Mapping[str, Json] | None = None


class ImageDelta(NamedTuple):
    """An image, complete or as a preview (`partial`) that a later image replaces; `data` is base64.

    Without a `position` it belongs to the image that is not complete yet, or else begins the next one. Each `choice` has its own
    positions.
    """

    position: int | None = None
    data: str | None = None
    partial: bool = False
    fields: Mapping[str, Json] | None = None
    choice: int = 0


class TranscriptDelta(NamedTuple):
    """Transcribed text: a further piece, or with `final` the whole text; `lists` adds segments, words and logprobs.

    With a `turn` it is all of that turn so far, and replaces what came of it; with `final` the turn has ended. Turns are in the
    order of their numbers.
    """

    text: str | None = None
    final: bool = False
    fields: Mapping[str, Json] | None = None
    lists: Mapping[str, list[Json]] | None = None
    turn: tuple[int, ...] | None = None


LAST = -1
"""A position in the path of an `ItemDelta`: the last part of a list."""


class ItemDelta(NamedTuple):
    """An operation on one output item, addressed by its id, or else by its position.

    `op` is one of:

        add, done   `value` is the item, or its part at `path`
        append      append a string at `path`
        first       append a string that came with the start of the item; a first piece that repeats it exactly is dropped
        text        replace the string at `path` by the final one
        set         set the value at `path`
        push        append to the list at `path`
        replace     `value` is the final list of all items
        restart     positions start again at 0; once per `id`

    The steps of `path` are field names and list positions. The position `LAST` is for lists whose parts have no position in the
    protocol; the step after it is the type of the part. It is the last part of the list, if that has this type; else, and if the
    path ends with the type, it is the next part. `channel` is the kind of content that the value generates: text,
    reasoning, a refusal, or "other"; None for no content.

    `kind` is the type of the item, where the payload implies it, and `call` the ID of the call that the item is.
    """

    op: Literal["add", "done", "append", "first", "text", "set", "push", "replace", "restart"]
    id: str | None
    position: int | None
    path: tuple[str | int, ...] = ()
    value: Json = None
    channel: Channel | Literal["other"] | None = None
    kind: str | None = None
    call: str | None = None


class PartDelta(NamedTuple):
    """The position of a part among the parts of an answer, for dialects whose answers are lists of parts.

    `kind` is "text" or "reasoning" (`size` characters of the preceding `TextDelta`), "call" (the call of the preceding
    `ToolCallDelta`), "audio", or "other". `fields` are those of the part, without text and data that are stored elsewhere.
    """

    kind: str
    size: int
    fields: Mapping[str, Json]
    choice: int = 0


class UsageDelta(NamedTuple):
    """A usage report of a part of the answer: reports of one scope are merged, and those of several scopes are summed.

    `scope` is the index of a choice, or "+" for a report that adds to all reports before it.
    """

    report: Mapping[str, Json]
    scope: str


class PayloadDelta(NamedTuple):
    """A payload of unknown format, as JSON, or of an `event` of unknown type.

    Each different one is kept; with `repeats` also equal ones, which are pieces.
    """

    value: Json
    repeats: bool = False
    event: str | None = None


Delta = (
    TextDelta
    | ToolCallDelta
    | FinishDelta
    | DetailDelta
    | AudioDelta
    | ImageDelta
    | TranscriptDelta
    | ItemDelta
    | PartDelta
    | UsageDelta
    | PayloadDelta
)
DELTA_TYPES: Mapping[str, Any] = {
    kind.__name__: kind
    for kind in (
        TextDelta,
        ToolCallDelta,
        FinishDelta,
        DetailDelta,
        AudioDelta,
        ImageDelta,
        TranscriptDelta,
        ItemDelta,
        PartDelta,
        UsageDelta,
        PayloadDelta,
    )
}

CONTENT, TEXT = 1, 2
"""Flags of a chunk: it has generated content of any kind; it has text of the answer."""

_NOTHING: Mapping[str, Any] = {}


class Chunk(NamedTuple):
    """One normalised payload.

    Attributes:
        deltas: the changes to the content.
        meta: fields of the record (response_id, model, service_tier, system_fingerprint, …).
        extras: fields without a name in the record.
        usage: the provider's usage report.
        error: the fields of an `ErrorDetails`.
        sequence: the protocol's sequence number of this payload.
        terminal: whether the answer ends with this payload.
        starts: whether an answer starts with this payload: after the end of one it begins the next part of the record.
        answer: which of several answers the payload belongs to, if they stream at the same time; None: the one that is open.
    """

    deltas: tuple[Delta, ...] = ()
    meta: Mapping[str, Json] = _NOTHING
    extras: Mapping[str, Json] = _NOTHING
    usage: Mapping[str, Json] | None = None
    error: Mapping[str, Json] | None = None
    sequence: int | None = None
    terminal: bool = False
    starts: bool = False
    answer: str | None = None

    @property
    def text(self) -> str:
        """The text that this chunk adds to the first choice."""
        return self._words("text")

    @property
    def reasoning(self) -> str:
        """The reasoning that this chunk adds to the first choice."""
        return self._words("reasoning")

    def _words(self, channel: Channel) -> str:
        pieces = (
            delta.text if isinstance(delta, TextDelta) else delta.value
            for delta in self.deltas
            if (isinstance(delta, TextDelta) and delta.channel == channel and delta.choice == 0)
            or (isinstance(delta, ItemDelta) and delta.channel == channel and delta.op in ("append", "first"))
        )
        return "".join(pieces)

    @property
    def tool_calls(self) -> tuple[ToolCallDelta, ...]:
        """The pieces of tool calls in this chunk."""
        return tuple(d for d in self.deltas if isinstance(d, ToolCallDelta))

    @property
    def audio(self) -> bytes:
        """The audio in this chunk, decoded."""
        pieces = (d.data for d in self.deltas if isinstance(d, AudioDelta))
        return b"".join(piece if isinstance(piece, bytes) else base64.b64decode(piece + "==") for piece in pieces)

    @property
    def finish_reason(self) -> str | None:
        """The provider's finish reason in this chunk, or None."""
        return next((d.reason for d in reversed(self.deltas) if isinstance(d, FinishDelta)), None)

    @property
    def flags(self) -> int:
        """`CONTENT` and `TEXT`, or 0 for a chunk without content (role, ping, usage, metadata)."""
        flags = 0
        for delta in self.deltas:
            flags |= _flags_of(delta)
        return flags

    @property
    def size(self) -> int:
        """The approximate size of its content in characters and bytes."""
        return sum(_size_of(delta) for delta in self.deltas)

    def without_content(self) -> Chunk:
        """The same chunk without generated content, which is folded once the retention bound is exceeded."""
        return self._replace(deltas=tuple(d for d in self.deltas if isinstance(d, FinishDelta | UsageDelta)))

    def state(self) -> list[Json]:
        """The JSON form of the chunk."""
        deltas = [[type(delta).__name__, *map(_jsonable, delta)] for delta in self.deltas]
        named = [] if self.answer is None else [self.answer]
        return [deltas, self.meta, self.extras, self.usage, self.error, self.sequence, self.terminal, self.starts, *named]

    @classmethod
    def from_state(cls, state: list[Json]) -> Chunk:
        """The chunk of a JSON form made by `state`."""
        return cls(tuple(_delta_from(*delta) for delta in state[0]), *state[1:])

    def canonical(self) -> bytes:
        """The canonical bytes of the chunk: equal for equal content, independent of the order of keys."""
        try:
            text = json.dumps(self.state(), sort_keys=True, separators=(",", ":"))
        except TypeError:  # keys of several types, or values that are not JSON
            text = json.dumps(json_value(self.state()), sort_keys=True, separators=(",", ":"))
        return text.encode()

    def digest(self) -> int:
        """An 8-byte BLAKE2 digest of `canonical`, which distinguishes a duplicate from a conflict."""
        return int.from_bytes(blake2b(self.canonical(), digest_size=8).digest())


def _jsonable(value: Any) -> Json:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def _delta_from(name: str, *fields: Json) -> Delta:
    delta: Delta = DELTA_TYPES[name](*fields)
    if isinstance(delta, ItemDelta):
        return delta._replace(path=tuple(delta.path))
    return delta._replace(turn=tuple(delta.turn)) if isinstance(delta, TranscriptDelta) and delta.turn is not None else delta


def _flags_of(delta: Delta) -> int:
    match delta:
        case TextDelta():
            return (CONTENT | TEXT if delta.channel == "text" else CONTENT) if delta.text else 0
        case ToolCallDelta():
            return CONTENT if delta.arguments or delta.name or delta.id or delta.pieces else 0
        case AudioDelta():
            return CONTENT if delta.data or delta.transcript else 0
        case ImageDelta():
            return CONTENT
        case TranscriptDelta():
            return CONTENT | TEXT if delta.text or delta.lists else 0
        case DetailDelta():
            return CONTENT if delta.field == "reasoning_details" and _has_thought(delta.value) else 0
        case ItemDelta():
            return _item_flags(delta)
        case PartDelta():
            return CONTENT if delta.kind == "other" and delta.fields.keys() - {"thoughtSignature"} else 0
        case _:
            return 0


def _has_thought(details: Json) -> bool:
    """Whether reasoning details have reasoning, and not only a signature or a format."""
    entries = [entry for entry in details if isinstance(entry, Mapping)] if isinstance(details, list | tuple) else []
    return any(entry.get(name) for entry in entries for name in ("text", "summary", "data"))


def _item_flags(delta: ItemDelta) -> int:
    if delta.channel is None or not delta.value:
        return 0
    return CONTENT | TEXT if delta.channel == "text" else CONTENT


def _size_of(delta: Delta) -> int:
    return sum(size_of(field) for field in delta if isinstance(field, str | bytes | dict | list))


def joined(chunks: Iterable[Chunk]) -> Chunk:
    """Several chunks of one payload, merged to one."""
    first, *others = tuple(chunks) or (Chunk(),)
    for chunk in others:
        first = Chunk(
            first.deltas + chunk.deltas,
            {**first.meta, **stated(chunk.meta)},
            merged(first.extras, stated(chunk.extras)),
            merged_usage(first.usage, chunk.usage) if chunk.usage else first.usage,
            {**(first.error or {}), **stated(chunk.error)} if chunk.error else first.error,
            first.sequence if first.sequence is not None else chunk.sequence,
            first.terminal or chunk.terminal,
            first.starts or chunk.starts,
            first.answer if first.answer is not None else chunk.answer,
        )
    return first


def chunk_of_error(kind: str, message: str, **fields: Json) -> Chunk:
    """A chunk that reports an error inside the stream."""
    return Chunk(error={"type": kind, "message": message, **fields})
