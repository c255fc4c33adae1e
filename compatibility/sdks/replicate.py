"""replicate: events whose data is a piece of the output."""

from __future__ import annotations

import json
from typing import Any

from ..case import Case, Far, Reply, Row, Truth

_PATHS = "/models/ours/poet/predictions"


def _stream(far: Far) -> None:
    from replicate.client import Client

    client = Client(api_token="none", base_url=far.url)
    far.read(lambda: client.stream("ours/poet", input={"prompt": "Hi"}))


async def _astream(far: Far) -> None:
    from replicate.client import Client

    client = Client(api_token="none", base_url=far.url)
    await far.aread(await client.async_stream("ours/poet", input={"prompt": "Hi"}))


def _prediction(url: str) -> bytes:
    prediction: dict[str, Any] = {
        "id": "p1",
        "model": "ours/poet",
        "version": "1",
        "status": "starting",
        "input": {"prompt": "Hi"},
        "urls": {"get": f"{url}/predictions/p1", "stream": f"{url}/events/p1"},
    }
    return json.dumps(prediction).encode()


def _events(*events: tuple[str, str]) -> Reply:
    pieces = []
    for number, (name, data) in enumerate(events):
        data_lines = "".join(f"data: {line}\n" for line in data.split("\n"))
        pieces.append(f"event: {name}\nid: {number}:0\n{data_lines}\n".encode())
    return Reply(pieces)


def _replies(*events: tuple[str, str]) -> dict[str, Reply]:
    return {_PATHS: Reply(_prediction, "application/json", 201), "/events/p1": _events(*events)}


_SPOKEN = _replies(("output", "Bring a "), ("logs", "loaded"), ("output", "coat.\n"), ("output", '{"a": 1}'), ("done", "{}"))
_ANSWER = Truth("replicate", 'Bring a coat.\n{"a": 1}')

ROW = Row(
    "replicate",
    "1.0.7",
    (
        Case("stream", _stream, _SPOKEN, _ANSWER),
        Case("stream, async", _astream, _SPOKEN, _ANSWER),
        Case(
            "canceled",
            _stream,
            _replies(("output", "Bring "), ("done", '{"reason": "canceled"}')),
            Truth("replicate", "Bring ", finish_reason=None, outcome="error", error="canceled"),
        ),
        Case(
            "error in the stream",
            _stream,
            _replies(("output", "Bring "), ("error", "out of coats"), ("done", '{"reason": "error"}')),
            Truth("replicate", "Bring ", finish_reason=None, outcome="error", error="out of coats"),
        ),
    ),
)
