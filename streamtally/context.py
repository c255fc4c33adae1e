"""Attributes for every stream that is opened inside a block: team, route, conversation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any

_CURRENT: ContextVar[Mapping[str, Any]] = ContextVar("streamtally_context", default=MappingProxyType({}))

_NESTED: ContextVar[bool] = ContextVar("streamtally_nested", default=False)


@contextmanager
def context(*, conversation_id: str | None = None, **attributes: Any) -> Iterator[None]:
    """Give every stream opened inside the block these attributes; blocks nest, and the inner one wins.

    Args:
        conversation_id: the conversation that the requests belong to.
        attributes: JSON values; exporters show those that they are configured to show.

    Example:
        >>> with context(conversation_id="c1", team="search"):
        ...     current_context()["team"]
        'search'
    """
    named = {} if conversation_id is None else {"conversation_id": conversation_id}
    token = _CURRENT.set({**_CURRENT.get(), **named, **attributes})
    try:
        yield
    finally:
        with suppress(ValueError):  # a generator may be closed in another context than it started in
            _CURRENT.reset(token)


@contextmanager
def nested() -> Iterator[None]:
    """While one of our streams makes its request: `instrument` leaves alone what is called inside the block."""
    token = _NESTED.set(True)
    try:
        yield
    finally:
        with suppress(ValueError):  # another context, as in `context`
            _NESTED.reset(token)


def is_nested() -> bool:
    """Whether this place is inside a request that one of our streams makes."""
    return _NESTED.get()


def current_context() -> Mapping[str, Any]:
    """The attributes of the blocks around the call, `conversation_id` among them."""
    return _CURRENT.get()
