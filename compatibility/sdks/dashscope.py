"""dashscope: the functions of its first interface, whose items are mappings, and the client of its second, in three protocols."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from ..bodies import CALL, call_deltas, chat_chunks, sse, words
from ..case import Case, Far, Reply, Row, Truth
from ..chat_cases import MESSAGES

_MODEL = "qwen-plus"
_PATH = "/services/aigc/text-generation/generation"
_USED = {"input_tokens": 12, "output_tokens": 5, "total_tokens": 17, "prompt_tokens_details": {"cached_tokens": 4}}
_COUNTS = {"input_tokens": 12, "output_tokens": 5, "total_tokens": 17, "cache_read_tokens": 4}


def _generation(**options: Any) -> Callable[[Far], None]:
    def drive(far: Far) -> None:
        import dashscope

        dashscope.base_http_api_url = far.url
        call = dashscope.Generation.call
        far.read(lambda: call(_MODEL, messages=MESSAGES, result_format="message", stream=True, api_key="none", **options))

    return drive


async def _async_generation(far: Far) -> None:
    import dashscope

    dashscope.base_http_api_url = far.url
    call = dashscope.AioGeneration.call
    stream = await call(_MODEL, messages=MESSAGES, result_format="message", stream=True, incremental_output=True, api_key="none")
    await far.aread(stream)


def _compatible(far: Far) -> None:
    import dashscope
    from dashscope.aigc.chat_completion import Completions

    dashscope.base_compatible_api_url = far.url
    far.read(lambda: Completions.create(model=_MODEL, messages=MESSAGES, stream=True, api_key="none"))


def _client(protocol: str, **options: Any) -> Callable[[Far], None]:
    def drive(far: Far) -> None:
        import dashscope

        client = dashscope.Client(api_key="none", base_url=far.url, protocol=protocol)
        far.read(client.chat.completions.create(model=_MODEL, messages=MESSAGES, stream=True, **options))

    return drive


def _item(message: Mapping[str, Any], finish: str = "null") -> dict[str, Any]:
    choice = {"message": {"role": "assistant", "content": "", **message}, "finish_reason": finish, "index": 0}
    return {"output": {"choices": [choice]}, "usage": _USED, "request_id": "r-1"}


def _native(*items: Mapping[str, Any]) -> Mapping[str, Reply]:
    return {_PATH: Reply([_event(item) for item in items])}


def _event(item: Mapping[str, Any]) -> bytes:
    failed = "code" in item
    name, status = ("error", 400) if failed else ("result", 200)
    return f"id:1\nevent:{name}\n:HTTP_STATUS/{status}\ndata:{json.dumps(item)}\n\n".encode()


def _calls(arguments: str, **fields: Any) -> dict[str, Any]:
    return {"tool_calls": [{"index": 0, "type": "function", **fields, "function": {"arguments": arguments, **_NAME}}]}


_NAME = {"name": CALL[0]}
_ARGUMENTS = json.dumps(CALL[1])
_RAIN, _COAT = "Rain is over Ulm", "Bring a coat."
_PIECES = _native(
    *(_item({"reasoning_content": words}) for words in ("Rain", " is", " over", " Ulm")),
    *(_item({"content": words}) for words in ("Bring", " a", " coat", ".")),
    _item({}, "stop"),
)
_SNAPSHOTS = _native(
    *(_item({"reasoning_content": words}) for words in ("Rain", "Rain is", "Rain is over", _RAIN)),
    *(_item({"reasoning_content": _RAIN, "content": words}) for words in ("Bring", "Bring a", "Bring a coat", _COAT)),
    _item({"reasoning_content": _RAIN, "content": _COAT}, "stop"),
)
_CALLED = _native(
    _item(_calls(_ARGUMENTS[:6], id="call_1")),
    _item({"tool_calls": [{"index": 0, "type": "function", "id": "", "function": {"arguments": _ARGUMENTS[6:]}}]}),
    _item({}, "tool_calls"),
)
_FAILED = {"code": "DataInspectionFailed", "message": "out of coats", "request_id": "r-1"}
_ANSWER = Truth("alibaba", _COAT, _RAIN, usage=_COUNTS)
_CALL = Truth("alibaba", tool_calls=[CALL], finish_reason="tool_calls", usage=_COUNTS)

_OPENAI = "/chat/completions"
_REPORT = {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17, "prompt_tokens_details": {"cached_tokens": 4}}
_SPOKEN = sse(
    chat_chunks(*words("Rain ", "over ", field="reasoning_content"), *words("Bring a ", "coat."), usage=_REPORT, model=_MODEL)
)
_CALLING = sse(chat_chunks(*call_deltas(), finish="tool_calls", usage=_REPORT, model=_MODEL))


def _messages(*events: Mapping[str, Any]) -> Reply:
    start: dict[str, Any] = {
        "id": "m1",
        "type": "message",
        "role": "assistant",
        "model": _MODEL,
        "content": [],
        "stop_reason": None,
    }
    used = {"input_tokens": 12, "output_tokens": 1}
    whole = [{"type": "message_start", "message": {**start, "usage": used}}, *events, {"type": "message_stop"}]
    return sse(whole, names=[str(event["type"]) for event in whole], done=False)


def _block(block: Mapping[str, Any], *deltas: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {"type": "content_block_start", "index": 0, "content_block": block},
        *({"type": "content_block_delta", "index": 0, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": 0},
    ]


_TOOL_USE = _messages(
    *_block(
        {"type": "tool_use", "id": "call_1", "name": CALL[0], "input": {}},
        {"type": "input_json_delta", "partial_json": _ARGUMENTS[:6]},
        {"type": "input_json_delta", "partial_json": _ARGUMENTS[6:]},
    ),
    {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 5}},
)
_PLAIN = {"input_tokens": 12, "output_tokens": 5, "total_tokens": 17}

ROW = Row(
    "dashscope",
    "2.0.2",
    (
        Case("first interface, snapshots", _generation(), _SNAPSHOTS, _ANSWER),
        Case("first interface, pieces", _generation(incremental_output=True), _PIECES, _ANSWER),
        Case("first interface, pieces, async", _async_generation, _PIECES, _ANSWER),
        Case("first interface, snapshots made by the SDK", _generation(incremental_output=False), _PIECES, _ANSWER),
        Case("first interface, tool call", _generation(incremental_output=True), _CALLED, _CALL),
        Case("first interface, tool call, snapshots made by the SDK", _generation(incremental_output=False), _CALLED, _CALL),
        Case(
            "first interface, error in the stream",
            _generation(incremental_output=True),
            _native(_item({"content": "Bring "}), _FAILED),
            Truth("alibaba", "Bring ", finish_reason=None, usage=_COUNTS, outcome="error", error="out of coats"),
        ),
        Case(
            "first interface, OpenAI's chat, where the SDK fails at the end",
            _compatible,
            {_OPENAI: _SPOKEN},
            Truth(
                "alibaba",
                "Bring a coat.",
                "Rain over ",
                usage=_COUNTS,
                model=_MODEL,
                outcome="error",
                error="'JSONDecodeError' object has no attribute 'message'",
            ),
        ),
        Case("client", _client("native"), _PIECES, _ANSWER),
        Case("client, snapshots", _client("native", incremental_output=False), _PIECES, _ANSWER),
        Case("client, tool call", _client("native"), _CALLED, _CALL),
        Case("client, tool call, snapshots", _client("native", incremental_output=False), _CALLED, _CALL),
        Case(
            "client, OpenAI's protocol",
            _client("openai"),
            {_OPENAI: _SPOKEN},
            Truth("alibaba", "Bring a coat.", "Rain over ", usage=_COUNTS, model=_MODEL),
        ),
        Case(
            "client, OpenAI's protocol, tool call",
            _client("openai"),
            {_OPENAI: _CALLING},
            Truth("alibaba", tool_calls=[CALL], finish_reason="tool_calls", usage=_COUNTS, model=_MODEL),
        ),
        Case(
            "client, Anthropic's protocol, tool call",
            _client("anthropic"),
            {"/v1/messages": _TOOL_USE},
            Truth("alibaba", tool_calls=[CALL], finish_reason="tool_calls", usage=_PLAIN, model=_MODEL),
        ),
    ),
)
