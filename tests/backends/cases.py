"""Streams and the expected attributes of their spans, for every stream type and every kind of end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from opentelemetry.proto.trace.v1.trace_pb2 import Status

from streamtally.testing.scenarios import Call, chat, completions, images, responses, speech, transcription
from tests.backends.traffic import CACHED, REQUESTS, Dropped, Play, anthropic, asked

UNSET, ERROR = int(Status.STATUS_CODE_UNSET), int(Status.STATUS_CODE_ERROR)


@dataclass(frozen=True)
class Case:
    """One stream, and its span: the name, all attributes but the request's ID, and the status."""

    play: Play
    name: str
    attributes: Mapping[str, Any]
    status: int = UNSET


_ALWAYS = {
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4.1-mini",
    "gen_ai.request.stream": True,
    "server.address": "api.openai.com",
    "server.port": 443,
    "streamtally.outcome": "completed",
}
_CHAT = {
    **_ALWAYS,
    "gen_ai.operation.name": "chat",
    "gen_ai.response.id": "chatcmpl-0",
    "gen_ai.response.model": "gpt-4.1-mini",
    "gen_ai.response.finish_reasons": ("stop",),
    "gen_ai.response.time_to_first_chunk": 0.5,
    "openai.api.type": "chat_completions",
    "openai.response.service_tier": "default",
    "openai.response.system_fingerprint": "fp_0",
    "streamtally.dialect": "openai.chat",
    "streamtally.time_to_first_token": 0.75,
}
_SHORT = chat("one two", model="gpt-4.1-mini").delayed(0.25, headers=0.25)
_OPENAI = asked("openai")


def _used(given: int, made: int, seconds: float, **parts: int) -> dict[str, Any]:
    """The attributes of token counts and of speed; `seconds` are those from the first token to the end.

    The name of a part has `__` for the dot in its attribute, as in `cache_read__input`.
    """
    counts = {"input": given, "output": made} | {name.replace("__", "."): count for name, count in parts.items()}
    tokens = {f"gen_ai.usage.{name}_tokens": count for name, count in counts.items()}
    return {**tokens, "streamtally.tokens_per_second": made / seconds}


_NO_PARTS = {"cache_read__input": 0, "reasoning__output": 0, "audio__input": 0, "audio__output": 0}
_UNUSED = {"streamtally.cost.status": "no_usage"}
_CUT = {**_CHAT, **_UNUSED, "gen_ai.response.finish_reasons": ("error",)}

