"""The message that the official Anthropic SDK accumulates from a stream, through its own client."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import anthropic
import httpx2

from tests.quirks.bodies import sse


def final_blocks(payloads: Iterable[Any]) -> list[dict[str, Any]]:
    """Return the content blocks of the SDK's final message."""
    body = sse([payload for payload in payloads if isinstance(payload, dict)], named=True)
    with _client(body) as client, client.beta.messages.stream(max_tokens=1, messages=[], model="m") as stream:
        message = stream.get_final_message()
    return [
        block.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude={"parsed_output"}) for block in message.content
    ]


def _client(body: bytes) -> anthropic.Anthropic:
    answer = httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=body)
    client = httpx2.Client(transport=httpx2.MockTransport(lambda _: answer))
    return anthropic.Anthropic(api_key="none", base_url="http://localhost", http_client=client)
