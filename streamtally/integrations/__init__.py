"""Records streams that SDKs and frameworks open: by wrapping the calls of SDKs, or as a callback of a framework.

The modules `litellm`, `langchain` and `otel` each need their library, and are imported by the application.
"""

from .patches import instrument, uninstrument

__all__ = ["instrument", "uninstrument"]
