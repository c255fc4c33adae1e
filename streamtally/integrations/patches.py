"""The SDKs' streaming calls, wrapped where they are made: nothing in the application changes."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from functools import partial
from threading import RLock
from types import ModuleType
from typing import Any, NamedTuple

from ..default import default_tally
from ..tally import Tally
from .imports import forget, when_imported
from .sdks import SDKS, Methods, parameters, server, streams

_logger = logging.getLogger("streamtally")


class _Patch(NamedTuple):
    owner: type
    name: str
    original: Callable[..., Any]


_patches: dict[str, list[_Patch]] = {}
"""What was replaced, by SDK; the SDKs that are not here are left alone, by what was replaced earlier too."""

_tally: Tally | None = None
_lock = RLock()  # importing one module of an SDK may import another


def instrument(*, openai: bool = True, anthropic: bool = True, tally: Tally | None = None) -> None:
    """Wrap every streaming call of the SDKs that are named, as `wrap` does; what streams not is left as it is.

    The stream begins with the call, so that latencies are whole; the call's arguments are the `params`, and the attributes
    of `streamtally.context` apply. Calls through `with_raw_response` and `with_streaming_response` and the helpers
    (`.stream()`) are wrapped too. A call inside `wrap`, or one that another instrumentation asks to leave alone, is left
    alone. An SDK need not be imported yet, nor be there. May be called again: the last call counts.

    Args:
        openai: whether to wrap the calls of the openai SDK.
        anthropic: whether to wrap those of the anthropic SDK.
        tally: where they are recorded; the default tally if not given, as it stands when a call is made.

    Example:
        >>> instrument(tally=Tally(exporters=[print]))
        >>> uninstrument()
    """
    global _tally
    with _lock:
        _tally = tally
        for sdk, wanted in (("openai", openai), ("anthropic", anthropic)):
            if wanted and sdk not in _patches:
                _patches[sdk] = []
                for module, methods in SDKS[sdk].items():
                    when_imported(module, partial(_patch, sdk, methods))
            elif not wanted:
                _restore(sdk)


def uninstrument() -> None:
    """Undo `instrument`. Streams that are open go on, and are recorded."""
    global _tally
    with _lock:
        _tally = None
        for sdk in SDKS:
            _restore(sdk)


def _restore(sdk: str) -> None:
    for module in SDKS[sdk]:
        forget(module)
    for owner, name, original in _patches.pop(sdk, []):
        if getattr(vars(owner).get(name), "__wrapped__", None) is original:  # else somebody replaced ours, and may call it
            setattr(owner, name, original)


def _patch(sdk: str, methods: Methods, module: ModuleType) -> None:
    """Replace the methods of one module that are there: SDKs differ by version."""
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
                _patches[sdk].append(_Patch(owner, name, original))


def _wanted(sdk: str) -> Tally | None:
    """The tally for a call that is made here and now, if it is to be wrapped."""
    if sdk not in _patches:  # a bound method that somebody kept
        return None
    tally = _tally or default_tally()
    return None if tally.suppressed else tally


def _creating(sdk: str, original: Callable[..., Any], dialect: str | None) -> Callable[..., Any]:
    @functools.wraps(original)
    def create(self: Any, *args: Any, **arguments: Any) -> Any:
        tally = _wanted(sdk) if streams(arguments) else None
        if tally is None:
            return original(self, *args, **arguments)
        request = partial(original, self, *args, **arguments)
        return tally.call(request, server=server(self), params=parameters(arguments), dialect=dialect)

    return create


def _acreating(sdk: str, original: Callable[..., Any], dialect: str | None) -> Callable[..., Any]:
    @functools.wraps(original)
    async def create(self: Any, *args: Any, **arguments: Any) -> Any:
        tally = _wanted(sdk) if streams(arguments) else None
        if tally is None:
            return await original(self, *args, **arguments)
        request = partial(original, self, *args, **arguments)
        return await tally.acall(request, server=server(self), params=parameters(arguments), dialect=dialect)

    return create


def _helping(sdk: str, original: Callable[..., Any], dialect: str | None) -> Callable[..., Any]:
    @functools.wraps(original)
    def stream(*args: Any, **arguments: Any) -> Any:
        tally = _wanted(sdk)
        if tally is None:
            return original(*args, **arguments)
        return tally.wrap(original(*args, **arguments), params=parameters(arguments), dialect=dialect)

    return stream
