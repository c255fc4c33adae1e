"""`Source`: all facts about one SDK or framework on which this package depends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..chunks import Chunk
from .extract import Extract

_PORTS = {"http": 80, "https": 443}


def address_of(url: Any) -> tuple[str, int]:
    """Host and port of a URL of httpx's form.

    Raises:
        AttributeError, KeyError, TypeError: the URL is of another form, or has no host.
    """
    host, port = url.host, url.port or _PORTS[url.scheme]
    if not host or not isinstance(host, str) or not isinstance(port, int):
        raise TypeError(f"no address: {host!r}, {port!r}")
    return host, port


@dataclass(frozen=True, slots=True)
class Methods:
    """What `instrument` wraps in one module of an SDK.

    Args:
        classes: the names of the resource classes, sync and async.
        creating: methods that make the request when they are called, and return a stream if the arguments ask for one.
        helping: methods that return a context manager, which makes the request when it is entered.
        dialect: the name of the wire format; None where it depends on the request.
    """

    classes: tuple[str, str]
    creating: tuple[str, ...]
    helping: tuple[str, ...] = ()
    dialect: str | None = None


@dataclass(frozen=True, slots=True)
class Calls:
    """The calls of an SDK that `instrument` wraps. The functions are pure.

    Args:
        methods: by the name of the module that defines the resource classes.
        streams: whether a call of a creating method with these keyword arguments returns a stream.
        transport: names of the arguments that state how to send the request: they are no parameters, and may hold secrets.
        base_url: the path of attributes from a resource to the URL of its requests, which has `host`, `port` and `scheme`.
    """

    methods: Mapping[str, Methods]
    streams: Callable[[Mapping[str, Any]], bool]
    transport: frozenset[str] = frozenset()
    base_url: str | None = None


@dataclass(frozen=True, slots=True)
class Helper:
    """A stream helper: an object that reads a raw stream, and makes events, texts or a final answer of it.

    Args:
        method: the name of a method that all helpers of the SDK have, and nothing else of it that can be iterated.
        events: the path of attributes from the helper to the generator that makes its events.
        reads: the path to the iterator that the helper reads; the last attribute can be set.
    """

    method: str
    events: str
    reads: str


def _states_none(thing: Any) -> None:  # noqa: ARG001 - the signature of `stated_provider` and `cumulative`
    return None


@dataclass(frozen=True, slots=True)
class Row:
    """How the items of one class are read.

    Args:
        dialect: the name of the dialect that reads them, or what `extract` unwraps of them. This is no guess.
        extract: where the parts of a chunk lie in them.
        chunk: makes the whole chunk of an item, where an `Extract` cannot state it, or unwraps nothing. Pure.
        provider: the provider, where it is another than that of the SDK.
        amend: the fields of an item as a dialect reads them, from the item and its fields, where it states something outside of
            them. Pure.
    """

    dialect: str | None = None
    extract: Extract | None = None
    chunk: Callable[[Any], Chunk] | None = None
    provider: str | None = None
    amend: Callable[[Any, Mapping[str, Any]], Mapping[str, Any]] | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """One SDK or framework. A field without a value is not needed: its objects are handled by their protocols.

    Args:
        package: the top-level package of its classes, and the name of the module that has the row.
        provider: the provider of all its requests; None if it can be used with several.
        rows: how items are read, by the name of their class, or by its name with its module where several have the same name.
        mappings: how mappings are read that its streams yield, where no dialect reads them as they are.
        cumulative: whether the items of a stream have all that came so far, where the stream states that. Pure.
        items: the attribute of its streams that holds the class of their items, or a union of classes.
        streams: the dialect of a stream, by the beginning of the full name of the class of its items. This is no guess.
        errors: the name of the dialect that the payload of an exception of the SDK is in. Pure.
        stated_provider: the provider that a stream or a chunk states. Pure.
        response: names of private attributes of its streams that hold the HTTP response.
        closes: the attribute of a stream that is closed instead, if the stream has no `close`.
        helper: how its stream helpers are read.
        calls: what `instrument` wraps.
        is_framework: whether it is used with many providers: the names of fields of its classes without a row mean nothing.
        private: the private attributes on which the row depends, each with the releases for which it was verified, such as
            "openai 1.59 to 3.57".

    Example:
        >>> Source("acme", provider="acme").provider
        'acme'
    """

    package: str
    provider: str | None = None
    rows: Mapping[str, Row] = field(default_factory=dict)
    mappings: Row | None = None
    cumulative: Callable[[Any], bool | None] = _states_none
    items: str | None = None
    streams: Mapping[str, str] = field(default_factory=dict)
    stated_provider: Callable[[Any], str | None] = _states_none
    errors: Callable[[BaseException], str | None] = _states_none
    response: tuple[str, ...] = ()
    closes: str | None = None
    helper: Helper | None = None
    calls: Calls | None = None
    is_framework: bool = False
    private: Mapping[str, str] = field(default_factory=dict)
