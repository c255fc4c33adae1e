"""The qianfan SDK: responses as mappings over a body, which is in OpenAI's format (second API), or has a piece of the result.

Source: https://cloud.baidu.com/doc/WENXINWORKSHOP/s/clntwmv7t
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..dialects import openai_chat
from ..json_readers import mapping_of
from .base import Row, Source
from .extract import Extract

_OF_CHOICE = ("result", "finish_reason", "is_end", "is_truncated", "function_call", "sentence_id", "object")


def _unwrap(response: Any) -> Mapping[str, Any]:
    """The body in OpenAI's form. The first API ends with `is_end`, of which `is_truncated` says whether a bound was met."""
    body = mapping_of(response.body)
    if "choices" in body:
        return body
    if body.get("error_code"):
        return {"error": {"code": body["error_code"], "message": body.get("error_msg")}}
    delta = {"content": body.get("result"), "function_call": body.get("function_call")}
    choice = {"index": 0, "delta": delta, "finish_reason": _finish(body)}
    others = {name: value for name, value in body.items() if name not in _OF_CHOICE}
    return {**others, "object": "chat.completion.chunk", "choices": [choice]}


def _finish(body: Mapping[str, Any]) -> str | None:
    if not body.get("is_end"):
        return None
    if stated := body.get("finish_reason"):
        return str(stated)
    return "length" if body.get("is_truncated") else "function_call" if body.get("function_call") else "stop"


SOURCE = Source(
    "qianfan",
    provider="baidu",
    rows={"QfResponse": Row(openai_chat.DIALECT.name, Extract(unwrap=_unwrap))},
)
