"""The request for each kind of stream, and the fields of a record that depend on the answer alone."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from ..client import AsyncChunkStream, AsyncClient
from ..records import StreamRecord
from ..tally import Tally
from ..testing import FakeProvider

_QUESTION = [{"role": "user", "content": "Well?"}]
_ELSEWHERE = {"request_id", "server_address", "server_port", "timing", "params", "chunk_count", "duplicates", "usage", "audio"}

ASK: Mapping[str, Callable[[AsyncClient, str], AsyncChunkStream]] = {
    "openai.chat": lambda client, model: client.stream_chat(model, _QUESTION),
    "openai.completions": lambda client, model: client.stream_completion(model, "Once upon a time"),
    "openai.responses": lambda client, model: client.stream_responses(model, "Well?"),
    "openai.speech": lambda client, model: client.stream_speech(model, "Well?", voice="alloy", sse=True),
    "openai.transcription": lambda client, model: client.stream_transcription(model, ("well.mp3", b"ID3")),
    "openai.images": lambda client, model: client.stream_image(model, "A grey square"),
}
"""The request, by dialect; the provider chooses by the model which stream it plays."""


def client_of(provider: FakeProvider, tally: Tally) -> AsyncClient:
    """A client of a provider on this machine, past any proxy that the environment names."""
    exempt = [host for host in (os.environ.get("NO_PROXY"), "127.0.0.1") if host]
    os.environ["NO_PROXY"] = ",".join(exempt)
    return AsyncClient(provider.base_url, tally=tally)


def answer_fields(record: StreamRecord) -> dict[str, Any]:
    """The fields of a record that depend on the answer alone.

    Left out are times, addresses and numbers of chunks, what is only in the request (the characters of a text to be spoken)
    and what is only in the headers (the media type of audio).
    """
    fields = record.model_dump(exclude=_ELSEWHERE)
    audio = record.audio and record.audio.model_dump(exclude={"mime_type"})
    usage = record.usage.model_dump(exclude={"characters", "source"}) if record.usage else {}
    return {**fields, "audio": audio, "usage": {name: value for name, value in usage.items() if value}}
