"""Wire formats: each dialect turns a payload into a `Chunk`, and states its terminal rule and its usage rule."""

from .base import Dialect, Item, Items, Take, Writers, named_usage
from .plain import OPAQUE, RAW_AUDIO, TEXT
from .reader import Reader
from .registry import dialect_named, dialect_names, register_dialect
from .values import name_of

__all__ = [
    "OPAQUE",
    "RAW_AUDIO",
    "TEXT",
    "Dialect",
    "Item",
    "Items",
    "Reader",
    "Take",
    "Writers",
    "dialect_named",
    "dialect_names",
    "name_of",
    "named_usage",
    "register_dialect",
]
