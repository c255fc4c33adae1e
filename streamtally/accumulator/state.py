"""The state of one stream: a folded prefix, chunks held beyond it, their times, and a seal that is set once.

There are two kinds of state, which differ in how they measure time and in nothing else: `KeyedStream` gets chunks with
positions from anywhere, `WrappedStream` gets payloads in the order in which one source is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from ..clock import Clock
from ..dialects import OPAQUE, Dialect, PayloadReader, name_of
from ..json_values import Json, json_value
from ..limits import Limits
from ..records import ErrorDetails, Outcome, StreamRecord, StreamType, Timing, Usage
from ..sources import origin_of
from .document import Document
from .fold import Fold
from .media import images_complete
from .timing import timing

Keep = Literal["content", "content+input", "counts"]

INPUT_PARAMS = frozenset({"messages", "input", "prompt", "instructions", "system", "contents"})
"""Parameters of a request that are what the user wrote: kept only with "content+input"."""

CONTENT_PARAMS = INPUT_PARAMS | frozenset(
    {
        "file",
        "image",
        "mask",
        "suffix",
        "stream",
        "extra_body",
    }
)
"""Parameters of a request that hold what the user gave it: they are not kept."""


@dataclass(slots=True)
class RequestInfo:
    """What the caller says of a stream: all that a record holds and no chunk brings.

    `params` are the request's parameters; what the user wrote there is kept only with `keep_input`, and what has no JSON
    form (an SDK's "not given") is not. `characters` is the length of a text to be spoken.
    """

    request_id: str
    stream_type: StreamType | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    attributes: Mapping[str, Any] = field(default_factory=dict)
    conversation_id: str | None = None
    server_address: str | None = None
    server_port: int | None = None
    provider: str | None = None
    characters: int | None = None
    keep_input: bool = False

    def __post_init__(self) -> None:
        spoken = self.params.get("input")
        if isinstance(spoken, str):
            self.characters = len(spoken)
        left_out = CONTENT_PARAMS - INPUT_PARAMS if self.keep_input else CONTENT_PARAMS
        self.params = {
            name: json_value(value)
            for name, value in self.params.items()
            if name not in left_out and isinstance(value, str | int | float | list | tuple | dict)
        }
        self.attributes = {name: json_value(value) for name, value in self.attributes.items()}

    def complete(self, other: RequestInfo) -> None:
        """Take over what is not known here."""
        self.stream_type = self.stream_type or other.stream_type
        self.params = {**other.params, **self.params}
        self.attributes = {**other.attributes, **self.attributes}
        self.conversation_id = self.conversation_id or other.conversation_id
        self.characters = other.characters if self.characters is None else self.characters


class Seal(NamedTuple):
    """How a stream ended: the outcome that the way of ending asks for, what went wrong, and when (a stamp)."""

    outcome: Outcome
    error: Mapping[str, Json] | None
    stamp: int | None


class Stream:
    """What both kinds of state share: reader, fold, seal, and the record that follows from them.

    `unsealed` holds its one item until the stream is sealed.
    """

    __slots__ = (
        "chunk_count",
        "clock",
        "faults",
        "fold",
        "keep",
        "limits",
        "raw",
        "reader",
        "record",
        "request",
        "seal",
        "unsealed",
    )

    def __init__(
        self,
        request: RequestInfo,
        *,
        clock: Clock,
        limits: Limits,
        dialect: Dialect | None = None,
        keep: Keep = "content",
        keep_raw: bool = False,
    ) -> None:
        self.request = request
        self.clock = clock
        self.limits = limits
        self.reader = PayloadReader(dialect, origin_of=origin_of)
        self.keep: Keep = keep
        self.fold = Fold(Document(retain=keep != "counts"))
        self.raw: list[Json] | None = [] if keep_raw and keep != "counts" else None
        self.chunk_count = 0
        self.faults = 0
        self.seal: Seal | None = None
        self.record: StreamRecord | None = None
        self.unsealed = [True]
        self.note_wanted()

    @property
    def dialect(self) -> Dialect:
        """The dialect, or the opaque one as long as nothing is known."""
        return self.reader.dialect or OPAQUE

    @property
    def provider(self) -> str | None:
        """The provider that the request states, else the class of its payloads, else the dialect."""
        origin = self.reader.origin
        return self.request.provider or (origin and origin.provider) or self.dialect.provider

    @property
    def stream_type(self) -> StreamType:
        """What kind of stream it is: the dialect knows, else the caller said."""
        if self.reader.dialect is None and self.request.stream_type is not None:
            return self.request.stream_type
        return self.dialect.stream_type

    @property
    def finished(self) -> bool:
        """Whether the provider said that it is done."""
        return self.fold.finished(self.stream_type)

    def note_wanted(self) -> None:
        """Tell the fold how many images were asked for, where the request said so."""
        wanted = self.request.params.get("n")
        if isinstance(wanted, int):
            self.fold.document.put(wanted, "images wanted")

    def try_seal(self, outcome: Outcome, error: Mapping[str, Json] | None = None, stamp: int | None = None) -> bool:
        """Seal the stream; True for the one call, of all threads and finalisers, that did it.

        Taking the only item of a list is atomic, so no lock is needed, and a finaliser may call this.
        """
        try:
            self.unsealed.pop()
        except IndexError:
            return False
        self.seal = Seal(outcome, error, stamp)
        return True

    def keep_raw(self, payload: Any) -> None:
        """Keep a copy of a payload, where raw payloads are kept and there is room."""
        if self.raw is not None and len(self.raw) < self.limits.stream_chunks:
            self.raw.append(json_value(payload))

    def check_bounds(self) -> bool:
        """Stop retaining content once there is more of it than one stream may hold; whether that is now."""
        if not self.fold.document.retain or self.fold.document.size <= self.limits.stream_bytes:
            return False
        self.fold.document.stop_retaining()
        return True

    def outcome(self, fold: Fold, *, missing: bool = False) -> Outcome | None:
        """How the stream ended, all told; None while it is in flight."""
        if self.seal is None:
            return None
        if self.seal.outcome in (Outcome.TIMEOUT, Outcome.LIMIT, Outcome.ERROR):
            return self.seal.outcome
        if fold.error is not None:
            return Outcome.ERROR
        if fold.finished(self.stream_type) and not missing:
            return Outcome.COMPLETED
        if self.seal.outcome is Outcome.COMPLETED and (missing or self.dialect.states_finish or self.reader.tail):
            return Outcome.TRUNCATED
        return self.seal.outcome

    def error(self, fold: Fold) -> Mapping[str, Json] | None:
        """What went wrong: the exception that ended the stream, completed by the error that came inside it."""
        told = fold.error
        if self.seal is None or self.seal.error is None:
            return told
        return {**self.seal.error, **{name: value for name, value in (told or {}).items() if value is not None}}

    def build(
        self,
        figures: Mapping[str, Any],
        *,
        fold: Fold | None = None,
        faults: int | None = None,
        missing: tuple[tuple[int, int], ...] = (),
        **counts: Any,
    ) -> StreamRecord:
        """The record, from the fold and the figures of the time. What no record can hold is left out, and counted."""
        fold, faults = fold or self.fold, self.faults if faults is None else faults
        try:
            return self._built(figures, fold, faults, missing, counts)
        except Exception:  # whatever came, or whatever a dialect of the caller's made of it
            return StreamRecord(
                **{"chunk_count": self.chunk_count, **counts},
                request_id=self.request.request_id,
                stream_type=self.stream_type,
                dialect=self.dialect.name,
                outcome=self.outcome(fold, missing=bool(missing)),
                timing=timing(dict(figures), None),
                missing=missing,
                extras={"observation_faults": faults + 1},
            )

    def _built(
        self,
        figures: Mapping[str, Any],
        fold: Fold,
        faults: int,
        missing: tuple[tuple[int, int], ...],
        counts: Mapping[str, Any],
    ) -> StreamRecord:
        meta = dict(fold.document.get("meta") or {})
        content = fold.content(self.dialect, self.stream_type)
        outcome = self.outcome(fold, missing=bool(missing))
        usage = self._usage(fold, outcome)
        error = self.error(fold)
        request, params = self.request, self.request.params
        extras = {**content.pop("extras"), **({"tail": self.reader.tail} if self.reader.tail else {})}
        if self.keep == "counts":
            extras = {name: value for name, value in extras.items() if isinstance(value, int | float)}
            error = None if error is None else {**error, "body": None}
        return StreamRecord(
            **{"chunk_count": self.chunk_count, **counts},
            request_id=request.request_id,
            stream_type=self.stream_type,
            dialect=self.dialect.name,
            outcome=outcome,
            provider=name_of(params.get("provider")) or self.provider,
            requested_model=name_of(params.get("model")),
            conversation_id=request.conversation_id,
            server_address=request.server_address,
            server_port=request.server_port,
            usage=usage,
            timing=self._timing(figures, usage),
            error=None if error is None else ErrorDetails(**error),
            missing=missing,
            params=dict(params),
            attributes=dict(request.attributes),
            extras={**extras, **({"observation_faults": faults} if faults else {})},
            raw=None if self.raw is None else tuple(self.raw),
            response_id=meta.get("response_id"),
            model=meta.get("model"),
            service_tier=meta.get("service_tier"),
            system_fingerprint=meta.get("system_fingerprint"),
            **content,
        )

    @staticmethod
    def _timing(figures: Mapping[str, Any], usage: Usage | None) -> Timing:
        return timing(dict(figures), usage.output_tokens if usage else None)

    def _usage(self, fold: Fold, outcome: Outcome | None) -> Usage | None:
        """What the provider reported, and what can be counted without it: images, and characters of spoken input."""
        report = fold.document.get("usage")
        fields = {**self._counted(fold), **(self.dialect.usage(report) if report else {})}
        if not fields and not report:
            return None
        partial = outcome is not None and outcome is not Outcome.COMPLETED and not fold.finished(self.stream_type)
        return Usage(**fields, partial=partial, raw=report or {})

    def _counted(self, fold: Fold) -> dict[str, Any]:
        document, params = fold.document, self.request.params
        if self.stream_type is StreamType.SPEECH and self.request.characters is not None:
            return {"characters": self.request.characters}
        if self.stream_type is not StreamType.IMAGE or not (whole := images_complete(document)):
            return {}
        described = document.get("image", document.members("images")[0]) or {}
        size, quality = described.get("size") or params.get("size"), described.get("quality") or params.get("quality")
        return {
            "images": whole,
            "image_size": size if isinstance(size, str) else None,
            "image_quality": quality if isinstance(quality, str) else None,
        }
