"""Answers of OpenAI's chat that the rows of frameworks have in common, and what they say."""

from __future__ import annotations

from typing import Any

from .bodies import CALL, call_deltas, chat_chunks, sse, words
from .case import Reply, Truth

PATH = "/chat/completions"
MODEL = "gpt-4o"
USAGE = {
    "prompt_tokens": 12,
    "completion_tokens": 5,
    "total_tokens": 17,
    "prompt_tokens_details": {"cached_tokens": 4},
    "completion_tokens_details": {"reasoning_tokens": 2},
}
COUNTS = {"input_tokens": 12, "output_tokens": 5, "total_tokens": 17, "cache_read_tokens": 4, "reasoning_tokens": 2}

SPOKEN: dict[str, Reply] = {PATH: sse(chat_chunks(*words("Bring a ", "coat."), model=MODEL, usage=USAGE))}
"""An answer of text."""

CALLED: dict[str, Reply] = {PATH: sse(chat_chunks(*call_deltas(), finish="tool_calls", model=MODEL, usage=USAGE))}
"""An answer with a call."""

RUN = {PATH: [CALLED[PATH], SPOKEN[PATH]]}
"""What the model answers in a run: a call, then text."""


UNSTATED = {"provider": "no chunk states it, and several providers use the format"}
"""What the record lacks of a framework that hands on chunks of OpenAI's."""


def spoken(provider: str | None = "openai", **fields: Any) -> Truth:
    """What `SPOKEN` says."""
    return Truth(**{"provider": provider, "text": "Bring a coat.", "usage": COUNTS, "model": MODEL, **fields})


def called(provider: str | None = "openai", **fields: Any) -> Truth:
    """What `CALLED` says."""
    said = {"tool_calls": [CALL], "finish_reason": "tool_calls", "usage": COUNTS, "model": MODEL}
    return Truth(**{"provider": provider, **said, **fields})


def run(provider: str | None = "openai", **fields: Any) -> Truth:
    """What `RUN` says, with the sum of the usage."""
    return spoken(provider, **{"tool_calls": [CALL], "usage": {name: 2 * count for name, count in COUNTS.items()}, **fields})


def without(*counts: str, times: int = 1) -> dict[str, int]:
    """The counts of an answer, or of several, without some."""
    return {name: times * count for name, count in COUNTS.items() if name not in counts}
