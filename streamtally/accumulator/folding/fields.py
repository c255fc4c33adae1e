"""The kinds of field that the state of a stream is made of, and what can be done with any state by walking them.

A class decorated with `state` declares for each of its fields what kind it is. Dumping, loading, copying, measuring and removing
content are written once, here, and hold for every field that is declared; a field without a kind is an error when its module is
loaded.

| declared by | holds | is content | travels in a dump as |
| --- | --- | --- | --- |
| `fact()` | a JSON value that is no content: an id, a name, a position, a finish reason | no | itself |
| `index()` | a mapping by keys that JSON has not (integers, tuples), of facts | no | pairs |
| `text()` | a `Text`, None before the first piece | yes | its text, and how much was lost |
| `data()` | a `Data`, None before the first piece | yes | base64, carry, and how much was lost |
| `content()` | a JSON value that is content; `reduced` makes of it what is kept in its place | yes | itself |
| `retention()` | the `Retention` that counts all content of the state | no | whether content is kept, and how much was not |
| `part()` | another state, or None | its own fields decide | itself |
| `part_list()` | a list of states | its own fields decide | a list |
| `part_map()` | states by key; with `is_content` whole entries are removed with content | its own fields decide | pairs |

Values that equal the field's default do not travel.
"""

from __future__ import annotations

import base64
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from typing import Any, Literal, TypeVar, dataclass_transform

from ...json_values import Json, size_of
from .growing import Data, Retention, Text

S = TypeVar("S")
_KIND = "kind"


class Kind:
    """One kind of field: how its values travel, how large they are, and how content is removed from them."""

    def dump(self, value: Any) -> Json:
        """The value as JSON that shares nothing with it."""
        return copy.deepcopy(value)

    def load(self, dumped: Json, retention: Retention) -> Any:
        """The value that `dump` described."""
        return dumped

    def size(self, value: Any) -> int:
        """How many characters and bytes of content the value holds."""
        return 0

    def without_content(self, value: Any) -> Any:
        """The value with its content removed."""
        return value


class _Fact(Kind):
    """A JSON value that is no content."""


class _Index(Kind):
    """A mapping of facts by keys that JSON has not."""

    def dump(self, value: dict[Any, Any]) -> Json:
        return [[_plain_key(key), copy.deepcopy(item)] for key, item in value.items()]

    def load(self, dumped: Json, retention: Retention) -> dict[Any, Any]:
        return {_key(key): item for key, item in dumped}


class _Text(Kind):
    """A text that grows."""

    def dump(self, value: Text) -> Json:
        return [value.value(), value.lost]

    def load(self, dumped: Json, retention: Retention) -> Text:
        kept, lost = dumped
        text = Text(retention)
        text.lost = lost
        if kept:
            text.pieces.append(kept)
            text.join()
        return text

    def size(self, value: Text) -> int:
        return sum(map(len, value.pieces))

    def without_content(self, value: Text) -> Text:
        value.join()
        value.lost += value.size
        value.clear()
        return value


class _Data(Kind):
    """Bytes that grow."""

    def dump(self, value: Data) -> Json:
        whole = value.whole
        return [None if whole is None else base64.b64encode(whole).decode(), value.carry, value.lost]

    def load(self, dumped: Json, retention: Retention) -> Data:
        data = Data(retention)
        whole, data.carry, data.lost = dumped
        if whole is not None:
            data.restore(base64.b64decode(whole))
        return data

    def size(self, value: Data) -> int:
        return value.size

    def without_content(self, value: Data) -> Data:
        value.lost += value.size
        value.clear()
        return value


class _Content(Kind):
    """A JSON value that is content; `reduced` makes of it what is kept where content is not."""

    def __init__(self, reduced: Callable[[Json], Json]) -> None:
        self._reduced = reduced

    def load(self, dumped: Json, retention: Retention) -> Json:
        return retention.swap(None, dumped)

    def size(self, value: Json) -> int:
        return size_of(value)

    def without_content(self, value: Json) -> Json:
        return self._reduced(value)


class _Retention(Kind):
    """The account of all content of the state that holds it; the content itself is counted as it is loaded."""

    def dump(self, value: Retention) -> Json:
        return [value.keep, value.dropped]

    def load(self, dumped: Json, retention: Retention) -> Retention:
        retention.keep, retention.dropped = dumped
        return retention


class _Part(Kind):
    """A state inside a state."""

    def __init__(self, cls: type[Any]) -> None:
        self._cls = cls

    def dump(self, value: Any) -> Json:
        return dump(value)

    def load(self, dumped: Json, retention: Retention) -> Any:
        return load(self._cls, dumped, retention)

    def size(self, value: Any) -> int:
        return size(value)

    def without_content(self, value: Any) -> Any:
        _remove_content(value)
        return value


class _PartList(_Part):
    """States in a row."""

    def dump(self, value: list[Any]) -> Json:
        return [dump(part) for part in value]

    def load(self, dumped: Json, retention: Retention) -> list[Any]:
        return [load(self._cls, part, retention) for part in dumped]

    def size(self, value: list[Any]) -> int:
        return sum(map(size, value))

    def without_content(self, value: list[Any]) -> list[Any]:
        for part in value:
            _remove_content(part)
        return value


