"""writer-sdk: OpenAI's chat with `prompt_token_details`, and completions of its own."""

from __future__ import annotations

from typing import Any

from ..bodies import sse
from ..case import Case, Far, Row, Truth
from ..chat_cases import MESSAGES, REPORT, Chat

_MODEL = "palmyra-x5"
_REPORT = {("prompt_token_details" if name == "prompt_tokens_details" else name): value for name, value in REPORT.items()}


def _client(url: str) -> Any:
    from writerai import Writer

    return Writer(api_key="none", base_url=url)


def _ask(url: str) -> Any:
    return _client(url).chat.chat(model=_MODEL, messages=MESSAGES, stream=True)


def _aask(url: str) -> Any:
    from writerai import AsyncWriter

    return AsyncWriter(api_key="none", base_url=url).chat.chat(model=_MODEL, messages=MESSAGES, stream=True)


def _complete(far: Far) -> None:
    far.read(lambda: _client(far.url).completions.create(model=_MODEL, prompt="Hi", stream=True))


def _ask_application(far: Far) -> None:
    inputs = [{"id": "Question", "value": ["Hi"]}]
    far.read(lambda: _client(far.url).applications.generate_content("ours", inputs=inputs, stream=True))


def _ask_graph(far: Far) -> None:
    far.read(lambda: _client(far.url).graphs.question(graph_ids=["ours"], question="Hi", stream=True))


_TEXT = Truth("writer", "Bring a coat.", finish_reason=None)
_CHAT = Chat("writer", _MODEL, "/v1/chat", _ask, _aask, None, _REPORT)
_COMPLETION = Case(
    "completion",
    _complete,
    {"/v1/completions": sse([{"value": "Bring a "}, {"value": "coat."}])},
    _TEXT,
)
_APPLICATION = Case(
    "application",
    _ask_application,
    {"/v1/applications/ours": sse([{"delta": {"content": words}} for words in ("Bring a ", "coat.")])},
    _TEXT,
)
_QUESTION = Case(
    "question",
    _ask_graph,
    {
        "/v1/graphs/question": sse(
            [{"data": {"question": "Hi", "answer": words, "sources": []}} for words in ("Bring a ", "coat.")]
        )
    },
    _TEXT,
)

ROW = Row("writer-sdk", "3.0.0", (*_CHAT.cases, _CHAT.call, _CHAT.failure(event=True), _COMPLETION, _APPLICATION, _QUESTION))
