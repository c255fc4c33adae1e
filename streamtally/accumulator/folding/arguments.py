"""Arguments that come by path: each piece names its place in the object, and a text may come in several pieces."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from ...json_values import MAX_DEPTH, Json
from .answer import CallState, PathState
from .growing import Retention, Text

_STEP = re.compile(r"""(?:^|\.)([^.\[\]]+)|\[(\d{1,9})\]|\[\s*(['"])((?:\\.|(?!\3).)*)\3\s*\]""", re.DOTALL)
"""One step of a JSONPath to one place: a name, an index, a quoted name (https://datatracker.ietf.org/doc/html/rfc9535)."""


def fold_pieces(retention: Retention, call: CallState, pieces: Iterable[Json]) -> None:
    """Fold pairs of a path and a value; where content is not kept they count as lost arguments of their call."""
    for path, value in pieces:
        if not retention.keep:
            if call.arguments is None:
                call.arguments = Text(retention)
            call.arguments.append(value if isinstance(value, str) else json.dumps(value))
            continue
        place = call.paths.setdefault(path, PathState())
        if isinstance(value, str):
            if place.text is None:
                place.text = Text(retention)
            place.text.append(value)
        else:
            place.value = retention.swap(place.value, [value])


def assembled(call: CallState) -> str | None:
    """The arguments as JSON text; None where none came by path, or none of them are kept."""
    tree: dict[Any, Any] = {}
    found = [(path, place) for path, place in call.paths.items() if not place.is_empty]
    for path, place in found:
        words = None if place.text is None else place.text.value()
        _put(tree, list(_steps(path))[:MAX_DEPTH], words if place.value is None else place.value[0])
    return json.dumps(_plain(tree), ensure_ascii=False) if found else None


def _steps(path: str) -> Iterator[str | int]:
    """
    >>> list(_steps("$.a[0]['b.c']"))
    ['a', 0, 'b.c']
    """
    for name, index, _, quoted in _STEP.findall(path.removeprefix("$")):
        yield int(index) if index else name or re.sub(r"\\(.)", r"\1", quoted)


def _put(tree: dict[Any, Any], steps: list[str | int], value: Json) -> None:
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
