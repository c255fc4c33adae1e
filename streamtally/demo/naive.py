"""A loop as many programs have it, whose faults the demo shows: do not fix them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit

PRICES = {"gpt-4o": (2.50, 10.00), "gpt-4.1-mini": (0.40, 1.60)}
"""Dollars per million prompt and completion tokens; like most such tables, it is out of date."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the loop returns, errors included."""

    text: str
    time_to_first_token: float
    tool: str
    arguments: str
    usage: dict[str, Any] | None
    cost: float


def events(base_url: str, model: str) -> Iterator[dict[str, Any]]:
    """The chunks of a chat completion, read from the network line by line."""
    address = urlsplit(base_url)
    connection = HTTPConnection(address.netloc)
    body = {"model": model, "messages": [{"role": "user", "content": "Well?"}], "stream": True}
    try:
        connection.request("POST", f"{address.path}/chat/completions", json.dumps(body), {"Content-Type": "application/json"})
        yield from parsed(connection.getresponse())
    finally:
        connection.close()


def parsed(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """The JSON of the lines that have some."""
    for line in lines:
        if line.startswith(b"data: {"):
            yield json.loads(line.removeprefix(b"data: "))


def read_answer(chunks: Iterable[dict[str, Any]], show: Callable[[str], object]) -> Answer:
    """Put the chunks together as they come; `show` is called with each piece of text."""
    started = perf_counter()
    first = None
    text = tool = arguments = model = ""
    usage = None
    for chunk in chunks:
        first = first or perf_counter()
        model = chunk["model"]
        usage = chunk.get("usage")
        for choice in chunk["choices"]:
            delta = choice["delta"]
            if delta.get("content"):
                text += delta["content"]
                show(delta["content"])
            for call in delta.get("tool_calls", ()):
                tool = call["function"].get("name", tool)
                arguments += call["function"]["arguments"]
    return Answer(text, (first or started) - started, tool, arguments, usage, _cost(model, usage))


def _cost(model: str, usage: dict[str, Any] | None) -> float:
    prompt, completion = PRICES.get(model, (0, 0))
    counts: dict[str, int] = usage or {}
    return (counts.get("prompt_tokens", 0) * prompt + counts.get("completion_tokens", 0) * completion) / 1_000_000
