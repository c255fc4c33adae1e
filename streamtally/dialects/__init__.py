"""Wire formats: each dialect turns a payload into a `Chunk`, and states its terminal rule and its usage rule."""

from ..json_readers import name_of
from .base import Dialect, FastPath, Item, ItemRules, TextSinks, named_usage
from .payload_reader import PayloadReader
from .plain import OPAQUE, RAW_AUDIO, TEXT
from .registry import dialect_named, dialect_names, register_dialect

__all__ = [
    "OPAQUE",
    "RAW_AUDIO",
    "TEXT",
    "Dialect",
    "FastPath",
    "Item",
    "ItemRules",
    "PayloadReader",
    "TextSinks",
    "dialect_named",
    "dialect_names",
    "name_of",
    "named_usage",
    "register_dialect",
]
