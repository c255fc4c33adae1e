"""Wire formats: each dialect makes a `Chunk` of a payload, and documents its terminal rule and its usage rule."""

from ..json_readers import name_of
from .base import Dialect, FastPath, Item, ItemRules, TextSinks, named_usage
from .charges import ChargeRules, Served, SubCall
from .payload_reader import Origin, PayloadReader
from .plain import OPAQUE, RAW_AUDIO, TEXT
from .registry import dialect_named, dialect_names, known_dialect, register_dialect

__all__ = [
    "OPAQUE",
    "RAW_AUDIO",
    "TEXT",
    "ChargeRules",
    "Dialect",
    "FastPath",
    "Item",
    "ItemRules",
    "Origin",
    "PayloadReader",
    "Served",
    "SubCall",
    "TextSinks",
    "dialect_named",
    "dialect_names",
    "known_dialect",
    "name_of",
    "named_usage",
    "register_dialect",
]
