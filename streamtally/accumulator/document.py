"""What a stream has said so far: text, bytes and values, each at an address.

Every fold writes to one of these and keeps nothing of its own, so that size, retention, copying and the form in which a
state travels to another process are solved once, here.
"""

from __future__ import annotations

import base64
import binascii
import copy
from collections.abc import Callable, Mapping
from io import BytesIO, StringIO
from typing import Any

from ..json_values import Json, merged, size_of

Address = tuple[str | int, ...]

_MAX_NUMBERS = 64
"""How many fields without a name of their own may have a number while no content is kept."""


class Discard:
    """Takes what there is no room for, and counts it. Stands in for a `StringIO` or `BytesIO`."""

    __slots__ = ("size",)

    def __init__(self) -> None:
        self.size = 0

    def write(self, piece: str | bytes) -> int:
        """Count a piece and forget it."""
        self.size += len(piece)
        return len(piece)


class Document:
    """Text, bytes and JSON values by address.

    Appending is O(1) amortised: text goes to a `StringIO`, bytes to a `BytesIO`, list items to a list.
    With `retain` False, and from the moment that `stop_retaining` is called, content is counted and forgotten.
    """

    __slots__ = ("_discards", "blobs", "listed", "retain", "sets", "texts", "values")

    def __init__(self, *, retain: bool = True) -> None:
        self.texts: dict[Address, StringIO] = {}
        self.blobs: dict[Address, BytesIO] = {}
        self.values: dict[Address, Json] = {}
        self.sets: dict[Address, dict[Any, None]] = {}
        self.listed = 0
        self.retain = retain
        self._discards: dict[Address, Discard] = {}

    def text_writer(self, *address: str | int) -> Callable[[str], int]:
        """The function that appends a text at `address`; valid until `stop_retaining`."""
        if not self.retain:
            return self._discard(address).write
        buffer = self.texts.get(address)
        if buffer is None:
            buffer = self.texts[address] = StringIO(newline="")
        return buffer.write

    def append_text(self, text: str, *address: str | int) -> None:
        """Append a text at `address`."""
        self.text_writer(*address)(text)

    def append_bytes(self, data: bytes | str, *address: str | int) -> None:
        """Append bytes at `address`; a `str` is base64, whose pieces need not end at a whole byte.

        Raises:
            ValueError: text that is not base64.
        """
        if isinstance(data, str):
            data = self._decoded(data, ("base64", *address))
        if not self.retain:
            self._discard(address).write(data)
            return
        buffer = self.blobs.get(address)
        if buffer is None:
            buffer = self.blobs[address] = BytesIO()
        buffer.write(data)

    def _decoded(self, text: str, carry: Address) -> bytes:
        """Base64 decoded as far as it makes whole bytes; what is left over waits for the next piece."""
        text = self.values.pop(carry, "") + ("".join(text.split()) if "\n" in text or " " in text else text)
        whole = len(text) // 4 * 4
        if whole < len(text):
            self.values[carry] = text[whole:]
        try:
            return b"".join(map(binascii.a2b_base64, _padded_parts(text[:whole])))
        except (binascii.Error, ValueError) as error:
            raise ValueError(f"invalid base64: {error}") from error

    def text(self, *address: str | int) -> str | None:
        """The text at `address`, None where none was ever written."""
        buffer = self.texts.get(address)
        if buffer is not None:
            return buffer.getvalue()
        return "" if address in self._discards else None

    def data(self, *address: str | int) -> bytes | None:
        """The bytes at `address`, None where none are kept."""
        buffer = self.blobs.get(address)
        if buffer is None:
            return None
        return buffer.getvalue() + _last_bytes(self.values.get(("base64", *address), ""))

    def data_size(self, *address: str | int) -> int:
        """How many bytes came at `address`, kept or not."""
        kept, gone = self.data(*address), self._discards.get(address)
        return (len(kept) if kept else 0) + (gone.size if gone else 0)

    def has_text(self, *address: str | int) -> bool:
        """Whether any text, kept or not, came at `address`."""
        return address in self.texts or address in self._discards

    def replace_text(self, text: str, *address: str | int) -> None:
        """Put `text` in the place of all that came at `address`."""
        self.texts.pop(address, None)
        self.append_text(text, *address)

    def replace_data(self, data: bytes | str, *address: str | int) -> None:
        """Put `data` in the place of all bytes that came at `address`."""
        self.blobs.pop(address, None)
        self.values.pop(("base64", *address), None)
        self.append_bytes(data, *address)

    def put(self, value: Json, *address: str | int) -> None:
        """Set the value at `address`; None never overwrites."""
        if value is not None:
            self.values[address] = value

    def get(self, *address: str | int) -> Json:
        """The value at `address`, or None."""
        return self.values.get(address)

    def push(self, items: list[Json], *address: str | int) -> None:
        """Append to the list at `address`; the items are content."""
        if self.retain:
            self.listed += size_of(items)
            self.values.setdefault(address, []).extend(items)

    def put_content(self, value: Json, *address: str | int) -> None:
        """Set the value at `address`, which is content."""
        self.listed += size_of(value)
        self.put(value, *address)

    def merge(self, fields: Mapping[str, Json], *address: str | int) -> None:
        """Merge fields that have no name in a record, deep: they are content, but for numbers, which say how a stream stands.

        Numbers are kept where nothing else is, up to `_MAX_NUMBERS` fields: their names take room too.
        """
        known = self.values.setdefault(address, {})
        for name, value in fields.items():
            mine = known.get(name)
            if value is None or (type(mine) is type(value) and mine == value):
                continue
            if not self.retain and not (isinstance(value, int | float) and (name in known or len(known) < _MAX_NUMBERS)):
                self._discard(address).size += size_of({name: value})
                continue
            known[name] = merged(mine, value) if isinstance(mine, Mapping) and isinstance(value, Mapping) else value
            self.listed += size_of({name: known[name]}) - (0 if mine is None else size_of({name: mine}))

    def lost(self, *address: str | int) -> bool:
        """Whether some of the text at `address` was forgotten."""
        discard = self._discards.get(address)
        return discard is not None and discard.size > 0

    def text_from(self, start: int, *address: str | int) -> str:
        """The kept text at `address` from a position on; takes time in proportion to what it gives."""
        buffer = self.texts.get(address)
        if buffer is None:
            return ""
        buffer.seek(start)
        return buffer.read()  # which leaves the buffer at its end, where the next piece belongs

    def note(self, item: str | int, *address: str | int) -> None:
        """Add `item` to the ordered set at `address`."""
        known = self.sets.get(address)
        if known is None:
            known = self.sets[address] = {}
        known[item] = None

    def forget(self, item: str | int, *address: str | int) -> None:
        """Take `item` out of the ordered set at `address`, if it is there."""
        self.sets.get(address, {}).pop(item, None)

    def first(self, *address: str | int) -> Any:
        """The oldest item of the ordered set at `address`, or None."""
        return next(iter(self.sets.get(address, ())), None)

    def members(self, *address: str | int) -> tuple[Any, ...]:
        """The items of the ordered set at `address`, in order of first appearance."""
        return tuple(self.sets.get(address, ()))

    def count(self, *address: str | int) -> int:
        """How many items the ordered set at `address` has."""
        return len(self.sets.get(address, ()))

    def __len__(self) -> int:
        """How many addresses hold text or bytes."""
        return len(self.texts) + len(self.blobs)

    @property
    def size(self) -> int:
        """Characters and bytes that are kept, those of lists and items included; takes time in proportion to `len`."""
        texts = sum(buffer.tell() for buffer in self.texts.values())
        return texts + sum(buffer.tell() for buffer in self.blobs.values()) + self.listed

    def lose(self, size: int, *address: str | int) -> None:
        """Count content that was forgotten."""
        self._discard(address).size += size

    @property
    def losses(self) -> dict[Address, int]:
        """How much was forgotten at each address."""
        return {address: discard.size for address, discard in self._discards.items()}

    @property
    def dropped(self) -> int:
        """Characters and bytes that were counted and forgotten."""
        return sum(discard.size for discard in self._discards.values())

    def stop_retaining(self) -> None:
        """From here on keep no further content; what is there stays."""
        self.retain = False

    def copy(self) -> Document:
        """An independent copy."""
        return Document.load(self.dump())

    def dump(self) -> Json:
        """The whole as JSON values that share nothing with it."""
        return {
            "texts": [[address, buffer.getvalue()] for address, buffer in self.texts.items()],
            "blobs": [[address, base64.b64encode(buffer.getvalue()).decode()] for address, buffer in self.blobs.items()],
            "values": [[address, copy.deepcopy(value)] for address, value in self.values.items()],
            "sets": [[address, list(items)] for address, items in self.sets.items()],
            "discards": [[address, discard.size] for address, discard in self._discards.items()],
            "listed": self.listed,
            "retain": self.retain,
        }

    @classmethod
    def load(cls, dumped: Json) -> Document:
        """The document that `dump` described."""
        document = cls()
        for address, text in dumped["texts"]:
            document.append_text(text, *address)
        for address, data in dumped["blobs"]:
            document.append_bytes(base64.b64decode(data), *address)
        document.values = {tuple(address): value for address, value in dumped["values"]}
        document.sets = {tuple(address): dict.fromkeys(items) for address, items in dumped["sets"]}
        for address, size in dumped["discards"]:
            document._discard(tuple(address)).size = size
        document.listed, document.retain = dumped["listed"], dumped["retain"]
        return document

    def _discard(self, address: Address) -> Discard:
        discard = self._discards.get(address)
        if discard is None:
            discard = self._discards[address] = Discard()
        return discard


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
