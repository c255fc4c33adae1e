"""Wraps the streaming calls of SDKs where they are made, so that the application need not change."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Mapping
from functools import partial
from operator import attrgetter
from threading import RLock
from types import ModuleType
from typing import Any, NamedTuple

from ..default import default_tally
from ..sources import Calls, Methods, address_of, all_sources
from ..tally import Tally
from .imports import forget, when_imported

_logger = logging.getLogger("streamtally")


class _Sdk(NamedTuple):
    """An SDK whose calls are wrapped, by its top-level package."""

    package: str
    calls: Calls

    def tally(self) -> Tally | None:
        """The tally for a call that is made now; None if the call is not to be wrapped."""
        if self.package not in _patches:  # a bound method from before `uninstrument`
            return None
        tally = _tally or default_tally()
        return None if tally.suppressed else tally

    def parameters(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The request's own parameters. Values without a JSON form, such as "not given", are dropped where they are kept."""
        return {name: value for name, value in arguments.items() if name not in self.calls.transport}

    def server(self, resource: Any) -> tuple[str | None, int | None]:
        """Host and port to which a resource of the SDK sends its requests; None if another release has no such attribute."""
        if self.calls.base_url is None:
            return None, None
        try:
            return address_of(attrgetter(self.calls.base_url)(resource))
        except Exception as error:  # another release, or a test double
            _logger.debug("no address at %s.%s: %r", type(resource).__qualname__, self.calls.base_url, error)
            return None, None


class _Patch(NamedTuple):
    owner: type
    name: str
    original: Callable[..., Any]


_patches: dict[str, list[_Patch]] = {}
"""The methods that were replaced, by SDK. SDKs without an entry are not wrapped, not even through methods replaced earlier."""

_tally: Tally | None = None
_lock = RLock()  # importing one module of an SDK may import another


def instrument(*, tally: Tally | None = None, **sdks: bool) -> None:
    """Wrap every streaming call of the SDKs as `wrap` does; calls that do not stream are left as they are.

    The stream starts with the call, so latencies are complete; the call's arguments are the `params`, and the attributes
    of `streamtally.context` apply. Calls through `with_raw_response` and `with_streaming_response` and the helpers
    (`.stream()`) are wrapped too. A call inside `wrap`, or one for which another instrumentation is suppressed, is not
    wrapped. An SDK need be neither imported nor installed. May be called again: the last call counts.

    Args:
        tally: where the calls are recorded; if not given, the default tally at the time of each call.
        sdks: `openai=False` or `anthropic=False` leaves the calls of that SDK as they are.

    Raises:
        TypeError: an SDK whose calls cannot be wrapped.

    Example:
        >>> instrument(tally=Tally(exporters=[print]))
        >>> uninstrument()
    """
    global _tally
    known = _instrumentable()
    if unknown := sdks.keys() - known.keys():
        raise TypeError(f"instrument() wraps {', '.join(known)}; not {', '.join(sorted(unknown))}")
    with _lock:
        _tally = tally
        for name, sdk in known.items():
            if not sdks.get(name, True):
                _restore(sdk)
            elif name not in _patches:
                _patches[name] = []
                for module, methods in sdk.calls.methods.items():
                    when_imported(module, partial(_patch, sdk, methods))


def uninstrument() -> None:
    """Undo `instrument`. Open streams continue, and are recorded."""
    global _tally
    with _lock:
        _tally = None
        for sdk in _instrumentable().values():
            _restore(sdk)


def _instrumentable() -> Mapping[str, _Sdk]:
    """The SDKs whose calls can be wrapped, by package."""
    return {source.package: _Sdk(source.package, source.calls) for source in all_sources() if source.calls is not None}


def _restore(sdk: _Sdk) -> None:
    for module in sdk.calls.methods:
        forget(module)
    for owner, name, original in _patches.pop(sdk.package, []):
        if getattr(vars(owner).get(name), "__wrapped__", None) is original:  # else another wrapper is around ours
            setattr(owner, name, original)


def _patch(sdk: _Sdk, methods: Methods, module: ModuleType) -> None:
    """Replace those methods of one module that it has: SDKs differ by release."""
    with _lock:
        owners: list[type] = [getattr(module, name, object) for name in methods.classes]
        for is_async, owner in enumerate(owners):
            for name in (*methods.creating, *methods.helping):
                original = vars(owner).get(name)
                if original is None:
                    _logger.debug("%s has no %s to wrap", module.__name__, name)
                    continue
                make = _helping if name in methods.helping else _acreating if is_async else _creating
                setattr(owner, name, make(sdk, original, methods.dialect))
                _patches[sdk.package].append(_Patch(owner, name, original))


def _creating(sdk: _Sdk, original: Callable[..., Any], dialect: str | None) -> Callable[..., Any]:
    @functools.wraps(original)
    def create(self: Any, *args: Any, **arguments: Any) -> Any:
        tally = sdk.tally() if sdk.calls.streams(arguments) else None
        if tally is None:
            return original(self, *args, **arguments)
        request = partial(original, self, *args, **arguments)
        return tally.call(request, server=sdk.server(self), params=sdk.parameters(arguments), dialect=dialect)

    return create


def _acreating(sdk: _Sdk, original: Callable[..., Any], dialect: str | None) -> Callable[..., Any]:
    @functools.wraps(original)
    async def create(self: Any, *args: Any, **arguments: Any) -> Any:
        tally = sdk.tally() if sdk.calls.streams(arguments) else None
        if tally is None:
            return await original(self, *args, **arguments)
        request = partial(original, self, *args, **arguments)
        return await tally.acall(request, server=sdk.server(self), params=sdk.parameters(arguments), dialect=dialect)

    return create


def _helping(sdk: _Sdk, original: Callable[..., Any], dialect: str | None) -> Callable[..., Any]:
    @functools.wraps(original)
    def stream(*args: Any, **arguments: Any) -> Any:
        tally = sdk.tally()
        if tally is None:
            return original(*args, **arguments)
        return tally.wrap(original(*args, **arguments), params=sdk.parameters(arguments), dialect=dialect)

    return stream