class _PartMap(_Part):
    """States by key."""

    def __init__(self, cls: type[Any], *, is_content: bool) -> None:
        super().__init__(cls)
        self._is_content = is_content

    def dump(self, value: dict[Any, Any]) -> Json:
        return [[_plain_key(key), dump(part)] for key, part in value.items()]

    def load(self, dumped: Json, retention: Retention) -> dict[Any, Any]:
        return {_key(key): load(self._cls, part, retention) for key, part in dumped}

    def size(self, value: dict[Any, Any]) -> int:
        return sum(map(size, value.values()))

    def without_content(self, value: dict[Any, Any]) -> dict[Any, Any]:
        for part in value.values():
            _remove_content(part)
        return {} if self._is_content else value


def _plain_key(key: Any) -> Json:
    return list(key) if isinstance(key, tuple) else key


def _key(key: Json) -> Any:
    return tuple(key) if isinstance(key, list) else key


def _nothing(value: Json) -> Json:
    """What is left of content where nothing is declared to stay."""
    return None


# `init=False` in the signatures makes type checkers leave the fields out of `__init__`: a state starts empty (PEP 681).


def fact(default: Any = None, *, init: Literal[False] = False) -> Any:
    """A field that holds a JSON value which is no content."""
    return field(default=default, metadata={_KIND: _Fact()})


def index(*, init: Literal[False] = False) -> Any:
    """A field that holds facts by keys which JSON has not."""
    return field(default_factory=dict, metadata={_KIND: _Index()})


def text(*, init: Literal[False] = False) -> Any:
    """A field that holds a growing text; None before the first piece."""
    return field(default=None, metadata={_KIND: _Text()})


def data(*, init: Literal[False] = False) -> Any:
    """A field that holds growing bytes; None before the first piece."""
    return field(default=None, metadata={_KIND: _Data()})


def content(reduced: Callable[[Json], Json] = _nothing, *, init: Literal[False] = False) -> Any:
    """A field that holds a JSON value which is content, None before it is set; `reduced` makes what is kept in its place."""
    return field(default=None, metadata={_KIND: _Content(reduced)})


def retention(*, init: Literal[False] = False) -> Any:
    """A field that holds the account of the state's content."""
    return field(default_factory=Retention, metadata={_KIND: _Retention()})


def part(cls: type[Any], *, init: Literal[False] = False) -> Any:
    """A field that holds a state of class `cls`, or None."""
    return field(default=None, metadata={_KIND: _Part(cls)})


def part_list(cls: type[Any], *, init: Literal[False] = False) -> Any:
    """A field that holds a list of states."""
    return field(default_factory=list, metadata={_KIND: _PartList(cls)})


def part_map(cls: type[Any], *, is_content: bool = False, init: Literal[False] = False) -> Any:
    """A field that holds states by key (integers, texts, or tuples of these)."""
    return field(default_factory=dict, metadata={_KIND: _PartMap(cls, is_content=is_content)})


_KINDS: dict[type[Any], tuple[tuple[str, Kind], ...]] = {}
_DEFAULTS: dict[type[Any], dict[str, Any]] = {}


@dataclass_transform(field_specifiers=(fact, index, text, data, content, retention, part, part_list, part_map))
def state(cls: type[S]) -> type[S]:
    """Make a class with annotated fields a state: a dataclass with slots, each field of a declared kind.

    Raises:
        TypeError: a field has no kind.
    """
    made = dataclass(slots=True, eq=False)(cls)
    for each in fields(made):  # type: ignore[arg-type]  # mypy does not see the dataclass
        if _KIND not in each.metadata:
            raise TypeError(f"{cls.__qualname__}.{each.name} has no kind: declare it with one of the functions of {__name__}")
    declared = fields(made)  # type: ignore[arg-type]  # as above
    _KINDS[made] = tuple((each.name, each.metadata[_KIND]) for each in declared)
    _DEFAULTS[made] = {each.name: each.default for each in declared}
    return made


def kinds(cls: type[Any]) -> tuple[tuple[str, Kind], ...]:
    """The fields of a state class, each with its kind."""
    return _KINDS[cls]


def _set(state: Any) -> Iterator[tuple[str, Kind, Any]]:
    """The fields of a state that hold something, each with its kind and its value."""
    for name, kind in _KINDS[type(state)]:
        value = getattr(state, name)
        if value is not None and value != {} and value != []:
            yield name, kind, value


def dump(state: Any) -> Json:
    """The state as JSON that shares nothing with it; `load` reads it."""
    defaults = _DEFAULTS[type(state)]
    return {name: kind.dump(value) for name, kind, value in _set(state) if value != defaults[name]}


def load(cls: type[S], dumped: Json, account: Retention) -> S:
    """The state that `dump` described; its content is counted in `account`, whether or not that keeps more.

    Raises:
        TypeError, ValueError, KeyError, AttributeError: it is no dump of such a state.
    """
    by_name = dict(_KINDS[cls])
    return cls(**{name: by_name[name].load(value, account) for name, value in dumped.items()})


def size(state: Any) -> int:
    """How many characters and bytes of content a state holds: what its `Retention` has counted as kept."""
    return sum(kind.size(value) for _, kind, value in _set(state))


def remove_content(state: Any, account: Retention) -> None:
    """Bring a state to what it would be if none of its content had been kept: ids, names, counts and the finish remain.

    What is removed is counted as dropped.
    """
    before = size(state)
    _remove_content(state)
    account.kept = size(state)
    account.dropped += before - account.kept


def _remove_content(state: Any) -> None:
    for name, kind, value in tuple(_set(state)):
        setattr(state, name, kind.without_content(value))


def complete(state: S, other: S) -> None:
    """Set every field of `state` that holds nothing to what `other`, a state of the same class, has there."""
    known = {name for name, _, _ in _set(state)}
    for name, _, value in _set(other):
        if name not in known:
            setattr(state, name, value)
