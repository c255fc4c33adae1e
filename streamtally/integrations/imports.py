"""Import hooks: a function that is called when a module is imported, so that the module need not be imported for it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any

OnImport = Callable[[ModuleType], object]


def when_imported(name: str, then: OnImport) -> None:
    """Call `then` once with the module of this name: now if it has been imported, else right after it is imported."""
    module = sys.modules.get(name)
    if module is not None:
        then(module)
        return
    _FINDER.hooks[name] = then
    if _FINDER not in sys.meta_path:
        sys.meta_path.insert(0, _FINDER)


def forget(name: str) -> None:
    """Remove the hook of this module."""
    _FINDER.hooks.pop(name, None)
    if not _FINDER.hooks and _FINDER in sys.meta_path:
        sys.meta_path.remove(_FINDER)


class _Finder(MetaPathFinder):
    """Finds the modules with a hook through the other finders, and wraps their loaders."""

    def __init__(self) -> None:
        self.hooks: dict[str, OnImport] = {}

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:  # noqa: ARG002
        then = self.hooks.pop(name, None)  # removed first, because `find_spec` below asks this finder too
        if then is None:
            return None
        spec = find_spec(name)
        if spec is None or spec.loader is None:
            return None
        spec.loader = _Loader(spec.loader, then)
        return spec


class _Loader(Loader):
    """Loads a module with another loader, then calls its hook."""

    def __init__(self, loader: Loader, then: OnImport) -> None:
        self._loader = loader
        self._then = then

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        self._then(module)


_FINDER = _Finder()
