"""ibm-watsonx-ai: chat in OpenAI's format, and text generation, as pieces of text or as whole results."""

from __future__ import annotations

from typing import Any

from ..bodies import sse
from ..case import Case, Far, Row, Truth
from ..chat_cases import MESSAGES, Chat

_MODEL = "ibm/granite-4-h-small"
_SPECS = "/ml/v1/foundation_model_specs"
_TEXT = "/ml/v1/text/generation_stream"


def _model(url: str) -> Any:
    """A model whose requests go to the server, though the SDK asks for addresses of the cloud."""
    import httpx
    from ibm_watsonx_ai import APIClient, Credentials
    from ibm_watsonx_ai.foundation_models import ModelInference

    class Here(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            server = httpx.URL(url)
            request.url = request.url.copy_with(scheme=server.scheme, host=server.host, port=server.port)
            return super().handle_request(request)

    credentials = Credentials(url="https://us-south.ml.cloud.ibm.com", token="none")
    client = APIClient(credentials, httpx_client=httpx.Client(transport=Here()))
    client.default_project_id = "p"
    return ModelInference(model_id=_MODEL, api_client=client, validate=False)


def _ask(url: str) -> Any:
    return _model(url).chat_stream(messages=MESSAGES)


def _text(far: Far) -> None:
    far.read(_model(far.url).generate_text_stream("Hi"))


def _raw(far: Far) -> None:
    far.read(_model(far.url).generate_text_stream("Hi", raw_response=True))


def _piece(words: str, output: int, *, prompt: int = 0, stop: str = "not_finished") -> dict[str, Any]:
    result = {"generated_text": words, "generated_token_count": output, "input_token_count": prompt, "stop_reason": stop}
    return {"model_id": _MODEL, "created_at": "2026-11-30T10:00:00Z", "results": [result]}


_PIECES = sse([_piece("", 0, prompt=12), _piece("Bring a ", 2), _piece("coat.", 5, stop="eos_token")], done=False)
_CHAT = Chat("watsonx", _MODEL, "/ml/v1/text/chat_stream", _ask, apart=False, done=False)
_ONLY_TEXT = "the SDK yields pieces of text alone"

ROW = Row(
    "ibm-watsonx-ai",
    "1.8.1",
    (
        *_CHAT.cases,
        _CHAT.call,
        _CHAT.failure(event=True),
        Case(
            "text, raw",
            _raw,
            {_TEXT: _PIECES},
            Truth("watsonx", "Bring a coat.", usage={"input_tokens": 12, "output_tokens": 5}, model=_MODEL),
        ),
        Case(
            "text",
            _text,
            {_TEXT: _PIECES},
            Truth("watsonx", "Bring a coat.", usage={"input_tokens": 12, "output_tokens": 5}, model=_MODEL),
            {"finish_reason": _ONLY_TEXT, "usage": _ONLY_TEXT, "model": _ONLY_TEXT},
        ),
    ),
)
