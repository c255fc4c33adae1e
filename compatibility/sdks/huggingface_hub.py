"""huggingface_hub: OpenAI's chat, and text generation, as tokens with their details or as pieces of text."""

from __future__ import annotations

from typing import Any

from ..bodies import sse
from ..case import Case, Far, Row, Truth
from ..chat_cases import MESSAGES, Chat

_MODEL = "meta-llama/Llama-3.3-70B-Instruct"


_clients: list[Any] = []
"""A stream is closed when its client is collected."""


def _ask(url: str) -> Any:
    from huggingface_hub import InferenceClient

    _clients.append(client := InferenceClient(base_url=url, api_key="none"))
    return client.chat_completion(MESSAGES, model=_MODEL, stream=True)


async def _aask(url: str) -> Any:
    from huggingface_hub import AsyncInferenceClient

    _clients.append(client := AsyncInferenceClient(base_url=url, api_key="none"))
    return await client.chat_completion(MESSAGES, model=_MODEL, stream=True)


def _generation(*, details: bool) -> Any:
    def drive(far: Far) -> None:
        from huggingface_hub import InferenceClient

        client = InferenceClient(model=f"{far.url}/generate_stream", token="none")
        far.read(lambda: client.text_generation("Hi", stream=True, details=details))

    return drive


def _token(text: str, *, special: bool = False, **fields: Any) -> dict[str, Any]:
    return {"index": 1, "token": {"id": 1, "text": text, "logprob": -0.1, "special": special}, "generated_text": None, **fields}


_DETAILS = {"finish_reason": "eos_token", "generated_tokens": 5, "input_length": 12, "seed": None}
_TOKENS = {
    "/generate_stream": sse(
        [
            _token("Bring a "),
            _token("coat."),
            _token("</s>", special=True, generated_text="Bring a coat.", details=_DETAILS),
        ],
        done=False,
    )
}
_COUNTS = {"input_tokens": 12, "output_tokens": 5}
_ONLY_TEXT = "the SDK yields pieces of text alone"
_CHAT = Chat("huggingface", _MODEL, "/chat/completions", _ask, _aask)

ROW = Row(
    "huggingface-hub",
    "2.4.0",
    (
        *_CHAT.cases,
        _CHAT.call,
        _CHAT.failure(),
        Case(
            "text generation with details",
            _generation(details=True),
            _TOKENS,
            Truth("huggingface", "Bring a coat.", usage=_COUNTS),
        ),
        Case(
            "text generation",
            _generation(details=False),
            _TOKENS,
            Truth("huggingface", "Bring a coat.</s>", usage=_COUNTS),  # the SDK hands on what is no text
            {"finish_reason": _ONLY_TEXT, "usage": _ONLY_TEXT},
        ),
    ),
)
