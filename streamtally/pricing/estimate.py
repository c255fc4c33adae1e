"""Tokens that nobody counted, estimated with a tokenizer that the user brings: only when asked for, and always marked.

Pure, as far as the tokenizer is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..json_readers import count_of
from ..records import Outcome, StreamRecord, StreamType, Usage

CountTokens = Callable[[str], int]
"""How many tokens a text has, such as `lambda text: len(encoding.encode(text))` with tiktoken."""

_OF_WORDS = frozenset({StreamType.TEXT, StreamType.CHAT, StreamType.RESPONSES})


def estimated(record: StreamRecord, usage: Usage | None, count: CountTokens) -> Usage | None:
    """The usage with the output counted in what came, where the provider did not say it or the stream was cut.

    A provider's own count stays where it is the larger one. The input cannot be counted, for a record does not hold it: it is
    what the provider said, else the `input_tokens` among the request's parameters. Without it, or where the stream was cut,
    the usage is a lower bound (`partial`).

    Args:
        record: of a stream that has ended.
        usage: what is known of its usage.
        count: the tokenizer.
    """
    known = usage or Usage()
    said = known.output_tokens
    if record.stream_type not in _OF_WORDS or not (said is None or known.partial):
        return usage
    words = sum(count(text) for text in _generated(record))
    if words <= (said or 0):
        return usage
    given = count_of(record.params.get("input_tokens")) if known.input_tokens is None else known.input_tokens
    return known.model_copy(
        update={
            "input_tokens": given,
            "output_tokens": words,
            "total_tokens": None,
            "source": "estimated",
            "partial": known.partial or given is None or record.outcome is not Outcome.COMPLETED,
        }
    )


def _generated(record: StreamRecord) -> Iterator[str]:
    """All words of all choices."""
    for choice in record.choices:
        yield from filter(None, (choice.text, choice.reasoning, choice.refusal))
        for call in choice.tool_calls:
            yield from filter(None, (call.name, call.arguments))