CASES = {
    "success": Case(
        Play(_SHORT, {**_OPENAI, "temperature": 0.5, "max_tokens": 64, "stop": ["END"]}),
        "chat gpt-4.1-mini",
        {
            **_CHAT,
            **_used(9, 2, 1.0, **_NO_PARTS),
            "gen_ai.request.temperature": 0.5,
            "gen_ai.request.max_tokens": 64,
            "streamtally.chunks": 6,
        },
    ),
    "reasoning and cache": Case(
        Play(chat("so", reasoning="well now", usage=CACHED).delayed(0.25, headers=0.25), {**_OPENAI, "reasoning_effort": "low"}),
        "chat gpt-4.1-mini",
        {
            **_CHAT,
            **_used(1200, 300, 1.25, cache_read__input=1000, reasoning__output=120),
            "gen_ai.request.reasoning.level": "low",
            "streamtally.chunks": 7,
        },
    ),
    "tools": Case(
        Play(chat(tool_calls=(Call("look_up", '{"q":1}'), Call("go", "{}"))).delayed(0.25, headers=0.25), _OPENAI),
        "chat gpt-4.1-mini",
        {
            **_CHAT,
            **_used(9, 4, 1.5, **_NO_PARTS),
            "gen_ai.response.finish_reasons": ("tool_calls",),
            "streamtally.chunks": 8,
        },
    ),
    "two choices": Case(
        Play(chat("one two", n=2, finish_reason="length").delayed(0.25, headers=0.25), {**_OPENAI, "n": 2}),
        "chat gpt-4.1-mini",
        {
            **_CHAT,
            **_used(9, 4, 1.75, **_NO_PARTS),
            "gen_ai.request.choice.count": 2,
            "gen_ai.response.finish_reasons": ("length", "length"),
            "streamtally.chunks": 10,
            "streamtally.time_to_first_token": 1.0,
        },
    ),
    "one choice of two, cut short": Case(
        Play(_SHORT.cut(len(_SHORT.body) // 2, clean=True), {**_OPENAI, "n": 2}),
        "chat gpt-4.1-mini",
        {
            **_CUT,
            "gen_ai.request.choice.count": 2,
            "gen_ai.response.finish_reasons": ("error", "error"),
            "streamtally.chunks": 3,
            "streamtally.outcome": "truncated",
        },
    ),
    "truncation": Case(
        Play(_SHORT.cut(len(_SHORT.body) // 2, clean=True), _OPENAI),
        "chat gpt-4.1-mini",
        {**_CUT, "streamtally.chunks": 3, "streamtally.outcome": "truncated"},
    ),
    "cancel": Case(
        Play(_SHORT, _OPENAI, leaves_after=2),
        "chat gpt-4.1-mini",
        {**_CUT, "streamtally.chunks": 2, "streamtally.outcome": "cancelled"},
    ),
    "error in the stream": Case(
        Play(_SHORT.failing(2), _OPENAI),
        "chat gpt-4.1-mini",
        {**_CUT, "error.type": "server_error", "streamtally.chunks": 3, "streamtally.outcome": "error"},
        ERROR,
    ),
    "connection lost": Case(
        Play(_SHORT.cut(len(_SHORT.body) // 2), _OPENAI, error=Dropped("gone")),
        "chat gpt-4.1-mini",
        {**_CUT, "error.type": "Dropped", "streamtally.chunks": 3, "streamtally.outcome": "error"},
        ERROR,
    ),
    "time-out": Case(
        Play(_SHORT.cut(len(_SHORT.body) // 2), _OPENAI, error=TimeoutError("no more")),
        "chat gpt-4.1-mini",
        {**_CUT, "error.type": "timeout", "streamtally.chunks": 3, "streamtally.outcome": "timeout"},
        ERROR,
    ),
    "anthropic": Case(
        Play(anthropic("one two", REQUESTS["anthropic"]).delayed(0.25, headers=0.25), asked("anthropic")),
        f"chat {REQUESTS['anthropic']}",
        {
            **_ALWAYS,
            **_used(1050, 4, 1.0, cache_read__input=900, cache_creation__input=50),
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "anthropic",
            "gen_ai.request.model": REQUESTS["anthropic"],
            "gen_ai.response.finish_reasons": ("stop",),
            "gen_ai.response.id": "msg_0",
            "gen_ai.response.model": REQUESTS["anthropic"],
            "gen_ai.response.time_to_first_chunk": 0.5,
            "server.address": "api.anthropic.com",
            "streamtally.chunks": 7,
            "streamtally.dialect": "anthropic.messages",
            "streamtally.time_to_first_token": 1.0,
        },
    ),
    "text completion": Case(
        Play(completions("one two").delayed(0.25, headers=0.25), {**_OPENAI, "model": "gpt-3.5-turbo-instruct"}),
        "text_completion gpt-3.5-turbo-instruct",
        {
            **_ALWAYS,
            **_used(9, 2, 1.0),
            "gen_ai.operation.name": "text_completion",
            "gen_ai.request.model": "gpt-3.5-turbo-instruct",
            "gen_ai.response.finish_reasons": ("stop",),
            "gen_ai.response.id": "cmpl-0",
            "gen_ai.response.model": "gpt-3.5-turbo-instruct",
            "gen_ai.response.time_to_first_chunk": 0.5,
            "streamtally.chunks": 5,
            "streamtally.dialect": "openai.completions",
            "streamtally.time_to_first_token": 0.5,
        },
    ),
    "responses": Case(
        Play(responses("one two").delayed(0.25, headers=0.25), _OPENAI),
        "chat gpt-4.1-mini",
        {
            **_ALWAYS,
            **_used(9, 2, 1.25, cache_read__input=0, cache_creation__input=0, reasoning__output=0),
            "gen_ai.operation.name": "chat",
            "gen_ai.response.finish_reasons": ("stop",),
            "gen_ai.response.id": "resp_0",
            "gen_ai.response.model": "gpt-4.1-mini",
            "gen_ai.response.time_to_first_chunk": 0.5,
            "openai.api.type": "responses",
            "openai.response.service_tier": "default",
            "streamtally.chunks": 10,
            "streamtally.dialect": "openai.responses",
            "streamtally.time_to_first_token": 1.5,
        },
    ),
    "speech": Case(
        Play(speech(sse=True).delayed(0.25, headers=0.25), {**_OPENAI, "model": "gpt-4o-mini-tts"}),
        "generate_content gpt-4o-mini-tts",
        {
            **_ALWAYS,
            **_used(9, 80, 1.25),
            "gen_ai.operation.name": "generate_content",
            "gen_ai.output.type": "speech",
            "gen_ai.request.model": "gpt-4o-mini-tts",
            "gen_ai.response.time_to_first_chunk": 0.5,
            "streamtally.chunks": 6,
            "streamtally.dialect": "openai.speech",
            "streamtally.time_to_first_token": 0.5,
        },
    ),
    "transcription": Case(
        Play(transcription("one two").delayed(0.25, headers=0.25), {**_OPENAI, "model": "gpt-4o-transcribe"}),
        "generate_content gpt-4o-transcribe",
        {
            **_ALWAYS,
            **_used(9, 2, 0.75, text__input=0, audio__input=9),
            "gen_ai.operation.name": "generate_content",
            "gen_ai.output.type": "text",
            "gen_ai.request.model": "gpt-4o-transcribe",
            "gen_ai.response.time_to_first_chunk": 0.5,
            "streamtally.chunks": 4,
            "streamtally.dialect": "openai.transcription",
            "streamtally.time_to_first_token": 0.5,
        },
    ),
    "image": Case(
        Play(images().delayed(0.25, headers=0.25), {**_OPENAI, "model": "gpt-image-1"}),
        "generate_content gpt-image-1",
        {
            **_ALWAYS,
            **_used(9, 272, 0.25, text__input=9, image__input=0),
            "gen_ai.operation.name": "generate_content",
            "gen_ai.output.type": "image",
            "gen_ai.request.model": "gpt-image-1",
            "gen_ai.response.time_to_first_chunk": 0.5,
            "streamtally.chunks": 2,
            "streamtally.dialect": "openai.images",
            "streamtally.time_to_first_token": 0.5,
        },
    ),
}
"""By name. The attributes are those of conventions 1.41, without the price, which depends on the catalog."""
