"""What a dialect is: one provider's wire format, as data and a pure function from payload to `Chunk`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeAlias

from ..chunks import Channel, Chunk, Delta
from ..json_values import Json
from ..records import FinishReason, StreamRecord, StreamType, Usage
from .charges import NO_CHARGES, ChargeRules

Framing = Literal["events", "bytes", "text", "events or bytes"]


class TextSinks(Protocol):
    """What a fold offers a dialect's fast path: the end of a text that has begun, or None."""

    def text_writer(self, channel: Channel = "text", choice: int = 0) -> Callable[[str], object] | None:
        """The end of an answer, its reasoning or refusal."""

    def arguments_writer(self, index: int, choice: int = 0) -> Callable[[str], object] | None:
        """The end of a tool call's arguments."""

    def item_writer(self, position: int, *path: str | int) -> Callable[[str], object] | None:
        """The end of a text in the output item at a provider's position."""


def named_usage(report: Mapping[str, Json]) -> dict[str, Any]:
    """The fields of a report that go by the names of `Usage`: what a dialect of your own needs, and no more."""
    return {name: report[name] for name in Usage.model_fields if name in report}


def nothing_recognised(payload: Mapping[str, Any]) -> bool:  # noqa: ARG001 - the form of a `recognises`
    """What a dialect recognises whose payloads look like anything: it is only ever named."""
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
"""A fast path: takes a payload that is nothing but a delta of a text that has begun, or declines it with False."""


Item: TypeAlias = dict[str, Json]


def _as_it_is(item: Item) -> Item:
    return item


@dataclass(frozen=True, slots=True)
class ItemRules:
    """What the output items of a dialect mean whose answers are made of them. All functions are pure.

    Args:
        to_deltas: what all items together say, as deltas of the one choice: words, calls, annotations, reasoning details.
        assemble: an item as it was put together from its pieces, in the provider's own form.
        present: an item in that form as the record shows it.
    """

    to_deltas: Callable[[Sequence[Item]], Iterable[Delta]]
    assemble: Callable[[Item], Item] = _as_it_is
    present: Callable[[Item], Item] = _as_it_is


@dataclass(frozen=True, slots=True)
class Dialect:
    """One wire format.

    Args:
        name: such as "openai.chat".
        stream_type: what its streams are.
        chunk: the payload (a mapping; `str` or `bytes` where `framing` is "text" or "bytes") as a `Chunk`. Pure.
        usage: the merged usage report as fields of a `Usage`. Pure.
        finish_reasons: the provider's words (lower case) in our vocabulary; an unknown word is a "stop". None stands for a word
            that only says that the answer is complete: "tool_calls" where it has some, else "stop".
        provider: the provider that is meant unless the request or the host says otherwise.
        framing: what a raw body is made of: "events" (server-sent events, JSON texts and AWS event streams, which their bytes
            tell apart), "bytes", "text", or "events or bytes".
        states_finish: whether the wire says that the answer is finished; where it does not, the source's end is the finish.
        fast_path: makes the fast path for one stream, from the fold's writers.
        response: the record in the provider's non-streaming shape.
        recognises: whether a payload (a mapping) speaks this dialect, told by what it says of itself.
        items: what the output items mean, where answers are made of such.
        first_sequence: the number that the protocol gives its first payload, where it numbers them (`Chunk.sequence`).
        shared: whether servers of other providers use the dialect too, so that it does not determine who served a request.
        operation: the operation's name in OpenTelemetry's GenAI conventions, where the type of stream does not determine it.
        charges: what the price of an answer depends on besides its tokens.

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
    finish_reasons: Mapping[str, FinishReason | None] = field(default_factory=dict)
    provider: str | None = None
    framing: Framing = "events"
    states_finish: bool = True
    fast_path: Callable[[TextSinks], FastPath] | None = None
    response: Callable[[StreamRecord], dict[str, Any]] | None = None
    recognises: Callable[[Mapping[str, Any]], bool] = nothing_recognised
    items: ItemRules | None = None
    first_sequence: int = 0
    shared: bool = False
    operation: str | None = None
    charges: ChargeRules = NO_CHARGES
