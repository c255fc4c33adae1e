"""Facts about single SDKs and frameworks: one module for each, named after its top-level package."""

from .base import Calls, Helper, Methods, Row, Source, address_of
from .extract import Extract
from .extracted import origin_by
from .registry import all_sources, dialect_of_error, dialect_of_stream, mappings_in, origin_of, register_source, source_of

__all__ = [
    "Calls",
    "Extract",
    "Helper",
    "Methods",
    "Row",
    "Source",
    "address_of",
    "all_sources",
    "dialect_of_error",
    "dialect_of_stream",
    "mappings_in",
    "origin_by",
    "origin_of",
    "register_source",
    "source_of",
]
