"""Facts about single SDKs and frameworks: one module for each, named after its top-level package."""

from .base import Calls, Helper, Methods, Source, address_of
from .registry import all_sources, origin_of, source_of

__all__ = ["Calls", "Helper", "Methods", "Source", "address_of", "all_sources", "origin_of", "source_of"]
