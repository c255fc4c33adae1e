"""The state of one stream: a folded prefix, chunks held beyond it, their times, and a seal that is set once.

There are two kinds of state, which differ in how they measure time and in nothing else: `KeyedStream` gets chunks with
positions from anywhere, `WrappedStream` gets payloads in the order in which one source is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ..clock import Clock
from ..dialects import EXTRACT, OPAQUE, Dialect, Origin, PayloadReader, name_of
from ..json_values import Json, json_value, stated
from ..limits import Limits
from ..records import Choice, ErrorDetails, Outcome, Part, StreamRecord, StreamType, Timing, Usage
from ..sources import origin_of
from .folding import Answer, Fold, first_image
from .parts import part_of, total_usage, usage_of
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

    def __init__(  # noqa: PLR0913 - options, each by its name
        self,
        request: RequestInfo,
        *,
        clock: Clock,
        limits: Limits,
        dialect: Dialect | None = None,
        keep: Keep = "content",
        keep_raw: bool = False,
        extract: Origin | None = None,
    ) -> None:
        self.request = request
        self.clock = clock
        self.limits = limits
        self.reader = PayloadReader(dialect, origin_of=origin_of, extract=extract)
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
    def all_faults(self) -> int:
        """How many faults of ours, and of extractors, were caught."""
        return self.faults + self.reader.faults

    @property
    def stream_type(self) -> StreamType:
        """What kind of stream it is, by its dialect, else as the caller stated."""
        return self._type_in(self.dialect)

    def _type_in(self, dialect: Dialect) -> StreamType:
        if dialect in (OPAQUE, EXTRACT) and self.request.stream_type is not None:
            return self.request.stream_type
        return dialect.stream_type

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

    def outcome(
        self, fold: Fold, dialect: Dialect, *, missing: bool = False, stated_end: Outcome | None = None
    ) -> Outcome | None:
        """How the stream ended; None while it is in flight.

        A limit, a time-out or an exception of the source decides; then an error inside the stream, or a finish reason that states
        failure or cancellation (`stated_end`); then whether the provider finished; else the way in which the stream was ended.
        """
        if self.seal is None:
            return None
        if self.seal.outcome in (Outcome.TIMEOUT, Outcome.LIMIT, Outcome.ERROR):
            return self.seal.outcome
        recovered = dialect.sessions and fold.finished(self._type_in(dialect))  # a session goes on after an error
        if stated_end is Outcome.ERROR or (fold.error is not None and not recovered):
            return Outcome.ERROR
        if stated_end is not None and not missing:
            return stated_end
        if fold.finished(self._type_in(dialect)) and not missing:
            return Outcome.COMPLETED
        unfinished = dialect.states_finish and not (dialect.sessions and fold.is_empty)
        if self.seal.outcome is Outcome.COMPLETED and (missing or unfinished or self.reader.tail):
            return Outcome.TRUNCATED
        return self.seal.outcome

    def error(self, fold: Fold, failure: str | None) -> Mapping[str, Json] | None:
        """What went wrong: the exception that ended the stream, completed by the error that came inside, or the finish reason."""
        reported = fold.error
        if reported is None and failure is not None:
            reported = {"type": failure}
        if self.seal is None or self.seal.error is None:
            return reported
        return {**self.seal.error, **stated(reported or {})}

    def build(
        self,
        figures: Mapping[str, Any],
        *,
        fold: Fold | None = None,
        dialect: Dialect | None = None,
        faults: int | None = None,
        missing: tuple[tuple[int, int], ...] = (),
        **counts: Any,
    ) -> StreamRecord:
        """The record, from the fold and the figures of the time. What no record can hold is left out, and counted."""
        fold, dialect = fold or self.fold, dialect or self.dialect
        faults = self.all_faults if faults is None else faults + self.reader.faults
        try:
            return self._built(figures, fold, dialect, faults, missing, counts)
        except Exception:  # a payload, or a user's dialect, may give values that no record can hold
            return StreamRecord(
                **{"chunk_count": self.chunk_count, **counts},
                request_id=self.request.request_id,
                stream_type=self._type_in(dialect),
                dialect=dialect.name,
                outcome=None if self.seal is None else self.seal.outcome,
                timing=timing(dict(figures), None),
                missing=missing,
                extras={"observation_faults": faults + 1},
            )

    def _built(
        self,
        figures: Mapping[str, Any],
        fold: Fold,
        dialect: Dialect,
        faults: int,
        missing: tuple[tuple[int, int], ...],
        counts: Mapping[str, Any],
    ) -> StreamRecord:
        request, params, meta = self.request, self.request.params, fold.answer.meta or {}
        stream_type = self._type_in(dialect)
        found = fold.contents(dialect, stream_type)
        content = fold.content(found)
        choices: tuple[Choice, ...] = found[-1]["choices"]
        failure = _failure(choices, dialect)
        stated_end = Outcome.ERROR if failure is not None else Outcome.CANCELLED if _is_cancelled(choices, dialect) else None
        outcome = self.outcome(fold, dialect, missing=bool(missing), stated_end=stated_end)
        provider = name_of(params.get("provider")) or request.provider or self.reader.provider or meta.get("provider")
        model = name_of(params.get("model"))
        usages = [usage_of(answer, dialect, model, provider) for answer in fold.answers]
        usage = self._usage(usages, fold, stream_type, outcome)
        error = self.error(fold, failure)
        extras = {**content.pop("extras"), **({"tail": self.reader.tail} if self.reader.tail else {})}
        if self.keep == "counts":
            extras = {name: value for name, value in extras.items() if isinstance(value, int | float)}
            error = None if error is None else {**error, "body": None}
        return StreamRecord(
            **{"chunk_count": self.chunk_count, **counts},
            request_id=request.request_id,
            stream_type=stream_type,
            dialect=dialect.name,
            outcome=outcome,
            provider=provider or dialect.provider,
            requested_model=model,
            conversation_id=request.conversation_id,
            server_address=request.server_address,
            server_port=request.server_port,
            usage=usage,
            parts=self._parts(fold, usages, found),
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

    @staticmethod
    def _parts(fold: Fold, usages: list[Usage | None], found: list[dict[str, Any]]) -> tuple[Part, ...]:
        """An entry for each answer, where there are several."""
        if len(usages) == 1:
            return ()
        return tuple(
            part_of(answer, usage, one["choices"]) for answer, usage, one in zip(fold.answers, usages, found, strict=True)
        )

    def _usage(self, usages: list[Usage | None], fold: Fold, stream_type: StreamType, outcome: Outcome | None) -> Usage | None:
        """What the provider reported for all answers, and what can be counted without it: images, characters of spoken input."""
        counted = self._counted(fold, stream_type)
        usage = usages[0] if len(usages) == 1 else total_usage(usages)
        partial = outcome is not None and outcome is not Outcome.COMPLETED and not fold.finished(stream_type)
        if usage is None:
            return Usage(**counted, partial=partial) if counted else None
        missing = {name: value for name, value in counted.items() if getattr(usage, name) is None}
        return usage.model_copy(update={**missing, "partial": partial or usage.partial}) if missing or partial else usage

    def _counted(self, fold: Fold, stream_type: StreamType) -> dict[str, Any]:
        answer, params = fold.answer, self.request.params
        if stream_type is StreamType.SPEECH and self.request.characters is not None:
            return {"characters": self.request.characters}
        image = first_image(answer)
        if stream_type is not StreamType.IMAGE or image is None or not answer.images_complete:
            return {}
        described = image.fields or {}
        size, quality = described.get("size") or params.get("size"), described.get("quality") or params.get("quality")
        return {
            "images": answer.images_complete,
            "image_size": size if isinstance(size, str) else None,
            "image_quality": quality if isinstance(quality, str) else None,
        }


def _failure(choices: Iterable[Choice], dialect: Dialect) -> str | None:
    """The provider's word of a finish reason that means failure, or None.

    A gateway may translate its provider's failure to a stop: then the choice has nothing but the provider's own word.
    """
    for choice in choices:
        if choice.finish_reason == "error":
            return str(choice.finish_reason_raw)
        native = name_of(choice.extras.get("native_finish_reason"))
        if native and dialect.finish_reasons.get(native.lower()) == "error" and not (choice.text or choice.tool_calls):
            return native
    return None


def _is_cancelled(choices: Iterable[Choice], dialect: Dialect) -> bool:
    """Whether the provider stated that the answer was cancelled."""
    words = (choice.finish_reason_raw for choice in choices)
    return any(isinstance(word, str) and dialect.finish_reasons.get(word.lower()) == "cancelled" for word in words)
