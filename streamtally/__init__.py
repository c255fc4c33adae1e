"""Wrap any stream of LLM chunks, and get one truthful record of it: what came, how fast, how many tokens, for how much.

with streamtally.wrap(lambda: client.chat.completions.create(..., stream=True)) as stream:
    for chunk in stream:
        ...
stream.record
"""

import typing as _typing
from importlib import import_module as _import_module

from .accumulator import Accumulator
from .chunks import Chunk
from .context import context
from .default import acollect, collect, configure, replay, to_response, wrap
from .dialects import Dialect, register_dialect
from .errors import (
    CatalogError,
    DuplicateRequest,
    FramingError,
    MergeError,
    MissingExtra,
    ProviderError,
    ProviderTimeout,
    StreamError,
    StreamtallyError,
    StreamTruncated,
    UnknownDialect,
    UnknownRequest,
)
from .limits import Limits
from .records import (
    Audio,
    Breakdown,
    Choice,
    Cost,
    CostLine,
    ErrorDetails,
    Image,
    InterChunk,
    Outcome,
    Part,
    StreamRecord,
    StreamType,
    Timing,
    ToolCall,
    Transcript,
    Usage,
)
from .sources import Extract, register_source
from .tally import Tally

if _typing.TYPE_CHECKING:
    from .client import AsyncClient, Client
    from .exporters import ConsoleExporter, Exporter, JsonLinesExporter, OtelExporter, PrometheusExporter
    from .integrations import instrument, uninstrument
    from .pricing import ModelCatalog

__all__ = [
    "Accumulator",
    "AsyncClient",
    "Audio",
    "Breakdown",
    "CatalogError",
    "Choice",
    "Chunk",
    "Client",
    "ConsoleExporter",
    "Cost",
    "CostLine",
    "Dialect",
    "DuplicateRequest",
    "ErrorDetails",
    "Exporter",
    "Extract",
    "FramingError",
    "Image",
    "InterChunk",
    "JsonLinesExporter",
    "Limits",
    "MergeError",
    "MissingExtra",
    "ModelCatalog",
    "OtelExporter",
    "Outcome",
    "Part",
    "PrometheusExporter",
    "ProviderError",
    "ProviderTimeout",
    "StreamError",
    "StreamRecord",
    "StreamTruncated",
    "StreamType",
    "StreamtallyError",
    "Tally",
    "Timing",
    "ToolCall",
    "Transcript",
    "UnknownDialect",
    "UnknownRequest",
    "Usage",
    "acollect",
    "collect",
    "configure",
    "context",
    "instrument",
    "register_dialect",
    "register_source",
    "replay",
    "to_response",
    "uninstrument",
    "wrap",
]

_ON_DEMAND = {
    "AsyncClient": "client",
    "Client": "client",
    "ConsoleExporter": "exporters",
    "Exporter": "exporters",
    "JsonLinesExporter": "exporters",
    "ModelCatalog": "pricing",
    "OtelExporter": "exporters",
    "PrometheusExporter": "exporters",
    "instrument": "integrations",
    "uninstrument": "integrations",
}
"""What is loaded when it is used, for it brings a library or the catalog with it."""


def __getattr__(name: str) -> _typing.Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("streamtally")
    if name not in _ON_DEMAND:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(_import_module(f".{_ON_DEMAND[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)
