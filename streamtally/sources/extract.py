"""`Extract`: where the parts of a chunk lie in an object that no dialect reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

Path: TypeAlias = "str | Callable[[Any], Any] | None"
"""Where a value lies: names of attributes or keys, and positions in lists, with dots between them; or a function of the item."""


@dataclass(frozen=True, slots=True)
class Extract:
    """How the items of a stream are read that no dialect reads: each field says where in an item something lies.

    A value is a dotted path of attributes or keys ("delta.content", "choices.0.text"), or a function of the item. What is not
    there is None. A function that raises costs its field, and is counted in `record.extras["observation_faults"]`.

    Args:
        unwrap: the provider's own chunk. It is read as if it had come by itself; where it is None the other fields are read.
        text: a piece of the answer's text.
        reasoning: a piece of reasoning.
        tool_calls: pieces of tool calls, in a list: mappings or objects with index, id, name and arguments (or args), also under
            `function`.
        finish: the finish reason.
        usage: a mapping or an object with token counts, by the names of `Usage` or those of OpenAI's reports.
        model: the name of the model that answers.
        error: what went wrong: a text, or an object with type, message, code and status.
        cumulative: whether texts and calls are all that came so far (True) or pieces (False). None takes texts for all that came
            so far after three in a row of which each begins with the one before it and is longer.
        usage_adds: whether each usage report adds to those before it, instead of replacing them.

    Example:
        >>> import streamtally
        >>> items = [{"out": {"word": "hel"}}, {"out": {"word": "lo"}, "why": "stop"}]
        >>> record = streamtally.replay(items, extract=Extract(text="out.word", finish="why"))
        >>> record.text, record.finish_reason
        ('hello', 'stop')
    """

    unwrap: Path = None
    text: Path = None
    reasoning: Path = None
    tool_calls: Path = None
    finish: Path = None
    usage: Path = None
    model: Path = None
    error: Path = None
    cumulative: bool | None = None
    usage_adds: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether it reads an item by itself, and does not only add to what a dialect reads."""
        return any((self.text, self.reasoning, self.tool_calls, self.finish, self.usage, self.model, self.error))


def value_at(item: Any, path: Path) -> Any:
    """The value at a path, or None if it is not there.

    >>> value_at({"choices": [{"text": "a"}]}, "choices.0.text")
    'a'
    """
    if path is None:
        return None
    if not isinstance(path, str):
        return path(item)
    for name in path.split("."):
        item = _step(item, name)
        if item is None:
            return None
    return item


def _step(item: Any, name: str) -> Any:
    if isinstance(item, dict):
        return item.get(name)
    if isinstance(item, list | tuple) and name.isdecimal():
        return item[int(name)] if int(name) < len(item) else None
    return getattr(item, name, None)
