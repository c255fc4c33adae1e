"""The same conversations in the format of each provider, as far as it can express them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tests.dialects.wire import Payload, call, calls, chat, choice, envelope, event, numbered, stops
from tests.quirks import (
    anthropic,
    bedrock,
    cohere,
    dashscope,
    gemini,
    huggingface,
    interactions,
    llamacpp,
    mistral,
    mistral_conversations,
    ollama,
    openai,
    realtime,
    vercel,
)

Conversations = Mapping[str, Sequence[Payload]]

MEANING: Mapping[str, Mapping[str, Any]] = {
    "text": {"text": "Hello", "finish_reason": "stop", "usage.input_tokens": 9, "usage.output_tokens": 4},
    "reasoning": {"reasoning": "let me", "text": "so", "finish_reason": "stop"},
    "calls": {"functions": [("f", {"a": 1}), ("g", {"b": 2})], "finish_reason": "tool_calls"},
    "filter": {"text": "I", "finish_reason": "content_filter"},
    "length": {"text": "Hel", "finish_reason": "length"},
    "citations": {"text": "so", "annotations_present": True, "finish_reason": "stop"},
    "cache": {"usage.input_tokens": 100, "usage.cache_read_tokens": 80, "usage.output_tokens": 4},
    "error": {"text": "Hel", "outcome": "error", "error.message": "gone", "finish_reason": None},
    "cut": {"text": "Hel", "outcome": "truncated", "finish_reason": None},
}
"""The values that the record of each conversation must have, in every format."""

_WORD = chat(choice(content="Hel"))
_URL = {"type": "url_citation", "url_citation": {"url": "https://a.test", "title": "A", "start_index": 0, "end_index": 2}}


def _chat_used(prompt: int = 9, **fields: Any) -> Payload:
    return chat(usage={"prompt_tokens": prompt, "completion_tokens": 4, "total_tokens": prompt + 4, **fields})


CHAT: Conversations = {
    "text": [_WORD, chat(choice(content="lo")), stops(), _chat_used()],
    "reasoning": [chat(choice(reasoning_content="let ")),
    chat(choice(reasoning_content="me")), chat(choice(content="so")), stops()],
    "calls": [
        calls(call(0, "f", "", id="c0", type="function"), call(1, "g", "", id="c1", type="function")),
        calls(call(1, None, '{"b": 2}'), call(0, None, '{"a": 1}')),
        stops("tool_calls"),
    ],
    "filter": [chat(choice(content="I")), stops("content_filter")],
    "length": [_WORD, stops("length")],
    "citations": [chat(choice(content="so")), chat(choice(annotations=[_URL])), stops()],
    "cache": [_WORD, stops(), _chat_used(100, prompt_tokens_details={"cached_tokens": 80})],
    "error": [_WORD, {"error": {"message": "gone", "type": "server_error", "code": 503}}],
    "cut": [_WORD],
}  # fmt: skip


def _response(*events: Payload, stage: str = "completed", **fields: Any) -> list[Payload]:
    return numbered(envelope("created"), *events, *([envelope(stage, **fields)] if stage else []))


def _called(at: int, name: str, arguments: str) -> list[Payload]:
    item = {"id": f"f{at}", "type": "function_call", "call_id": f"c{at}", "name": name, "arguments": ""}
    return [
        event("output_item.added", output_index=at, item=item),
        event("function_call_arguments.delta", item_id=f"f{at}", output_index=at, delta=arguments),
        event("output_item.done", output_index=at, item={**item, "arguments": arguments}),
    ]


_THOUGHT = [
    event("output_item.added", output_index=0, item={"id": "r1", "type": "reasoning", "summary": []}),
    event("reasoning_summary_text.delta", item_id="r1", output_index=0, summary_index=0, delta="let "),
    event("reasoning_summary_text.delta", item_id="r1", output_index=0, summary_index=0, delta="me"),
]
_ANNOTATED = event(
    "output_text.annotation.added",
    item_id="m1",
    output_index=0,
    content_index=0,
    annotation_index=0,
    annotation={"type": "url_citation", "url": "https://a.test", "title": "A", "start_index": 0, "end_index": 2},
)
_CACHED = {"input_tokens": 100, "input_tokens_details": {"cached_tokens": 80}, "output_tokens": 4, "total_tokens": 104}

RESPONSES: Conversations = {
    "text": _response(*openai.answers("Hel", "lo"), usage=openai.RESPONSES_USED),
    "reasoning": _response(*_THOUGHT, *openai.answers("so", at=1)),
    "calls": _response(*_called(0, "f", '{"a": 1}'), *_called(1, "g", '{"b": 2}')),
    "filter": _response(*openai.answers("I"), stage="incomplete", incomplete_details={"reason": "content_filter"}),
    "length": _response(*openai.answers("Hel"), stage="incomplete", incomplete_details={"reason": "max_output_tokens"}),
    "citations": _response(*openai.answers("so"), _ANNOTATED),
    "cache": _response(*openai.answers("Hel"), usage=_CACHED),
    "error": _response(*openai.answers("Hel"), {"type": "error", "code": "server_error", "message": "gone"}, stage=""),
    "cut": _response(*openai.answers("Hel"), stage=""),
}

_COUNTS = {"input_tokens": 9, "output_tokens": 1}
_CITED = [
    anthropic.opened(0, "text", text="", citations=[]),
    anthropic.grows(0, "text_delta", text="so"),
    anthropic.grows(0, "citations_delta", citation=anthropic.CITATION),
    anthropic.closed(0),
]

ANTHROPIC: Conversations = {
    "text": [anthropic.start(_COUNTS), *anthropic.texts("Hel", "lo"), *anthropic.ends(output=4)],
    "reasoning": [anthropic.start(), *anthropic.thinking("let ", "me"), *anthropic.texts("so", index=1), *anthropic.ends()],
    "calls": [
        anthropic.start(),
        *anthropic.calls(0, "toolu_1", "f", '{"a": 1}'),
        *anthropic.calls(1, "toolu_2", "g", '{"b": 2}'),
        *anthropic.ends("tool_use"),
    ],
    "filter": [anthropic.start(), *anthropic.texts("I"), *anthropic.ends("refusal")],
    "length": [anthropic.start(), *anthropic.texts("Hel"), *anthropic.ends("max_tokens")],
    "citations": [anthropic.start(), *_CITED, *anthropic.ends()],
    "cache": [
        anthropic.start(
            {"input_tokens": 15, "cache_read_input_tokens": 80, "cache_creation_input_tokens": 5, "output_tokens": 1}
        ),
        *anthropic.texts("Hel"),
        *anthropic.ends(output=4),
    ],
    "error": [anthropic.start(), *anthropic.texts("Hel"), anthropic.fails(message="gone")],
    "cut": [anthropic.start(), *anthropic.texts("Hel")],
}

GEMINI: Conversations = {
    "text": [gemini.reply(gemini.text("Hel"), usage=gemini.used(9, 1)),
             gemini.reply(gemini.text("lo"), finish="STOP", usage=gemini.used(9, 3, thoughtsTokenCount=1))],
    "reasoning": [gemini.reply(gemini.text("let ", thought=True)), gemini.reply(gemini.text("me", thought=True)),
                  gemini.reply(gemini.text("so"), finish="STOP")],
    "calls": [gemini.reply(gemini.call("f", a=1), gemini.call("g", b=2), finish="STOP")],
    "filter": [gemini.reply(gemini.text("I")), gemini.reply(finish="SAFETY")],
    "length": [gemini.reply(gemini.text("Hel"), finish="MAX_TOKENS")],
    "citations": [gemini.reply(gemini.text("so"), finish="STOP", groundingMetadata=gemini.GROUNDING)],
    "cache": [gemini.reply(gemini.text("Hel"), finish="STOP", usage=gemini.used(100, 4, cachedContentTokenCount=80))],
    "error": [gemini.reply(gemini.text("Hel")), gemini.fails(message="gone")],
    "cut": [gemini.reply(gemini.text("Hel"))],
}  # fmt: skip

CONVERSE: Conversations = {
    "text": [bedrock.START, *bedrock.texts("Hel", "lo"), *bedrock.ends()],
    "reasoning": [bedrock.START, *bedrock.thinking("let ", "me"), *bedrock.texts("so", index=1), *bedrock.ends()],
    "calls": [
        bedrock.START,
        *bedrock.calls(0, "t1", "f", '{"a": 1}'),
        *bedrock.calls(1, "t2", "g", '{"b": 2}'),
        *bedrock.ends("tool_use"),
    ],
    "filter": [bedrock.START, *bedrock.texts("I"), *bedrock.ends("content_filtered")],
    "length": [bedrock.START, *bedrock.texts("Hel"), *bedrock.ends("max_tokens")],
    "citations": [
        bedrock.START,
        bedrock.grows(0, text="so"),
        bedrock.grows(0, citation={"title": "T", "sourceContent": [{"text": "so"}], "location": {"documentChar": {"start": 0}}}),
        *bedrock.ends(),
    ],
    "cache": [bedrock.START, *bedrock.texts("Hel"),
              *bedrock.ends(inputTokens=15, outputTokens=4, totalTokens=104, cacheReadInputTokens=80, cacheWriteInputTokens=5)],
    "error": [bedrock.START, *bedrock.texts("Hel"), bedrock.fails(message="gone")],
    "cut": [bedrock.START, *bedrock.texts("Hel")],
}  # fmt: skip

INVOKE: Conversations = {
    **{name: bedrock.wrapped(payloads) for name, payloads in ANTHROPIC.items() if name != "error"},
    "error": [*bedrock.wrapped(ANTHROPIC["cut"]), bedrock.fails(message="gone")],
}

COHERE: Conversations = {
    "text": [cohere.START, *cohere.texts("Hel", "lo"), cohere.ends()],
    "reasoning": [cohere.START, *cohere.texts("let ", "me", kind="thinking"), *cohere.texts("so", index=1), cohere.ends()],
    "calls": [
        cohere.START,
        *cohere.calls(0, "f_1", "f", '{"a": 1}'),
        *cohere.calls(1, "g_1", "g", '{"b": 2}'),
        cohere.ends("TOOL_CALL"),
    ],
    "length": [cohere.START, *cohere.texts("Hel"), cohere.ends("MAX_TOKENS")],
    "citations": [cohere.START, *cohere.texts("so"), *cohere.cites(), cohere.ends()],
    "cache": [cohere.START, *cohere.texts("Hel"),
              cohere.ends(usage={"tokens": {"input_tokens": 100, "output_tokens": 4}, "cached_tokens": 80})],
    "cut": [cohere.START, *cohere.texts("Hel")],
}  # fmt: skip

MISTRAL: Conversations = {
    "text": [mistral.START, mistral.chunk(content="Hel"), mistral.chunk("stop", content="lo", usage=mistral.COUNTS)],
    "reasoning": [mistral.START, mistral.chunk(content=[mistral.thinking("let ", "me")]), mistral.chunk("stop", content="so")],
    "calls": [
        mistral.START,
        mistral.chunk("tool_calls", tool_calls=[mistral.call("a", "f", '{"a": 1}'), mistral.call("b", "g", '{"b": 2}')]),
    ],
    "length": [mistral.START, mistral.chunk("model_length", content="Hel")],
    "cache": [mistral.START, mistral.chunk("stop", content="Hel", usage={
        "prompt_tokens": 100, "completion_tokens": 4, "total_tokens": 104, "prompt_tokens_details": {"cached_tokens": 80}})],
    "citations": [mistral.START, mistral.chunk("stop", content=[{"type": "text", "text": "so"}, mistral.REFERENCE])],
    "error": [mistral.START, mistral.chunk(content="Hel"),
    {"object": "error", "message": "gone", "type": "server_error", "code": 503}],
    "cut": [mistral.START, mistral.chunk(content="Hel")],
}  # fmt: skip

OLLAMA: Conversations = {
    "text": [ollama.line("Hel"), ollama.line("lo"), ollama.ends()],
    "reasoning": [ollama.line(thinking="let "), ollama.line(thinking="me"), ollama.line("so"), ollama.ends()],
    "calls": [ollama.line(tool_calls=[ollama.call("f", a=1), ollama.call("g", b=2)]), ollama.ends()],
    "length": [ollama.line("Hel"), ollama.ends("length")],
    "error": [ollama.line("Hel"), {"error": "gone"}],
    "cut": [ollama.line("Hel")],
}

ANTHROPIC_COMPLETIONS: Conversations = {
    "text": [
        anthropic.completes("Hel"), anthropic.completes("lo"),
        anthropic.completes("", "stop_sequence", **{"amazon-bedrock-invocationMetrics": anthropic.METRICS})],
    "length": [anthropic.completes("Hel"), anthropic.completes("", "max_tokens")],
    "error": [anthropic.completes("Hel"), {"type": "error", "error": {"type": "api_error", "message": "gone"}}],
    "cut": [anthropic.completes("Hel")],
}  # fmt: skip

DASHSCOPE: Conversations = {
    "text": [dashscope.says("Hel"), dashscope.says("lo", outputs=2), dashscope.says("", "stop", 4)],
    "reasoning": [
        dashscope.says(reasoning_content="let "), dashscope.says(reasoning_content="me"), dashscope.says("so"),
        dashscope.says("", "stop")],
    "calls": [
        dashscope.says(tool_calls=[call(0, "f", "", id="c0", type="function"), call(1, "g", "", id="c1", type="function")]),
        dashscope.says(tool_calls=[call(1, None, '{"b": 2}', id=""), call(0, None, '{"a": 1}', id="")]),
        dashscope.says("", "tool_calls")],
    "length": [dashscope.says("Hel"), dashscope.says("", "length")],
    "cache": [
        dashscope.says("Hel"),
        dashscope.item(
            dashscope.choice("", "stop"), usage=dashscope.used(4, 100, prompt_tokens_details={"cached_tokens": 80}))],
    "error": [dashscope.says("Hel"), dashscope.FAILED],
    "cut": [dashscope.says("Hel")],
}  # fmt: skip

INTERACTIONS: Conversations = {
    "text": [interactions.created(), *interactions.says("Hel", "lo"), interactions.ends(usage=interactions.used(9, 4))],
    "reasoning": [
        interactions.created(), *interactions.thinks("let ", "me"), *interactions.says("so", index=1), interactions.ends()],
    "calls": [
        interactions.created(), *interactions.calls(0, "c0", "f", '{"a"', ": 1}"), *interactions.calls(1, "c1", "g", '{"b": 2}'),
        interactions.ends("requires_action")],
    "length": [interactions.created(), *interactions.says("Hel"), interactions.ends("incomplete")],
    "citations": [
        interactions.created(), *interactions.says("so")[:-1],
        interactions.event(
            "step.delta", index=0, delta={"type": "text_annotation_delta", "annotations": [interactions.URL]}),
        interactions.ends()],
    "cache": [
        interactions.created(), *interactions.says("Hel"),
        interactions.ends(usage=interactions.used(100, 4, total_cached_tokens=80))],
    "error": [
        interactions.created(), *interactions.says("Hel")[:-1],
        interactions.event("error", error={"code": "UNAVAILABLE", "message": "gone"})],
    "cut": [interactions.created(), *interactions.says("Hel")[:-1]],
}  # fmt: skip

REALTIME: Conversations = {
    "text": [realtime.created(), *realtime.says("Hel", "lo"), realtime.done(usage=realtime.used(9, 4))],
    "calls": [
        realtime.created(), *realtime.calls(0, "f", '{"a"', ": 1}"), *realtime.calls(1, "g", '{"b": 2}'), realtime.done()],
    "filter": [
        realtime.created(), *realtime.says("I"), realtime.done(status="incomplete", status_details={"reason": "content_filter"})],
    "length": [
        realtime.created(), *realtime.says("Hel"),
        realtime.done(status="incomplete", status_details={"reason": "max_output_tokens"})],
    "cache": [
        realtime.created(), *realtime.says("Hel"),
        realtime.done(usage=realtime.used(100, 4, input_token_details={"cached_tokens": 80}))],
    "error": [
        realtime.created(), *realtime.says("Hel"),
        realtime.event("error", error={"type": "server_error", "message": "gone"})],
    "cut": [realtime.created(), *realtime.says("Hel")],
}  # fmt: skip

MISTRAL_CONVERSATIONS: Conversations = {
    "text": [
        mistral_conversations.STARTED,
        mistral_conversations.says("Hel"),
        mistral_conversations.says("lo"),
        mistral_conversations.done(),
    ],
    "reasoning": [
        mistral_conversations.STARTED,
        mistral_conversations.says(mistral_conversations.thinking("let ")),
        mistral_conversations.says(mistral_conversations.thinking("me")),
        mistral_conversations.says("so", index=1),
        mistral_conversations.done(),
    ],
    "calls": [
        mistral_conversations.STARTED,
        mistral_conversations.calls('{"a": 1}'),
        mistral_conversations.calls('{"b": 2}', "g", "call_2", at=1),
        mistral_conversations.done(),
    ],
    "citations": [
        mistral_conversations.STARTED,
        mistral_conversations.says("so"),
        mistral_conversations.says(mistral_conversations.SOURCE, index=1),
        mistral_conversations.done(),
    ],
    "error": [
        mistral_conversations.STARTED,
        mistral_conversations.says("Hel"),
        mistral_conversations.event("conversation.response.error", message="gone", code=500),
    ],
    "cut": [mistral_conversations.STARTED, mistral_conversations.says("Hel")],
}

VERCEL: Conversations = {
    "text": [vercel.START, *vercel.says("Hel", "lo"), vercel.finish(metadata={"usage": vercel.USED})],
    "reasoning": [vercel.START, *vercel.thinks("let ", "me"), *vercel.says("so"), vercel.finish()],
    "calls": [
        vercel.START, *vercel.calls("c0", "f", '{"a"', ": 1}"), *vercel.calls("c1", "g", whole={"b": 2}),
        vercel.finish("tool-calls")],
    "filter": [vercel.START, *vercel.says("I"), vercel.finish("content-filter")],
    "length": [vercel.START, *vercel.says("Hel"), vercel.finish("length")],
    "citations": [vercel.START, *vercel.says("so"), vercel.SOURCE, vercel.finish()],
    "cache": [
        vercel.START, *vercel.says("Hel"),
        vercel.finish(metadata={"usage": {"inputTokens": 100, "outputTokens": 4, "cachedInputTokens": 80}})],
    "error": [vercel.START, *vercel.says("Hel"), {"type": "error", "errorText": "gone"}],
    "cut": [vercel.START, *vercel.says("Hel")],
}  # fmt: skip

HUGGINGFACE: Conversations = {
    "text": [huggingface.event("Hel"), huggingface.event("lo", 2), huggingface.ends("</s>", "Hello")],
    "length": [huggingface.event("Hel"), huggingface.ends("</s>", "Hel", "length")],
    "error": [huggingface.event("Hel"), {"error": "gone", "error_type": "generation"}],
    "cut": [huggingface.event("Hel")],
}

LLAMACPP: Conversations = {
    "text": [llamacpp.event("Hel"), llamacpp.event("lo", 2), llamacpp.ends()],
    "length": [llamacpp.event("Hel"), llamacpp.ends("limit")],
    "cache": [
        llamacpp.event("Hel", tokens_evaluated=100), {**llamacpp.ends(cached=80), "tokens_evaluated": 100}],
    "error": [llamacpp.event("Hel"), {"error": {"code": 500, "message": "gone", "type": "server_error"}}],
    "cut": [llamacpp.event("Hel")],
}  # fmt: skip

BY_DIALECT: Mapping[str, Conversations] = {
    "anthropic.completions": ANTHROPIC_COMPLETIONS,
    "anthropic.messages": ANTHROPIC,
    "bedrock.converse": CONVERSE,
    "bedrock.invoke": INVOKE,
    "cohere.v2": COHERE,
    "dashscope": DASHSCOPE,
    "gemini": GEMINI,
    "gemini.interactions": INTERACTIONS,
    "huggingface.tgi": HUGGINGFACE,
    "llamacpp": LLAMACPP,
    "mistral.chat": MISTRAL,
    "mistral.conversations": MISTRAL_CONVERSATIONS,
    "ollama.chat": OLLAMA,
    "openai.chat": CHAT,
    "openai.realtime": REALTIME,
    "vercel.ui": VERCEL,
    "openai.responses": RESPONSES,
}
