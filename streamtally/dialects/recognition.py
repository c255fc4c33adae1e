"""Which dialect a stream is in: decided from its payloads, in their order, and from nothing else.

| the payload | the decision |
| --- | --- |
| says nothing: null, empty, blank, `[DONE]`, a ping | none; the next payload is looked at |
| is text, or bytes | `text`, or `raw.audio` |
| is in a dialect for certain (`Dialect.recognises`) | that dialect |
| may be in a dialect (`Dialect.resembles`), and it yields content, a finish reason, usage or an error there | that dialect |
| may be in a dialect, and yields nothing of that kind | a guess, which the next payload may overrule |
| is in none that is known | none; the next payload is looked at |

If the payloads end without a decision, or `MAX_WAITING` of them came, the dialect is `opaque`. Until the decision payloads wait,
unread, so that the order of their arrival leaves no trace: those of a keyed stream are looked at in the order of their positions.
One that is not in the dialect after all is kept as it is.

Of an object whose class is not known the names of the fields mean nothing: only what is certain counts.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, TypeAlias

from ..chunks import Chunk, FinishDelta, UsageDelta
from ..json_values import Json, json_value, size_of
from .base import Dialect, recognises_nothing
from .origin import ObjectFields
from .plain import OPAQUE, RAW_AUDIO, TEXT
from .registry import recognised

MAX_WAITING = 64
"""Payloads that are looked at before a stream is opaque."""

_PINGS = frozenset({"ping", "keepalive", "keep-alive", "keep_alive", "heartbeat"})


Unit: TypeAlias = Any
"""One complete payload, as it waits: a `Chunk`, a mapping of JSON values, text, bytes, or another JSON value."""


class Verdict(NamedTuple):
    """What one payload says of the dialect of its stream."""

    dialect: Dialect
    decides: bool


def verdict_on(payload: Unit) -> Verdict | None:
    """What a payload says of the dialect; None if it says nothing."""
    if isinstance(payload, str):
        return Verdict(TEXT, decides=True) if payload.strip() else None
    if isinstance(payload, bytes):
        return Verdict(RAW_AUDIO, decides=True) if payload else None
    if not isinstance(payload, Mapping) or says_nothing(payload):
        return None
    found, certain = recognised(payload)
    if found is OPAQUE or (isinstance(payload, ObjectFields) and not certain):
        return None
    return Verdict(found, certain or _yields(found, payload))


def says_nothing(payload: Mapping[str, Any]) -> bool:
    """Whether a payload is empty, or only keeps the connection alive."""
    names = (payload.get("type"), payload.get("event"))
    return not any(value is not None for value in payload.values()) or any(
        isinstance(name, str) and name in _PINGS for name in names
    )


def is_in(dialect: Dialect, payload: Mapping[str, Any]) -> bool:
    """Whether a payload that waited is read in the dialect that was decided for."""
    return dialect.recognises is recognises_nothing or dialect.recognises(payload) or dialect.resembles(payload)


def _yields(dialect: Dialect, payload: Mapping[str, Any]) -> bool:
    """Whether a payload has content, a finish reason, usage or an error, if it is read in a dialect."""
    try:
        chunk = dialect.chunk(payload)
    except Exception:  # what cannot be read in a dialect is not in it
        return False
    ends = any(isinstance(delta, FinishDelta | UsageDelta) for delta in chunk.deltas)
    return bool(chunk.flags or ends or chunk.usage or chunk.error)


class Unread:
    """The payloads of one chunk, which wait until the dialect of their stream is known: one, or those of a piece of a body."""

    __slots__ = ("_verdicts", "payloads")

    flags = 0
    """As of a `Chunk`: what is unread has no content yet."""

    def __init__(self, payloads: Iterable[Unit]) -> None:
        self.payloads = tuple(payloads)
        self._verdicts: tuple[Verdict | None, ...] | None = None

    @property
    def verdicts(self) -> tuple[Verdict | None, ...]:
        """What each payload says of the dialect."""
        if self._verdicts is None:
            self._verdicts = tuple(map(verdict_on, self.payloads))
        return self._verdicts

    @property
    def size(self) -> int:
        """The approximate size in characters and bytes."""
        return sum(size_of(one.state() if isinstance(one, Chunk) else one) for one in self.payloads)

    def state(self) -> dict[str, Json]:
        """The JSON form."""
        return {"unread": [_state_of(one) for one in self.payloads]}

    @classmethod
    def from_state(cls, state: Mapping[str, Json]) -> Unread:
        """What `state` described."""
        return cls(_unit_of(kind, value) for kind, value in state["unread"])

    def canonical(self) -> bytes:
        """Bytes that are equal for equal payloads, independent of the order of keys."""
        return json.dumps(self.state(), sort_keys=True, separators=(",", ":")).encode()


def _state_of(unit: Unit) -> list[Json]:
    if isinstance(unit, Chunk):
        return ["chunk", unit.state()]
    if isinstance(unit, bytes):
        return ["bytes", base64.b64encode(unit).decode()]
    return ["object" if isinstance(unit, ObjectFields) else "json", unit]


def _unit_of(kind: str, value: Json) -> Unit:
    if kind == "chunk":
        return Chunk.from_state(value)
    if kind == "bytes":
        return base64.b64decode(value)
    return ObjectFields(value) if kind == "object" else value


def waiting_form(payload: Any) -> Unit:
    """A copy of a payload that can wait, and travel."""
    if isinstance(payload, ObjectFields):
        return ObjectFields(json_value(payload))
    return payload if isinstance(payload, Chunk | str | bytes) else json_value(payload)


def decided(waiting: Iterable[Unread], *, ended: bool = False) -> Dialect | None:
    """The dialect that payloads in their order decide, by the table above; None if more of them are needed."""
    seen = 0
    for unread in waiting:
        for verdict in unread.verdicts:
            if verdict is not None and verdict.decides:
                return verdict.dialect
            seen += 1
    return OPAQUE if ended or seen >= MAX_WAITING else None
