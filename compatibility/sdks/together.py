"""together: OpenAI's chat."""

from __future__ import annotations

from typing import Any

from ..bodies import sse
from ..case import Case, Far, Row, Truth
from ..chat_cases import MESSAGES, Chat, completion

_VOICE = "cartesia/sonic"
_MODEL = "meta-llama/Llama-3.3-70B-Instruct-Turbo"


def _ask(url: str) -> Any:
    from together import Together

    return Together(api_key="none", base_url=url).chat.completions.create(model=_MODEL, messages=MESSAGES, stream=True)


def _aask(url: str) -> Any:
    from together import AsyncTogether

    return AsyncTogether(api_key="none", base_url=url).chat.completions.create(model=_MODEL, messages=MESSAGES, stream=True)


def _complete(url: str) -> Any:
    from together import Together

    return Together(api_key="none", base_url=url).completions.create(model=_MODEL, prompt="Hi", stream=True)


def _speak(far: Far) -> None:
    from together import Together

    client = Together(api_key="none", base_url=far.url)
    far.read(lambda: client.audio.speech.create(model=_VOICE, input="Hi", voice="ours", stream=True, response_format="raw"))


_CHAT = Chat("together", _MODEL, "/chat/completions", _ask, _aask, "reasoning", apart=False)
_SPEECH = Case(
    "speech",
    _speak,
    {"/audio/speech": sse([{"object": "audio.tts.chunk", "model": _VOICE, "b64": "AAEC"}])},
    Truth("together", finish_reason=None, model=_VOICE, audio=3),
)

ROW = Row(
    "together",
    "3.1.1",
    (
        *_CHAT.cases,
        _CHAT.call,
        _CHAT.failure(),
        completion("together", _MODEL, "/completions", _complete, finish_reason="length"),
        _SPEECH,
    ),
)
