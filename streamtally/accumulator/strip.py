"""A state that came from where content is kept, brought to where none is."""

from __future__ import annotations

from collections.abc import Mapping

from ..json_values import Json, size_of
from .document import Address, Document
from .items import skeleton
from .media import DESCRIBING

_STATED = (("meta",), ("usage",))
"""Values that hold no content."""


def strip(document: Document) -> Document:
    """The same document as if nothing of its content had ever been kept: sizes, counts, names and the finish stay."""
    bare = Document(retain=False)
    for address, text in document.texts.items():
        bare.text_writer(*address)(text.getvalue())
    for address, blob in document.blobs.items():
        bare.append_bytes(blob.getvalue(), *address)
    for address, value in document.values.items():
        kept = _kept(address, value)
        if kept is not None:
            bare.values[address] = kept
        if kept != value:
            bare.lose(size_of(value) - size_of(kept), *address)
    bare.sets = {address: items for address, items in document.sets.items() if address[-1] != "details"}
    for address, size in document.losses.items():
        bare.lose(size, *address)
    return bare


def _kept(address: Address, value: Json) -> Json:
    if address in _STATED:
        return value
    if isinstance(value, Mapping):
        return _kept_fields(address, value)
    if address == ("final items",):
        return [skeleton(item) for item in value]
    if isinstance(value, list) and address[-1] != "scan":
        return None
    return None if address[0] == "base64" or address[-1] == "value" else value


def _kept_fields(address: Address, fields: Mapping[str, Json]) -> Json:
    if address == ("error",):
        return {name: value for name, value in fields.items() if name != "body"}
    if address[0] == "item":
        return skeleton(fields)
    if "detail" in address:
        return None
    return {name: value for name, value in fields.items() if isinstance(value, int | float) or name in DESCRIBING}
