"""Estimates output tokens that the provider did not count, with a tokenizer of the user's; estimated usage is marked as such.

Pure, provided the tokenizer is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..json_readers import count_of
from ..records import Outcome, StreamRecord, StreamType, Usage

CountTokens = Callable[[str], int]
"""Returns the number of tokens of a text, such as `lambda text: len(encoding.encode(text))` with tiktoken."""

_TEXT_TYPES = frozenset({StreamType.TEXT, StreamType.CHAT, StreamType.RESPONSES})


def estimated(record: StreamRecord, usage: Usage | None, count: CountTokens) -> Usage | None:
    """The usage with an estimated output count, if the provider reported none or the stream was cut; else `usage` unchanged.

    The larger of the provider's count and the estimate holds. A record does not contain the input, so the input count is the
    provider's, else the request parameter `input_tokens`. If neither is known, or the stream was cut, the usage is a lower
    bound (`partial`).

    Args:
        record: the record of a stream that has ended.
        usage: the usage known so far.
        count: the tokenizer.
    """
    known = usage or Usage()
    reported = known.output_tokens
    if record.stream_type not in _TEXT_TYPES or not (reported is None or known.partial):
        return usage
    counted = sum(count(text) for text in _generated(record))
    if counted <= (reported or 0):
        return usage
    inputs = count_of(record.params.get("input_tokens")) if known.input_tokens is None else known.input_tokens
    return known.model_copy(
        update={
            "input_tokens": inputs,
            "output_tokens": counted,
            "total_tokens": None,
            "source": "estimated",
            "partial": known.partial or inputs is None or record.outcome is not Outcome.COMPLETED,
        }
    )


def _generated(record: StreamRecord) -> Iterator[str]:
    """All generated text of all choices, tool calls included."""
    for choice in record.choices:
        yield from filter(None, (choice.text, choice.reasoning, choice.refusal))
        for call in choice.tool_calls:
            yield from filter(None, (call.name, call.arguments))
