"""The state of one stream: a folded prefix, chunks held beyond it, their times, and a seal that is set once.

There are two kinds of state, which differ in how they measure time and in nothing else: `KeyedStream` gets chunks with
positions from anywhere, `WrappedStream` gets payloads in the order in which one source is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ..clock import Clock
from ..dialects import OPAQUE, Dialect, PayloadReader, name_of
from ..json_values import Json, json_value, stated
from ..limits import Limits
from ..records import ErrorDetails, Outcome, StreamRecord, StreamType, Timing, Usage
from ..sources import origin_of
from .folding import Answer, Fold, first_image
from .request_info import Keep, RequestInfo
from .timing import timing


class Seal(NamedTuple):
    """How a stream was ended: the outcome for that kind of end, the error, and the time (a stamp)."""

    outcome: Outcome
    error: Mapping[str, Json] | None
    stamp: int | None


class Stream:
    """What both kinds of state share: reader, fold, seal, and the record that follows from them.

    Attributes:
        request: what the caller states of the request.
        reader: makes chunks of payloads.
        fold: the state that the chunks so far made.
        chunk_count: how many chunks were folded.
        faults: how many faults of our own were caught.
        raw: copies of the payloads, where they are kept.
        seal: how the stream ended; None while it is open.
        seal_token: a list that has one item until the stream is sealed.
        record: the record, once it is made.
        stall: nanoseconds above which a wait between two chunks is a stall.
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
        "seal_token",
        "stall",
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
        self.fold = Fold(Answer.empty(keep=keep != "counts"))
        self.raw: list[Json] | None = [] if keep_raw and keep != "counts" else None
        self.chunk_count = 0
        self.faults = 0
        self.seal: Seal | None = None
        self.record: StreamRecord | None = None
        self.seal_token = [True]
        self.stall = round(limits.stall_seconds * 1e9)
        self.set_images_wanted()

    @property
    def dialect(self) -> Dialect:
        """The dialect, or the opaque one as long as it is not known."""
        return self.reader.dialect or OPAQUE

    @property
    def provider(self) -> str | None:
        """The provider that the request states, else the class of its payloads, else the dialect."""
        origin = self.reader.origin
        return self.request.provider or (origin and origin.provider) or self.dialect.provider

    @property
    def stream_type(self) -> StreamType:
        """What kind of stream it is, by its dialect, else as the caller stated."""
        if self.reader.dialect is None and self.request.stream_type is not None:
            return self.request.stream_type
        return self.dialect.stream_type

    @property
    def finished(self) -> bool:
        """Whether the provider stated that it has finished."""
        return self.fold.finished(self.stream_type)

    def set_images_wanted(self) -> None:
        """Set how many images the request asked for, where it states that."""
        wanted = self.request.params.get("n")
        if isinstance(wanted, int):
            self.fold.answer.images_wanted = wanted

    def try_seal(self, outcome: Outcome, error: Mapping[str, Json] | None = None, stamp: int | None = None) -> bool:
        """Seal the stream; True for the one call, of all threads and finalisers, that did it.

        Taking the only item of a list is atomic, so no lock is needed, and a finaliser may call this.
        """
        try:
            self.seal_token.pop()
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
        retention = self.fold.answer.retention
        retention.settle()
        if not retention.keep or retention.kept <= self.limits.stream_bytes:
            return False
        retention.stop()
        return True

    def outcome(self, fold: Fold, *, missing: bool = False) -> Outcome | None:
        """How the stream ended; None while it is in flight.

        A limit, a time-out or an exception of the source decides; then an error inside the stream; then whether the provider
        finished; else the way in which the stream was ended.
        """
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
        reported = fold.error
        if self.seal is None or self.seal.error is None:
            return reported
        return {**self.seal.error, **stated(reported or {})}

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
        except Exception:  # a payload, or a user's dialect, may give values that no record can hold
            return StreamRecord(
                **{"chunk_count": self.chunk_count, **counts},
                request_id=self.request.request_id,
                stream_type=self.stream_type,
                dialect=self.dialect.name,
                outcome=None if self.seal is None else self.seal.outcome,
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
        meta = fold.answer.meta or {}
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
        report = fold.answer.usage
        fields = {**self._counted(fold), **(self.dialect.usage(report) if report else {})}
        if not fields and not report:
            return None
        partial = outcome is not None and outcome is not Outcome.COMPLETED and not fold.finished(self.stream_type)
        return Usage(**fields, partial=partial, raw=report or {})

    def _counted(self, fold: Fold) -> dict[str, Any]:
        answer, params = fold.answer, self.request.params
        if self.stream_type is StreamType.SPEECH and self.request.characters is not None:
            return {"characters": self.request.characters}
        image = first_image(answer)
        if self.stream_type is not StreamType.IMAGE or image is None or not answer.images_complete:
            return {}
        described = image.fields or {}
        size, quality = described.get("size") or params.get("size"), described.get("quality") or params.get("quality")
        return {
            "images": answer.images_complete,
            "image_size": size if isinstance(size, str) else None,
            "image_quality": quality if isinstance(quality, str) else None,
        }
