"""Every error that the package raises of its own.

    StreamtallyError
    ├── UnknownDialect (ValueError)      a dialect name that nobody registered
    ├── UnknownRequest (KeyError)        a request ID that is not open
    ├── DuplicateRequest (ValueError)    a request ID that is open already
    ├── MergeError (ValueError)          partial states that cannot be merged
    ├── FramingError (ValueError)        bytes that are not in the announced framing
    ├── CatalogError (ValueError)        a price catalog that cannot be read or trusted
    ├── MissingExtra (ImportError)       an optional dependency that is not installed
    └── StreamError                      a stream that did not end well; carries `.partial`
        ├── StreamTruncated              it ended before its finish
        └── ProviderError                the provider refused or failed
            └── ProviderTimeout (TimeoutError)   it did not answer, or did not go on, in time

What the caller's own source raises is never replaced by one of these: it reaches the caller unchanged.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .records import Cost, StreamRecord

RETRYABLE_STATUS = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
"""HTTP status codes after which the same request may succeed (RFC 9110 §15; 529 is Anthropic's "overloaded")."""


class StreamtallyError(Exception):
    """The root of the tree: catch this to catch everything that is ours."""


class UnknownDialect(StreamtallyError, ValueError):
    """No dialect of this name is registered; `known` lists those that are."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        self.name = name
        self.known = tuple(sorted(known))
        super().__init__(f"unknown dialect {name!r}; known: {', '.join(self.known)}")


class UnknownRequest(StreamtallyError, KeyError):
    """The accumulator holds no stream of this request ID."""

    def __init__(self, request_id: str) -> None:
        self.request_id = request_id
        super().__init__(request_id)

    def __str__(self) -> str:
        return f"no stream with request ID {self.request_id!r} is open"


class DuplicateRequest(StreamtallyError, ValueError):
    """A stream of this request ID is open already and cannot be wrapped a second time."""

    def __init__(self, request_id: str) -> None:
        self.request_id = request_id
        super().__init__(f"a stream with request ID {request_id!r} is open already")


class MergeError(StreamtallyError, ValueError):
    """Two partial states that do not belong together, or have no order in common."""


class FramingError(StreamtallyError, ValueError):
    """Bytes that break the framing; `frame` holds the piece in question."""

    def __init__(self, message: str, frame: bytes | str = b"") -> None:
        self.frame = frame
        super().__init__(message)


class CatalogError(StreamtallyError, ValueError):
    """A catalog that cannot be read, or a price that was demanded and is not there: then `cost` says what is known."""

    def __init__(self, message: str, *, cost: Cost | None = None) -> None:
        self.cost = cost
        super().__init__(message)


class MissingExtra(StreamtallyError, ImportError):
    """An optional dependency is absent; `extra` says which extra brings it."""

    def __init__(self, extra: str, package: str) -> None:
        self.extra = extra
        super().__init__(f"this needs {package}: pip install 'streamtally[{extra}]'", name=package)


class StreamError(StreamtallyError):
    """A stream that did not end well; `partial` is the record of what came before."""

    def __init__(self, message: str, *, partial: StreamRecord | None = None) -> None:
        self.partial = partial
        super().__init__(message)


class StreamTruncated(StreamError):
    """The stream ended before the provider said that it was finished."""


class ProviderError(StreamError):
    """The provider refused the request or failed in the middle of the stream.

    `status` is the HTTP status (or its like for an error inside the stream), `type` the provider's word for the error.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        type: str | None = None,  # noqa: A002 - the field's own name
        partial: StreamRecord | None = None,
    ) -> None:
        self.status = status
        self.type = type
        super().__init__(message, partial=partial)

    @property
    def retryable(self) -> bool:
        """Whether the same request may succeed later."""
        return self.status in RETRYABLE_STATUS


class ProviderTimeout(ProviderError, TimeoutError):
    """The provider did not answer, or did not go on, in time."""

    @property
    def retryable(self) -> bool:
        """It may be quicker next time."""
        return True
