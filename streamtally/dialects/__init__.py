"""Wire formats: each dialect makes a `Chunk` of a payload, and documents its terminal rule and its usage rule."""

from ..json_readers import name_of
from .base import Adjust, Dialect, FastPath, Item, ItemRules, TextSinks, Vocabulary, as_read, named_usage
from .charges import ChargeRules, Served, SubCall
from .openai_common import of_the_answer
from .origin import UNKNOWN_ORIGIN, Extracted, Origin
from .payload_reader import PayloadReader, Stamped
from .plain import EXTRACT, OPAQUE, RAW_AUDIO, TEXT
from .recognition import Unread, decided
from .registry import dialect_named, dialect_names, known_dialect, register_dialect

__all__ = [
    "EXTRACT",
    "OPAQUE",
    "RAW_AUDIO",
    "TEXT",
    "UNKNOWN_ORIGIN",
    "Adjust",
    "ChargeRules",
    "Dialect",
    "Extracted",
    "FastPath",
    "Item",
    "ItemRules",
    "Origin",
    "PayloadReader",
    "Served",
    "Stamped",
    "SubCall",
    "TextSinks",
    "Unread",
    "Vocabulary",
    "as_read",
    "decided",
    "dialect_named",
    "dialect_names",
    "known_dialect",
    "name_of",
    "named_usage",
    "of_the_answer",
    "register_dialect",
]
