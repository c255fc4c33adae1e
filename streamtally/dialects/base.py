"""`Dialect`: one wire format, as data and pure functions. The main one makes a `Chunk` of a payload."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeAlias

from ..chunks import Channel, Chunk, Delta
from ..json_values import Json
from ..records import FinishReason, StreamRecord, StreamType, Usage
from .charges import NO_CHARGES, ChargeRules

Framing = Literal["events", "bytes", "text", "events or bytes"]

Vocabulary: TypeAlias = Mapping[str, FinishReason | Literal["cancelled"] | None]
"""What the finish reasons of a provider mean, by its words."""


class TextSinks(Protocol):
    """The writers that a fold offers to a fast path: each appends to a text that has begun; None if it has not."""

    def text_writer(self, channel: Channel = "text", choice: int = 0) -> Callable[[str], object] | None:
        """Appends to a choice's answer, reasoning or refusal."""

    def arguments_writer(self, index: int, choice: int = 0) -> Callable[[str], object] | None:
        """Appends to the arguments of the tool call at an index."""

    def item_writer(self, position: int, *path: str | int) -> Callable[[str], object] | None:
        """Appends to the text at a path in the output item at the provider's position."""


def named_usage(report: Mapping[str, Json]) -> dict[str, Any]:
    """The fields of a report whose names are those of `Usage`."""
    return {name: report[name] for name in Usage.model_fields if name in report}


def recognises_nothing(payload: Mapping[str, Any]) -> bool:  # noqa: ARG001 - the signature of `recognises`
    """The `recognises` of a dialect that is only used by name."""
    return False


def by_type(*starts: str) -> Callable[[Mapping[str, Any]], bool]:
    """A `recognises` for payloads whose `type` starts with one of these.

    >>> by_type("response.")({"type": "response.created"})
    True
    """

    def recognises(payload: Mapping[str, Any]) -> bool:
        kind = payload.get("type")
        return isinstance(kind, str) and kind.startswith(starts)

    return recognises


FastPath = Callable[[Any], bool]
"""Writes a payload that only appends to a text that has begun, and returns True. Returns False, or raises, for any other payload,
which then takes the general path."""


Item: TypeAlias = dict[str, Json]


def _unchanged(item: Item) -> Item:
    return item


def _never(items: Sequence[Item]) -> bool:  # noqa: ARG001 - the signature of `waits`
    return False


@dataclass(frozen=True, slots=True)
class ItemRules:
    """How the output items of a dialect are read, where an answer is a list of them. All functions are pure.

    Args:
        to_deltas: the content of all items, as deltas of the only choice: text, tool calls, annotations, reasoning details.
        assemble: an item in the provider's form, from one that was assembled from pieces.
        present: an item as the record has it, from one in the provider's form.
        waits: whether any of the items waits for the caller; then a finish reason that only states the end is "tool_calls".
        names: the fields of an item that hold its `id`, its `kind` and its `call`, see `ItemDelta`; those that no event sent as a
            field are filled in.
    """

    to_deltas: Callable[[Sequence[Item]], Iterable[Delta]]
    assemble: Callable[[Item], Item] = _unchanged
    present: Callable[[Item], Item] = _unchanged
    waits: Callable[[Sequence[Item]], bool] = _never
    names: Mapping[str, str] = field(default_factory=dict)


Adjust = Callable[[dict[str, Any], Mapping[str, Json], str | None, str | None], dict[str, Any]]


def as_read(
    fields: dict[str, Any],
    report: Mapping[str, Json],  # noqa: ARG001 - the signature of `adjust`
    model: str | None,  # noqa: ARG001 - as above
    provider: str | None,  # noqa: ARG001 - as above
) -> dict[str, Any]:
    """The fields as the dialect reads them."""
    return fields


@dataclass(frozen=True, slots=True)
class Dialect:
    """One wire format.

    Args:
        name: the name of the dialect, such as "openai.chat".
        stream_type: the type of all its streams.
        chunk: makes a `Chunk` of a payload: a mapping, or `str` or `bytes` if `framing` is "text" or "bytes". Pure.
        usage: the fields of a `Usage`, from the merged usage report. Pure.
        finish_reasons: the finish reason for each word of the provider (lower case); that of any other word is not known. None is
            for a word that only states that the answer is complete: "tool_calls" if it has tool calls, else "stop".
            "cancelled" is for a word that states that the answer was cancelled: it has no finish reason, and its outcome is that.
        provider: the provider, where one provider alone speaks the dialect; what the request or the host states wins.
        framing: the framing of a raw body: "events" (server-sent events, JSON texts or AWS event streams, which are distinguished
            by their bytes), "bytes", "text", or "events or bytes".
        states_finish: whether the protocol states that an answer is finished; if not, the end of the source finishes it.
        fast_path: makes the fast path of one stream, from the writers of its fold.
        response: the record in the provider's non-streaming form.
        recognises: whether a payload, a mapping, is in this dialect for certain: by values that no other format has.
        resembles: whether it may be, by the names of its fields. This is a guess: as long as it yields neither content, finish
            reason, usage nor error, a later payload decides.
        sessions: whether one stream has any number of answers: the end of an answer does not end the stream.
        items: how output items are read, where an answer is a list of them.
        first_sequence: the number of the first payload, where the protocol numbers them (`Chunk.sequence`).
        operation: the operation's name in OpenTelemetry's GenAI conventions, where the type of stream does not determine it.
        charges: what the price of an answer depends on besides its tokens.
        adjust: the fields of `usage` (its first argument) as the report, the model and the provider show that they are meant: of
            some models, and through some gateways, counts mean something else. Pure.

    Example:
        >>> from streamtally.chunks import Chunk, TextDelta
        >>> shout = Dialect("shout", StreamType.TEXT, lambda payload: Chunk((TextDelta(payload["word"]),)), states_finish=False)
        >>> shout.chunk({"word": "hey"}).text
        'hey'
    """

    name: str
    stream_type: StreamType
    chunk: Callable[[Any], Chunk]
    usage: Callable[[Mapping[str, Json]], dict[str, Any]] = named_usage
    finish_reasons: Vocabulary = field(default_factory=dict)
    provider: str | None = None
    framing: Framing = "events"
    states_finish: bool = True
    fast_path: Callable[[TextSinks], FastPath] | None = None
    response: Callable[[StreamRecord], dict[str, Any]] | None = None
    recognises: Callable[[Mapping[str, Any]], bool] = recognises_nothing
    resembles: Callable[[Mapping[str, Any]], bool] = recognises_nothing
    sessions: bool = False
    items: ItemRules | None = None
    first_sequence: int = 0
    operation: str | None = None
    charges: ChargeRules = NO_CHARGES
    adjust: Adjust = as_read

    @property
    def family(self) -> str:
        """Whose format it is: the first part of its name."""
        return self.name.partition(".")[0]
