"""Content that grows while a stream is read: texts and bytes, and the one account of how much content is kept.

Every piece of content of a stream passes through its `Retention`, so the bound on retained content and `keep="counts"` are
decided in one place.
"""

from __future__ import annotations

import binascii
from collections.abc import Callable, Mapping
from io import BytesIO

from ...json_values import Json, merged, size_of

JOIN_AT = 64
"""Pieces of a text that are kept apart before they are joined."""

_MAX_NUMBERS = 64
"""How many fields without a name of their own may have a number while no content is kept."""


class Retention:
    """Whether content of a stream is kept, and how much of it is.

    Attributes:
        keep: whether further content is kept; what was kept before stays either way.
        kept: characters and bytes that are kept, JSON content included.
        dropped: characters and bytes that were counted and not kept.
    """

    __slots__ = ("_sinks", "dropped", "keep", "kept")

    def __init__(self, *, keep: bool = True, dropped: int = 0) -> None:
        self.keep = keep
        self.kept = 0
        self.dropped = dropped
        self._sinks: list[Text] = []

    def stop(self) -> None:
        """Keep no further content. Sinks that were returned before must not be used any more."""
        self.close_sinks()
        self.keep = False

    def opened(self, text: Text) -> None:
        """Register a text whose sink is in use: the next `settle` counts what it writes."""
        self._sinks.append(text)

    def settle(self) -> None:
        """Count and join what the sinks have written; they remain valid."""
        for text in self._sinks:
            text.join()

    def close_sinks(self) -> None:
        """Count and join what the sinks have written; they must not be used any more."""
        if self._sinks:
            for text in self._sinks:
                text.join()
                text.has_sink = False
            self._sinks.clear()

    def swap(self, old: Json, new: Json) -> Json:
        """Count JSON content that takes the place of `old` (None: of nothing); returns `new`."""
        self.kept += (0 if new is None else size_of(new)) - (0 if old is None else size_of(old))
        return new

    def extend(self, known: list[Json] | None, items: list[Json]) -> list[Json] | None:
        """Append items that are content to a list, which is made where there is none yet; returns the list."""
        if self.keep:
            self.kept += size_of(items)
            known = [] if known is None else known
            known.extend(items)
        return known

    def merge(self, known: dict[str, Json], fields: Mapping[str, Json]) -> None:
        """Merge fields that have no name in a record into `known`, deep. They are content, except for numbers.

        Numbers are kept where content is not, up to `_MAX_NUMBERS` fields, because their names take space too.
        """
        for name, value in fields.items():
            mine = known.get(name)
            if value is None or (type(mine) is type(value) and mine == value):
                continue
            if not self.keep and not (isinstance(value, int | float) and (name in known or len(known) < _MAX_NUMBERS)):
                self.dropped += size_of({name: value})
                continue
            before = size_of({name: mine}) if name in known else 0
            known[name] = merged(mine, value) if isinstance(mine, Mapping) and isinstance(value, Mapping) else value
            self.kept += size_of({name: known[name]}) - before


