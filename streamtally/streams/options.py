"""The arguments of `wrap`, and the kinds of source that have no type of Python's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, TypeAlias, TypedDict

from ..clock import Moment
from ..dialects import Dialect
from ..sources import Extract

Server = tuple[str | None, int | None]
"""Host and port."""

StreamHolder: TypeAlias = dict[str, Any]
"""A whole response that holds a stream beside its metadata, as boto3's do."""


class RawResponse(Protocol):
    """An SDK's raw response, which holds the HTTP library's."""

    @property
    def http_response(self) -> Any:
        """The HTTP library's response."""
        ...


class WrapOptions(TypedDict, total=False):
    """The keyword arguments of `wrap`; see `Tally.wrap`."""

    dialect: str | Dialect | None
    request_id: str | None
    conversation_id: str | None
    started_at: Moment | None
    params: Mapping[str, Any] | None
    attributes: Mapping[str, Any] | None
    extract: Extract | None
    keep_raw: bool
