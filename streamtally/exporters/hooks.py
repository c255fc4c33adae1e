"""Which hooks an exporter has, and the check that a subclass of `Exporter` misspells none."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from typing import Any

from .base import Exporter

HOOKS = tuple(name for name, value in vars(Exporter).items() if inspect.isfunction(value) and not name.startswith("_"))
"""The methods that a subclass of `Exporter` can override."""

FLAGS = ("blocking", "serves_prometheus")
"""The attributes that a subclass can set."""

_SIMILAR = 0.75
"""How similar a name must be to be a misspelling, as difflib measures it: `flsh` and `exports` are, `reset` is not."""

_SYNONYMS = {"alone": "suppress_others", "belongs_to": "on_attach", "on_discard": "export", "on_end": "export"}
"""Names that resemble no hook, and the hook that does what they suggest."""


def hook_of(exporter: object, name: str) -> Callable[..., Any] | None:
    """The exporter's own method of this name; None if it has none, or only the one that it inherits from `Exporter`.

    Example:
        >>> hook_of(Exporter(), "on_start") is None
        True
    """
    method = getattr(exporter, name, None)
    if method is None or getattr(method, "__func__", None) is getattr(Exporter, name):
        return None
    return method  # type: ignore[no-any-return]  # any callable attribute is a hook


def check_hooks(exporter: object) -> None:
    """Check the names that the classes of an exporter define. Objects of classes not derived from `Exporter` pass.

    Raises:
        TypeError: a method has almost the name of a hook, or is named `on_…` and is no hook; or a hook is a coroutine
            function, which nothing would await.
    """
    if not isinstance(exporter, Exporter):
        return
    for owner, name, value in _defined(type(exporter)):
        if name in HOOKS:
            if inspect.iscoroutinefunction(value):
                raise TypeError(f"{owner.__name__}.{name} is a coroutine function, but exporters are called, not awaited")
        elif name not in FLAGS and (meant := _meant(exporter, name, value)) is not None:
            raise TypeError(f"{owner.__name__}.{name} is no hook of Exporter{meant}; the hooks are {', '.join(HOOKS)}")


def _defined(kind: type) -> Iterator[tuple[type, str, object]]:
    """Each public name that the subclasses of `Exporter` in a class's MRO define, with its class and value."""
    for owner in kind.__mro__:
        if issubclass(owner, Exporter) and owner is not Exporter:
            yield from ((owner, name, value) for name, value in vars(owner).items() if not name.startswith("_"))


def _meant(exporter: Exporter, name: str, value: object) -> str | None:
    """The hint for a name that is likely a misspelling; None for one that is not. Only what is not defined can be meant."""
    if isinstance(value, bool):
        candidates = [flag for flag in FLAGS if flag not in vars(type(exporter))]
    elif inspect.isroutine(value):
        candidates = [hook for hook in HOOKS if hook_of(exporter, hook) is None]
    else:
        return None
    similar = [_SYNONYMS[name]] if name in _SYNONYMS else get_close_matches(name, candidates, n=1, cutoff=_SIMILAR)
    if similar:
        return f" (did you mean {similar[0]}?)"
    return "" if name.startswith("on_") and inspect.isroutine(value) else None