class Text:
    """A text that grows by pieces.

    Pieces are joined geometrically: after `JOIN_AT` pieces they become one block, and a block absorbs the blocks before it
    that are not longer. So no piece stays alive by itself, there are O(log n) blocks, and appending costs O(log n) character
    copies, amortised. `pieces` is one list, replaced in part by one atomic assignment, so `value` may be called from another
    thread than the one that writes.

    Attributes:
        pieces: the blocks, and after them the pieces that are not joined yet.
        size: characters that are kept, as far as they are counted.
        lost: characters that came and were not kept.
        has_sink: whether a sink of this text is in use.
    """

    __slots__ = ("_blocks", "_blocks_size", "has_sink", "lost", "pieces", "retention", "size")

    def __init__(self, retention: Retention) -> None:
        self.retention = retention
        self.pieces: list[str] = []
        self.size = 0
        self.lost = 0
        self.has_sink = False
        self._blocks = 0
        self._blocks_size = 0

    def append(self, piece: str) -> None:
        """Append a piece, or count it where content is not kept."""
        if not self.retention.keep:
            self.lost += len(piece)
            self.retention.dropped += len(piece)
            return
        self.pieces.append(piece)
        self.size += len(piece)
        self.retention.kept += len(piece)
        if len(self.pieces) - self._blocks >= JOIN_AT:
            self.join()

    def sink(self) -> Callable[[str], object]:
        """The cheapest function that appends a piece; valid until the next `Retention.close_sinks`."""
        if not self.retention.keep:
            return self.append
        if not self.has_sink:
            self.has_sink = True
            self.retention.opened(self)
        return self.pieces.append

    def join(self) -> None:
        """Join the pieces that are not joined yet, and count those that a sink has written."""
        pieces, blocks = self.pieces, self._blocks
        if len(pieces) == blocks:
            return
        block = "".join(pieces[blocks:])
        size = self._blocks_size + len(block)
        while blocks and len(pieces[blocks - 1]) <= len(block):
            blocks -= 1
            block = pieces[blocks] + block
        pieces[blocks:] = [block]
        self._blocks, self._blocks_size = blocks + 1, size
        self.retention.kept += size - self.size
        self.size = size

    def replace(self, text: str) -> None:
        """Put `text` in the place of all that came."""
        self.clear()
        self.append(text)

    def clear(self) -> None:
        """Remove what is kept."""
        self.join()
        self.pieces.clear()
        self.retention.kept -= self.size
        self.size = self._blocks = self._blocks_size = 0

    def value(self) -> str:
        """The text as far as it is kept."""
        return "".join(self.pieces)

    def tail(self, start: int) -> str:
        """The kept text from a position on, in time proportional to its length."""
        self.join()
        missing, found = self.size - start, []
        for piece in reversed(self.pieces):
            if missing <= 0:
                break
            found.append(piece[-missing:])
            missing -= len(piece)
        return "".join(reversed(found))


class Data:
    """Bytes that grow by pieces, raw or base64.

    Attributes:
        carry: base64 characters that do not make a whole byte yet.
        lost: bytes that came and were not kept.
    """

    __slots__ = ("_buffer", "carry", "lost", "retention")

    def __init__(self, retention: Retention) -> None:
        self.retention = retention
        self.carry = ""
        self.lost = 0
        self._buffer: BytesIO | None = None

    def append(self, piece: bytes | str) -> None:
        """Append a piece; a `str` is base64, whose pieces need not end at a whole byte.

        Raises:
            ValueError: text that is not base64.
        """
        data = self._decoded(piece) if isinstance(piece, str) else piece
        if not self.retention.keep:
            self.lost += len(data)
            self.retention.dropped += len(data)
        else:
            self.restore(data)

    def restore(self, data: bytes) -> None:
        """Append bytes whether or not content is kept: those of a state that is loaded."""
        if self._buffer is None:
            self._buffer = BytesIO()
        self._buffer.write(data)
        self.retention.kept += len(data)

    def replace(self, piece: bytes | str) -> None:
        """Put a piece in the place of all bytes that came."""
        self.clear()
        self.append(piece)

    def clear(self) -> None:
        """Remove what is kept."""
        self.retention.kept -= self.size
        self._buffer, self.carry = None, ""

    @property
    def size(self) -> int:
        """Bytes that are kept, those of an unfinished piece of base64 not counted."""
        return 0 if self._buffer is None else self._buffer.tell()

    @property
    def whole(self) -> bytes | None:
        """The bytes that are kept and end at a whole piece of base64; None where none were ever kept."""
        return None if self._buffer is None else self._buffer.getvalue()

    def value(self) -> bytes | None:
        """The bytes that are kept; None where none were ever kept."""
        whole = self.whole
        return None if whole is None else whole + _last_bytes(self.carry) if self.carry else whole

    def _decoded(self, text: str) -> bytes:
        """Base64 decoded as far as it makes whole bytes; the rest waits for the next piece."""
        text = self.carry + ("".join(text.split()) if "\n" in text or " " in text else text)
        end = len(text) // 4 * 4
        self.carry = text[end:]
        try:
            return b"".join(map(binascii.a2b_base64, _padded_parts(text[:end])))
        except (binascii.Error, ValueError) as error:
            raise ValueError(f"invalid base64: {error}") from error


def _last_bytes(rest: str) -> bytes:
    """The bytes of base64 that ends without its padding; none where there is not enough for one."""
    try:
        return binascii.a2b_base64(rest + "=" * (-len(rest) % 4))
    except ValueError:
        return b""


def _padded_parts(text: str) -> list[str]:
    """Base64 that was padded in the middle, cut after each padding."""
    parts, start = [], 0
    while (end := text.find("=", start)) >= 0:
        end = (end // 4 + 1) * 4
        parts.append(text[start:end])
        start = end
    parts.append(text[start:])
    return parts
