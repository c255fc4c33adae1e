"""Arguments that come by path: each piece names its place in the object, and a text may come in several pieces."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from ..json_values import MAX_DEPTH, Json
from .document import Address, Document

_STEP = re.compile(r"""(?:^|\.)([^.\[\]]+)|\[(\d{1,9})\]|\[\s*(['"])((?:\\.|(?!\3).)*)\3\s*\]""", re.DOTALL)
"""One step of a JSONPath to one place: a name, an index, a quoted name (https://datatracker.ietf.org/doc/html/rfc9535)."""


def fold_pieces(document: Document, pieces: Iterable[Json], *at: str | int) -> None:
    """Note pieces of arguments under the address of their call; those for which there is no room count as its arguments."""
    for path, value in pieces:
        if not document.retain:
            document.append_text(value if isinstance(value, str) else json.dumps(value), *at, "arguments")
            continue
        document.note(path, *at, "paths")
        if isinstance(value, str):
            document.append_text(value, *at, "at", path)
        else:
            document.put_content([value], *at, "at", path)


def assembled(document: Document, at: Address) -> str | None:
    """The arguments as JSON text; None where none came by path."""
    paths = document.members(*at, "paths")
    if not paths:
        return None
    tree: dict[Any, Any] = {}
    for path in paths:
        words, told = document.text(*at, "at", path), document.get(*at, "at", path)
        _place(tree, list(_steps(path))[:MAX_DEPTH], words if told is None else told[0])
    return json.dumps(_plain(tree), ensure_ascii=False)


def _steps(path: str) -> Iterator[str | int]:
    """
    >>> list(_steps("$.a[0]['b.c']"))
    ['a', 0, 'b.c']
    """
    for name, index, _, quoted in _STEP.findall(path.removeprefix("$")):
        yield int(index) if index else name or re.sub(r"\\(.)", r"\1", quoted)


def _place(tree: dict[Any, Any], steps: list[str | int], value: Json) -> None:
    for step in steps[:-1]:
        inner = tree.get(step)
        if not isinstance(inner, dict):
            inner = tree[step] = {}
        tree = inner
    if steps:
        tree[steps[-1]] = value


def _plain(value: Any) -> Json:
    """The tree as JSON: what is placed by numbers only is a list."""
    if not isinstance(value, dict):
        return value
    if value and all(isinstance(step, int) for step in value):
        return [_plain(value[step]) for step in sorted(value)]
    return {str(step): _plain(inner) for step, inner in value.items()}
