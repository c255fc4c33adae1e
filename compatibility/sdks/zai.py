"""zai-sdk: OpenAI's chat, without `object`."""

from __future__ import annotations

from typing import Any

from ..bodies import sse
from ..case import Case, Far, Row, Truth
from ..chat_cases import MESSAGES, Chat

_MODEL = "glm-4.6"


def _ask(url: str) -> Any:
    from zai import ZaiClient

    return ZaiClient(api_key="none", base_url=url).chat.completions.create(model=_MODEL, messages=MESSAGES, stream=True)


def _speak(far: Far) -> None:
    from zai import ZaiClient

    client = ZaiClient(api_key="none", base_url=far.url)
    far.read(lambda: client.audio.speech(model="glm-tts", input="Hi", voice="ours", response_format="pcm", stream=True))


def _spoken(audio: str, finish: str | None = None) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {"role": "assistant", "content": audio}, "finish_reason": finish}], "created": 1}


_CHAT = Chat("zai", _MODEL, "/chat/completions", _ask, apart=False)

_SPEECH = Case("speech", _speak, {"/audio/speech": sse([_spoken("AAEC"), _spoken("", "stop")])}, Truth("zai", audio=3))

ROW = Row("zai-sdk", "0.2.3", (*_CHAT.cases, _CHAT.call, _CHAT.failure("An error occurred during streaming"), _SPEECH))
