"""Broken streams as Hypothesis strategies: valid ones with mutations."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

from hypothesis import strategies as st

Path: TypeAlias = tuple[Any, ...]
Draw: TypeAlias = Callable[[st.SearchStrategy[Any]], Any]


def deep(levels: int) -> Any:
    """Nested lists and mappings."""
    value: Any = "x"
    for level in range(levels):
        value = {"a": value} if level % 2 else [value]
    return value


ODD_VALUES: Sequence[Any] = (
    None, "", "x", "0", "\ud800", "\u2028", "null", "{", "x" * 2_000, 0, -1, 1, 3, 10**12, 10**30, -0.5, 1e308, float("nan"),
    float("inf"), True, False, [], {}, [None], [[]], [{}], ["x"], [1, [2]], {"a": None}, {"text": "x"}, {"type": "x"},
    {"index": 0}, {"id": 1}, {"type": "text", "text": ["x"]}, deep(40),
)  # fmt: skip


@st.composite
def mutated_payloads(draw: Draw, seeds: Sequence[Sequence[Any]]) -> list[Any]:
    """The payloads of one seed after up to four mutations, each of them a copy."""
    payloads = copy.deepcopy(list(draw(st.sampled_from(seeds))))
    for _ in range(draw(st.integers(1, 4))):
        if payloads:
            draw(st.sampled_from(_PAYLOAD_MUTATIONS))(draw, payloads)
    return payloads


def _drop(draw: Draw, payloads: list[Any]) -> None:
    del payloads[_place(draw, payloads)]


def _double(draw: Draw, payloads: list[Any]) -> None:
    at = _place(draw, payloads)
    payloads.insert(_place(draw, payloads), copy.deepcopy(payloads[at]))


def _swap(draw: Draw, payloads: list[Any]) -> None:
    one, other = _place(draw, payloads), _place(draw, payloads)
    payloads[one], payloads[other] = payloads[other], payloads[one]


def _cut(draw: Draw, payloads: list[Any]) -> None:
    del payloads[_place(draw, payloads) :]


def _replace(draw: Draw, payloads: list[Any]) -> None:
    """Replace a value in a payload by an odd one."""
    at = _place(draw, payloads)
    paths = list(paths_in(payloads[at]))
    payloads[at] = replaced(payloads[at], draw(st.sampled_from(paths)), copy.deepcopy(draw(st.sampled_from(ODD_VALUES))))


def _remove_field(draw: Draw, payloads: list[Any]) -> None:
    """Remove a field of a payload."""
    holder = _holder(draw, payloads)
    if isinstance(holder, dict) and holder:
        del holder[draw(st.sampled_from(sorted(holder, key=str)))]


def _copy_field(draw: Draw, payloads: list[Any]) -> None:
    """Copy a field of another payload."""
    source, target = _holder(draw, payloads), _holder(draw, payloads)
    if isinstance(source, dict) and isinstance(target, dict) and source:
        name = draw(st.sampled_from(sorted(source, key=str)))
        target[name] = copy.deepcopy(source[name])


_PAYLOAD_MUTATIONS = (_drop, _double, _swap, _cut, _remove_field, _copy_field, *[_replace] * 5)


def _place(draw: Draw, payloads: list[Any]) -> int:
    return int(draw(st.integers(0, len(payloads) - 1)))


def _holder(draw: Draw, payloads: list[Any]) -> Any:
    payload = payloads[_place(draw, payloads)]
    return value_at(payload, draw(st.sampled_from([(), *(path for path in paths_in(payload))])))


def paths_in(value: Any, path: Path = ()) -> Iterator[Path]:
    """The paths of all values in a value: the whole first, then those inside."""
    yield path
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from paths_in(child, (*path, key))


def value_at(value: Any, path: Path) -> Any:
    """The value at a path."""
    for key in path:
        value = value[key]
    return value


def replaced(value: Any, path: Path, other: Any) -> Any:
    """The value with another one at a path; changed in place, unless that is the whole."""
    if not path:
        return other
    value_at(value, path[:-1])[path[-1]] = other
    return value


@st.composite
def mutated_bytes(draw: Draw, bodies: Sequence[bytes]) -> bytes:
    """The bytes of one seed after up to four mutations: flipped, cut, doubled, moved, or with odd bytes inserted."""
    body = bytearray(draw(st.sampled_from(bodies)))
    for _ in range(draw(st.integers(1, 4))):
        start, end = sorted(draw(st.tuples(*[st.integers(0, len(body))] * 2)))
        draw(st.sampled_from(_BYTE_MUTATIONS))(draw, body, start, min(end, start + 200))
    return bytes(body)


ODD_BYTES: Sequence[bytes] = (
    b"\0", b"\xff\xfe", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\r", b"\n\n", b"\r\n\r\n", b"data: [DONE]\n\n", b"event: error\n",
    b"data: {", b"[", b"]", b"{", b"}", b",", b'"', b"\\u", b"\\ud800", b"1e999", b"-", b"NaN", b":" * 20, b"[" * 2_000,
    b'{"a":' * 2_000, b"\x00\x00\x00\x10\x00\x00\x00\x00", b"\xff" * 12, b"id: \0\n", b"retry: 9\n", b"null", b"[[]]",
)  # fmt: skip


def _flip(draw: Draw, body: bytearray, start: int, _end: int) -> None:
    if start < len(body):
        body[start] ^= 1 << draw(st.integers(0, 7))


def _insert(draw: Draw, body: bytearray, start: int, _end: int) -> None:
    body[start:start] = draw(st.sampled_from(ODD_BYTES))


def _remove(_draw: Draw, body: bytearray, start: int, end: int) -> None:
    del body[start:end]


def _repeat(draw: Draw, body: bytearray, start: int, end: int) -> None:
    body[end:end] = bytes(body[start:end]) * draw(st.integers(1, 3))


def _end(_draw: Draw, body: bytearray, start: int, _place: int) -> None:
    del body[start:]


_BYTE_MUTATIONS = (_flip, _flip, _insert, _insert, _remove, _repeat, _end)
