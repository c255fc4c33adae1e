"""Runs the cases of one row in this process, whose environment has the SDK, and prints what was recorded: a JSON line for each.

python -m compatibility.run groq
"""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from streamtally import StreamRecord, Tally

from .case import Case
from .server import serving
from .table import row_named

_NO_COUNTS = frozenset({"raw", "source", "partial"})
"""Fields of `Usage` that are not counts."""


class Reader:
    """What a case is given; see `Far`."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.host, _, port = url.removeprefix("http://").partition(":")
        self.port = int(port)
        self.tally = Tally()
        self.record: StreamRecord | None = None
        self.raised: str | None = None

    def read(self, source: Any, **options: Any) -> list[Any]:
        """See `Far`."""
        items: list[Any] = []
        wrapped = self.tally.wrap(source, **options)
        with self._noting(), wrapped as stream:
            items += stream
        self.take(wrapped.record)
        return items

    async def aread(self, source: Any, **options: Any) -> list[Any]:
        """See `Far`."""
        items: list[Any] = []
        wrapped = self.tally.wrap(source, **options)
        async with self._anoting(), wrapped as stream:
            items += [item async for item in stream]
        self.take(wrapped.record)
        return items

    def take(self, record: Any) -> None:
        """See `Far`."""
        if self.record is not None:
            raise RuntimeError("a case has one record")
        self.record = record

    @contextmanager
    def _noting(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # what an SDK makes of an error in the stream
            self.raised = f"{type(error).__name__}: {error}"[:300]

    @asynccontextmanager
    async def _anoting(self) -> AsyncIterator[None]:
        with self._noting():
            yield


def seen_in(record: StreamRecord, raised: str | None) -> dict[str, Any]:
    """The part of a record that is compared and shown, as JSON."""
    counts = record.usage.model_dump(mode="json", exclude=set(_NO_COUNTS)) if record.usage else {}
    error = record.error
    return {
        "dialect": record.dialect,
        "provider": record.provider,
        "text": record.text,
        "reasoning": record.reasoning,
        "tool_calls": [[call.name, call.arguments_json] for call in record.tool_calls],
        "finish_reason": record.finish_reason,
        "usage": {name: count for name, count in counts.items() if count is not None},
        "model": record.model,
        "audio": 0 if record.audio is None else record.audio.size,
        "outcome": record.outcome and record.outcome.value,
        "error": error and " ".join(str(part) for part in (error.type, error.code, error.message) if part),
        "cost": record.cost.status if record.cost.usd is None else "priced",
        "started_from": record.timing.started_from,
        "first": _first(record),
        "faults": record.extras.get("observation_faults"),
        "raised": raised,
    }


def _first(record: StreamRecord) -> str | None:
    """What the shortest latency of a record ends with."""
    timing = record.timing
    if timing.time_to_first_text is not None:
        return "text"
    if timing.time_to_first_token is not None:
        return "token"
    return None if timing.time_to_first_chunk is None else "chunk"


def result_of(case: Case) -> dict[str, Any]:
    """What a case recorded, or why it failed."""
    with serving(case.replies) as server:
        reader = Reader(server.url)
        try:
            driven = case.drive(reader)
            if inspect.isawaitable(driven):
                asyncio.run(_awaited(driven))
            return {"failed": "nothing was read"} if reader.record is None else seen_in(reader.record, reader.raised)
        except Exception as error:  # the report names what fails
            return {"failed": f"{type(error).__name__}: {error}"[:300]}


async def _awaited(driven: Any) -> None:
    await driven


def main(name: str) -> None:
    """Run all cases of a row. What SDKs print goes to standard error."""
    results = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for case in row_named(name).cases:
        print(json.dumps({"case": case.name, **result_of(case)}), file=results, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
