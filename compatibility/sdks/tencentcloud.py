"""tencentcloud-sdk-python-hunyuan: events as mappings, whose data is a chat in capitals."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..bodies import CALL, sse
from ..case import Case, Far, Row, Truth

_USED = {"PromptTokens": 12, "CompletionTokens": 5, "TotalTokens": 17, "PromptTokensDetails": {"CachedTokens": 4}}
_COUNTS = {"input_tokens": 12, "output_tokens": 5, "total_tokens": 17, "cache_read_tokens": 4}


def _chat(far: Far) -> None:
    from tencentcloud.common.credential import Credential
    from tencentcloud.common.profile.client_profile import ClientProfile
    from tencentcloud.common.profile.http_profile import HttpProfile
    from tencentcloud.hunyuan.v20230901.hunyuan_client import HunyuanClient
    from tencentcloud.hunyuan.v20230901.models import ChatCompletionsRequest

    profile = ClientProfile(httpProfile=HttpProfile(protocol="http", endpoint=f"{far.host}:{far.port}"))
    request = ChatCompletionsRequest()
    request.from_json_string(
        json.dumps({"Model": "hunyuan-turbos-latest", "Stream": True, "Messages": [{"Role": "user", "Content": "Hi"}]})
    )
    far.read(lambda: HunyuanClient(Credential("id", "none"), "", profile).ChatCompletions(request))


def _chunk(delta: Mapping[str, Any], finish: str = "", **fields: Any) -> dict[str, Any]:
    choice = {"Index": 0, "Delta": {"Role": "assistant", **delta}, "FinishReason": finish}
    return {"Id": "c1", "Created": 1, "Note": "made by a model", "Choices": [choice], "Usage": _USED, **fields}


def _call(arguments: str, **fields: Any) -> dict[str, Any]:
    call = {"Index": 0, "Id": "call_1", "Type": "function", "Function": {"Name": CALL[0], "Arguments": arguments}, **fields}
    return {"Content": "", "ToolCalls": [call]}


_ERROR = {"Msg": "out of coats", "Code": 4001}
_ARGUMENTS = json.dumps(CALL[1])

ROW = Row(
    "tencentcloud-sdk-python-hunyuan",
    "3.1.180",
    (
        Case(
            "chat",
            _chat,
            {
                "/": sse(
                    [
                        _chunk({"ReasoningContent": "Rain "}),
                        _chunk({"ReasoningContent": "over "}),
                        _chunk({"Content": "Bring a "}),
                        _chunk({"Content": "coat."}),
                        _chunk({"Content": ""}, "stop"),
                    ]
                )
            },
            Truth("tencent", "Bring a coat.", "Rain over ", usage=_COUNTS),
        ),
        Case(
            "tool call",
            _chat,
            {"/": sse([_chunk(_call(_ARGUMENTS[:6])), _chunk(_call(_ARGUMENTS[6:])), _chunk({"Content": ""}, "tool_calls")])},
            Truth("tencent", tool_calls=[CALL], finish_reason="tool_calls", usage=_COUNTS),
        ),
        Case(
            "error in the stream",
            _chat,
            {
                "/": sse(
                    [_chunk({"Content": "Bring "}), {"Id": "c1", "ErrorMsg": {"Msg": "out of coats", "Code": 4001}}], done=False
                )
            },
            Truth("tencent", "Bring ", finish_reason=None, usage=_COUNTS, outcome="error", error="out of coats"),
        ),
    ),
    beside=("tencentcloud-sdk-python-common==3.1.195",),
    variables={"HTTP_PROXY": "", "http_proxy": ""},  # it looks for the host with its port among those without a proxy
)
