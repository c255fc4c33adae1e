"""All errors that the package raises.

    StreamtallyError
    ├── UnknownDialect (ValueError)      a dialect name that is not registered
    ├── UnknownRequest (KeyError)        a request ID that is not open
    ├── DuplicateRequest (ValueError)    a request ID that is already open
    ├── MergeError (ValueError)          partial states that cannot be merged
    ├── FramingError (ValueError)        bytes that violate the framing
    ├── CatalogError (ValueError)        a price catalog that cannot be read or is invalid
    ├── MissingExtra (ImportError)       an optional dependency that is not installed
    └── StreamError                      a stream that did not end well; has `.partial`
        ├── StreamTruncated              it ended before the provider finished it
        └── ProviderError                the provider refused or failed
            └── ProviderTimeout (TimeoutError)   it did not respond, or did not continue, in time

Exceptions of the caller's own source are not wrapped in these: they reach the caller unchanged.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .records import Cost, StreamRecord

RETRYABLE_STATUS = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
"""HTTP status codes after which the same request may succeed (RFC 9110 §15; 529 is Anthropic's "overloaded")."""


class StreamtallyError(Exception):
    """The base class of all errors of this package. An error can be pickled with all its data."""

    def __reduce__(self) -> tuple[Any, ...]:
        # An exception is pickled as its class and its message, but the constructors here take the data, not the message.
        return _restored, (type(self), self.args, vars(self))


def _restored(kind: type[StreamtallyError], args: tuple[Any, ...], data: dict[str, Any]) -> StreamtallyError:
    """An error as it was when it was pickled."""
    error = kind.__new__(kind)
    error.args = args
    vars(error).update(data)
    return error


class UnknownDialect(StreamtallyError, ValueError):
    """No dialect of this name is registered; `known` lists the registered names."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        self.name = name
        self.known = tuple(sorted(known))
        super().__init__(f"unknown dialect {name!r}; known: {', '.join(self.known)}")


class UnknownRequest(StreamtallyError, KeyError):
    """The accumulator has no stream with this request ID."""

    def __init__(self, request_id: str) -> None:
        self.request_id = request_id
        super().__init__(request_id)

    def __str__(self) -> str:
        return f"no open stream with request ID {self.request_id!r}"


class DuplicateRequest(StreamtallyError, ValueError):
    """A stream with this request ID is already open, so it cannot be wrapped again."""

    def __init__(self, request_id: str) -> None:
        self.request_id = request_id
        super().__init__(f"a stream with request ID {request_id!r} is already open")


class MergeError(StreamtallyError, ValueError):
    """Two partial states cannot be merged: they belong to different requests, or have no common order."""


class FramingError(StreamtallyError, ValueError):
    """Bytes violate the framing; `frame` has the start of the frame in question."""

    def __init__(self, message: str, frame: bytes | str = b"") -> None:
        self.frame = frame
        super().__init__(message)


class CatalogError(StreamtallyError, ValueError):
    """A catalog cannot be read or is invalid, or a required price is unknown: then `cost` has the known part."""

    def __init__(self, message: str, *, cost: Cost | None = None) -> None:
        self.cost = cost
        super().__init__(message)


class MissingExtra(StreamtallyError, ImportError):
    """An optional dependency is not installed; `extra` is the extra that contains `package`."""

    def __init__(self, extra: str, package: str) -> None:
        self.extra = extra
        self.package = package
        super().__init__(f"{package} is not installed: pip install 'streamtally[{extra}]'", name=package)


class StreamError(StreamtallyError):
    """A stream did not end well; `partial` is the record up to then."""

    def __init__(self, message: str, *, partial: StreamRecord | None = None) -> None:
        self.partial = partial
        super().__init__(message)


class StreamTruncated(StreamError):
    """The stream ended before the provider finished it."""


class ProviderError(StreamError):
    """The provider refused the request or failed during the stream.

    `status` is the HTTP status (or the equivalent of an error inside the stream), `type` the provider's name for the error.
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
    """The provider did not respond, or did not continue, in time."""

    @property
    def retryable(self) -> bool:
        """Always true: the next attempt may be faster."""
        return True
