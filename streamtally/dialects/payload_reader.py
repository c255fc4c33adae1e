"""Makes chunks of whatever a stream yields: bytes → frames → payloads → `Chunk`, one way for every kind of payload.

A payload that cannot be read becomes a chunk with an error. Nothing is raised, and nothing is skipped. As long as the dialect is
not known, payloads wait, see `recognition`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from ..chunks import Chunk, chunk_of_error, joined
from ..errors import FramingError
from ..framing import Done, Framing, Malformed, Payload, SSEDecoder, detect_framing, payloads
from ..json_values import deep_fields, json_value
from .base import Dialect
from .cumulative import declared, overlaid
from .envelopes import Envelope, envelope_of
from .frames import FRAMES, Decoder, of_event
from .origin import UNKNOWN_ORIGIN, ObjectFields, Origin
from .plain import EXTRACT, OPAQUE, opaque_chunk
from .recognition import Unit, Unread, decided, is_in, says_nothing, verdict_on, waiting_form
from .registry import dialect_named, load_dialects
from .unreadable import is_whole, undecodable, unreadable

_BLANK = 4096
_END = Chunk(terminal=True)
_MAX_NESTING = 8
"""How deep payloads may be wrapped in each other."""

Stamped: TypeAlias = tuple[Chunk, int]
"""A chunk, and the stamp with which its payload came."""


def _unknown_origin(payload: Any) -> Origin:  # noqa: ARG001 - the signature of `origin_of`
    return UNKNOWN_ORIGIN


class PayloadReader:
    """Reads the payloads of one stream in one dialect; without one the payloads themselves decide, in their order.

    A payload may be an SDK's object, a mapping, a `Chunk`, JSON text, `"[DONE]"`, the text of server-sent events, or bytes
    in pieces of any size, or a list of these.

    Attributes:
        dialect: the dialect; None as long as it is not known.
        is_named: whether the caller, or a class, states the dialect, and not the payloads.
        provider: the provider that the first payload of a known class states.
        tail: the incomplete last frame of a body that was cut short.
        faults: how many extractors raised.
        cumulative: whether texts and calls are all that came so far, where the caller or the class of the payloads states that.
        mappings: how mappings are read that no dialect reads as they are, where the stream's SDK states that.
        waiting: the payloads that wait until the dialect is known, each with its stamp.

    Args:
        dialect: the dialect of all payloads, if it is known.
        is_named: whether a dialect that is given was stated, and not decided from payloads.
        origin_of: what the class of a payload states.
        extract: how the caller wants items to be read, whatever their class.
    """

    __slots__ = (
        "_broken",
        "_class",
        "_class_origin",
        "_decoder",
        "_envelope",
        "_extract",
        "_origin_of",
        "_payloads_of",
        "_start",
        "cumulative",
        "dialect",
        "faults",
        "is_named",
        "mappings",
        "provider",
        "tail",
        "waiting",
    )

    def __init__(
        self,
        dialect: Dialect | None = None,
        *,
        is_named: bool = True,
        origin_of: Callable[[Any], Origin] = _unknown_origin,
        extract: Origin | None = None,
    ) -> None:
        if dialect is None:
            load_dialects()
        self.dialect = dialect
        self.is_named = is_named and dialect is not None
        self.provider: str | None = None
        self.tail = ""
        self.faults = 0
        self.waiting: list[tuple[Unread, int]] = []
        self.mappings: Origin | None = None
        self._origin_of = origin_of
        self._class: type | None = None
        self._class_origin = UNKNOWN_ORIGIN
        self._extract = extract
        self.cumulative: bool | None = None if extract is None else extract.cumulative
        self._envelope: Envelope | None = None
        self._decoder: Decoder | None = None
        self._payloads_of: Callable[[Any], list[Payload]] = payloads
        self._start = b""
        self._broken = False

    def name(self, dialect: Dialect) -> None:
        """Set the dialect that a caller or a class states."""
        self.dialect, self.is_named = dialect, True

    def set_extract(self, extract: Origin) -> None:
        """Read items as the caller states from here on, whatever their class."""
        self._extract, self.cumulative = extract, extract.cumulative

    @property
    def is_decided(self) -> bool:
        """Whether payloads are read as they come."""
        return self.dialect is not None and self.dialect is not EXTRACT

    def takes_fast_path(self, payload: Any) -> bool:
        """Whether objects of this class are read by the dialect alone, as they are."""
        return self._extract is None and self._envelope is None and self._origin(payload).reads_fields

    def read(self, payload: Any) -> list[Chunk]:
        """The chunks that a payload completes: one, or of bytes and text, and while the dialect is unknown, any number."""
        return [chunk for chunk, _ in self.read_at(payload, 0)]

    def read_at(self, payload: Any, stamp: int) -> Iterable[Stamped]:
        """`read` of a payload that came at `stamp`: each chunk with the stamp of its own payload, which may have waited."""
        if type(payload) is dict and self.is_decided and not (self._extract or self._envelope or self.mappings):
            return ((self._chunk(payload), stamp),)
        return self._stamped(self._units(payload), stamp)

    def unit(self, payload: Any) -> Chunk | Unread:
        """One chunk of a payload that is complete: its bytes do not continue earlier ones, and are not continued."""
        if isinstance(payload, bytes | bytearray | memoryview):
            whole = PayloadReader(self.dialect)
            units = [*whole._units(payload), *whole._last_units()]
        else:
            units = self._units(payload)
        if self.dialect is not None or all(isinstance(one, Chunk) for one in units):
            return joined(chunk for one in units for chunk in self._chunks(one))
        return Unread(map(waiting_form, units))

    def wait(self, unread: Unread, stamp: int) -> Iterable[Stamped]:
        """Let payloads wait for the dialect; returns what they decide, as `read_at`."""
        self.waiting.append((unread, stamp))
        return self.released()

    def chunk_of(self, unread: Unread) -> Chunk:
        """The chunk of payloads that waited. The dialect is known now."""
        return joined(chunk for one in unread.payloads for chunk in self._chunks(one))

    def end(self) -> list[Chunk]:
        """The chunks that are complete at the end of the bytes. An incomplete frame stays in `tail`."""
        return [chunk for chunk, _ in self.end_at(0)]

    def end_at(self, stamp: int) -> Iterable[Stamped]:
        """`end`, as `read_at`: payloads that still wait are opaque."""
        found = self._stamped(self._last_units(), stamp)
        return [*found, *self.released(ended=True)]

    def provisional(self) -> tuple[Dialect, list[Stamped]]:
        """What a record in flight has of the payloads that wait: the dialect, and their chunks, as if no more of them came."""
        dialect = decided((unread for unread, _ in self.waiting), ended=True) or OPAQUE
        reader = PayloadReader(dialect, is_named=False)
        return dialect, [(reader.chunk_of(unread), stamp) for unread, stamp in self.waiting]

    def _stamped(self, units: list[Unit], stamp: int) -> list[Stamped]:
        """The chunks of complete payloads, as far as the dialect is known; else they wait."""
        found: list[Stamped] = []
        for unit in units:
            if not self.waiting and (self.is_decided or self._decides(unit)):
                found.append((self._chunk(unit), stamp))
            else:
                self.waiting.append((Unread([waiting_form(unit)]), stamp))
                found += self.released()
        return found

    def _decides(self, unit: Unit) -> bool:
        """Whether a payload is read without a dialect, or decides for one, which is set."""
        if isinstance(unit, Chunk):
            return True
        verdict = verdict_on(unit)
        if verdict is not None and verdict.decides:
            self.dialect = verdict.dialect
        return self.dialect is not None

    def released(self, *, ended: bool = False) -> list[Stamped]:
        """The chunks of all payloads that waited, if the dialect is known, or these decide for one."""
        if not self.waiting:
            return []
        self.dialect = self.dialect or decided((unread for unread, _ in self.waiting), ended=ended)
        if self.dialect is None:
            return []
        waiting, self.waiting = self.waiting, []
        return [(chunk, stamp) for unread, stamp in waiting for one in unread.payloads for chunk in self._chunks(one)]

    def _units(self, payload: Any, depth: int = 0) -> list[Unit]:
        """The complete payloads in what a stream yielded, each a `Chunk` already where no dialect is needed to read it."""
        if type(payload) is dict:
            return self._of_mapping(payload, depth)
        if isinstance(payload, bytes | bytearray | memoryview):
            return self._read_bytes(bytes(payload))
        if isinstance(payload, str) and (type(payload) is str or not self._origin(payload).is_known):
            return self._read_text(payload)
        if payload is None:
            return []
        if type(payload) in (list, tuple) and depth < _MAX_NESTING:
            inside = self._enveloped(payload, depth)
            if inside is not None:
                return inside
            found = [unit for item in payload for unit in self._units(item, depth + 1)]
            return [joined(found)] if len(found) > 1 and all(isinstance(one, Chunk) for one in found) else found
        try:
            return self._of_object(payload, depth)
        except Exception as error:  # a payload may be any object, and no fault may reach the caller
            return [unreadable(error, payload)]

    def _of_object(self, payload: Any, depth: int) -> list[Unit]:
        """The payloads of an object: of what it wraps, or extracted as the caller or its class states, or its fields."""
        if isinstance(payload, Chunk):
            return [payload]
        if isinstance(payload, Done):
            return [_END]
        if isinstance(payload, Malformed):
            return [undecodable(payload)]
        origin = self._origin(payload)
        own = None if self._extract is None or depth else self._read_by(self._extract, payload, depth)
        found = self._read_by(origin, payload, depth) if own is None else own
        if found is not None:
            return found
        if isinstance(payload, Mapping):
            return self._of_mapping(payload, depth, extract=False)
        fields = origin.fields_of(payload)
        if fields is None:
            return [payload if self.is_decided else ObjectFields(payload=json_value(payload))]
        return [fields if origin.is_known or self.is_decided else ObjectFields(fields)]

    def _origin(self, payload: Any) -> Origin:
        """What the class of a payload states. What it states of the stream is set."""
        kind = type(payload)
        if kind is not self._class:
            origin = self._origin_of(payload)
            self._class, self._class_origin = kind, origin
            self.provider = self.provider or origin.provider
            if self.dialect is None and origin.dialect is not None:
                self.name(dialect_named(origin.dialect))
            self.cumulative = origin.cumulative if self.cumulative is None else self.cumulative
        return self._class_origin

    def _of_mapping(self, payload: Mapping[str, Any], depth: int, *, extract: bool = True) -> list[Unit]:
        """The payload of a mapping: extracted as the caller states, or what its envelope holds, or itself."""
        if extract and self._extract is not None and not depth:
            found = self._read_by(self._extract, payload, depth)
            if found is not None:
                return found
        if self.mappings is not None and not depth:
            found = self._read_by(self.mappings, payload, depth)
            if found is not None:
                return found
        inside = self._enveloped(payload, depth)
        return [payload] if inside is None else inside

    def _enveloped(self, payload: Any, depth: int) -> list[Unit] | None:
        """The payloads that an envelope holds; None if this is no envelope."""
        envelope = self._envelope or (None if self.is_decided else envelope_of(payload))
        if envelope is None or depth >= _MAX_NESTING or not envelope.recognises(payload):
            return None
        self._envelope = envelope
        return self._units(envelope.unwrap(payload), depth + 1)

    def _read_by(self, origin: Origin, payload: Any, depth: int) -> list[Unit] | None:
        """The payloads as an extractor reads them; None where it reads nothing of this item."""
        if origin.unwrap is not None and depth < _MAX_NESTING:
            try:
                inner = origin.unwrap(payload)
            except Exception:  # a user's function
                self.faults += 1
                inner = None
            if inner is not None and inner is not payload:
                return self._units(inner, depth + 1)
        if origin.extract is None:
            return None
        found = origin.extract(payload)
        self.faults += found.faults
        if self.dialect is None and any(found.chunk):
            self.dialect = EXTRACT
        elif origin is self._extract and self.is_decided:
            fields = payload if isinstance(payload, Mapping) else deep_fields(payload)
            return [found.chunk if fields is None else overlaid(self._chunk(fields), found.chunk)]
        return [found.chunk]

    def _read_bytes(self, data: bytes | None) -> list[Unit]:
        """The payloads that these bytes complete; None at the end of the bytes."""
        if self._decoder is None:
            data = self._start_of_body(data)
        try:
            return [] if self._decoder is None or not data else self._decoded(self._decoder.feed(data))
        except FramingError as error:
            return self._framing_error(error)

    def _framing_error(self, error: FramingError) -> list[Chunk]:
        """The chunk of a framing error, once: nothing can be read after it."""
        known, self._broken = self._broken, True
        return [] if known else [chunk_of_error("framing_error", str(error))]

    def _start_of_body(self, data: bytes | None) -> bytes:
        """Detects the framing: returns the beginning of the body once it is detected, empty before that."""
        self._start += data or b""
        framing = self._framing(last=data is None)
        if framing is None:
            # Audio may begin with bytes that are blanks, but a stream may send blanks to keep alive without limit.
            self._start = self._start if self._start.strip() else self._start[:_BLANK]
            return b""
        frames = FRAMES[framing]
        self._decoder, self._payloads_of = frames.decoder(), frames.payloads
        body, self._start = self._start, b""
        return body if framing in ("text", "bytes") else body.lstrip()

    def _framing(self, *, last: bool) -> Framing | None:
        wanted = None if self.dialect is None else self.dialect.framing
        if wanted == "text" or wanted == "bytes":
            return wanted
        found = detect_framing(self._start, last=last, frames_only=wanted == "events")
        # If only events or audio are possible, text is a body of events without any: an unparsed rest.
        return "sse" if found == "text" and wanted else found

    def _last_units(self) -> list[Unit]:
        """The payloads that are complete at the end of the bytes."""
        units = self._read_bytes(None)
        try:
            return [*units, *self._rest()]
        except FramingError as error:
            return [*units, *self._framing_error(error)]

    def _rest(self) -> list[Unit]:
        """The payload of the last frame, if it is complete."""
        if self._decoder is None:
            return []
        rest = self._decoded(self._decoder.flush())
        whole = [one for one in rest if is_whole(one)]
        if not whole or len(whole) < len(rest):
            self.tail = self._decoder.tail
        return whole

    def _decoded(self, frames: Iterable[Any]) -> list[Unit]:
        return [unit for frame in frames for payload in self._payloads_of(frame) for unit in self._formed(payload)]

    def _formed(self, payload: Payload) -> list[Unit]:
        """A payload of the framing, in its envelope or not; null is none."""
        if payload is None:
            return []
        if isinstance(payload, Done):
            return [_END]
        if isinstance(payload, Malformed):
            return [undecodable(payload)]
        return self._of_mapping(payload, 0) if isinstance(payload, dict) else [payload]

    def _read_text(self, text: str) -> list[Unit]:
        start = text.lstrip()
        if self.dialect is None and not start.startswith(("{", "[DONE]", "data:", "event:")):
            return [text]
        if self.dialect is not None and (self.dialect.framing == "text" or self.dialect is OPAQUE):
            return [text]
        if not start.startswith(("data:", "event:", "id:", "retry:", ":")):
            return [unit for payload in payloads(text) for unit in self._formed(payload)]
        decoder = SSEDecoder()
        events = [*decoder.feed(text.encode("utf-8", "surrogatepass")), *decoder.flush()]
        return [unit for event in events for payload in of_event(event) for unit in self._formed(payload)]

    def _chunks(self, unit: Unit) -> list[Chunk]:
        """The chunks of a payload that waited: text may turn out to be JSON, or nothing, and what is not in the dialect after all
        is kept as it is."""
        if isinstance(unit, Mapping) and not (self.is_named or self.dialect is None or is_in(self.dialect, unit)):
            return [Chunk() if says_nothing(unit) else opaque_chunk(unit)]
        if not isinstance(unit, str) or self._reads_text:
            return [self._chunk(unit)]
        return [self._chunk(one) for payload in payloads(unit) for one in self._formed(payload)]

    @property
    def _reads_text(self) -> bool:
        return self.dialect is None or self.dialect.framing == "text" or self.dialect in (OPAQUE, EXTRACT)

    def _chunk(self, unit: Unit) -> Chunk:
        """The chunk of one complete payload."""
        if isinstance(unit, Chunk):
            return unit
        dialect = self.dialect or OPAQUE
        try:
            if not (isinstance(unit, Mapping | str | bytes) or self._reads_text):
                return unreadable(f"a {type(unit).__name__} is no chunk", unit)
            chunk = dialect.chunk(unit)
        except Exception as error:  # as in `_units`
            return unreadable(error, unit)
        return chunk if self.cumulative is None else declared(chunk, self.cumulative)
