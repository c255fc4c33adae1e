"""Streams that others open: the calls of SDKs, and the callbacks of frameworks.

`litellm`, `langchain` and `otel` are modules of their own, each of which needs its library.
"""

from .patches import instrument, uninstrument

__all__ = ["instrument", "uninstrument"]
