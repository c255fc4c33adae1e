"""Quirks of llama.cpp's native completions (https://github.com/ggml-org/llama.cpp/tree/master/tools/server)."""

from __future__ import annotations

from typing import Any

from tests.dialects.wire import Payload
from tests.quirks.quirk import by_dialect


def event(content: str = "", predicted: int = 1, **fields: Any) -> Payload:
    """One event of the native API."""
    counts = {"tokens_predicted": predicted, "tokens_evaluated": 9}
    return {"index": 0, "content": content, "tokens": [predicted], "stop": False, "id_slot": -1, **counts, **fields}


def ends(kind: str = "eos", predicted: int = 4, cached: int = 0, **fields: Any) -> Payload:
    """The last event of an answer."""
    timings = {"cache_n": cached, "prompt_n": 9 - cached, "predicted_n": predicted, "predicted_ms": 0.5}
    end: Payload = {"tokens": [], "stop": True, "stop_type": kind, "model": "tiny", "timings": timings, "tokens_cached": 12}
    return event(predicted=predicted, **end, **fields)


def _probability(token: str) -> Payload:
    return {"id": 1, "token": token, "logprob": -0.5, "top_logprobs": []}


QUIRKS = by_dialect(
    "llamacpp",
    [
        ("counts come with each event, and the last ones are those of the answer", [event("Hel"), event("lo", 2), ends()],
            {"text": "Hello", "usage.input_tokens": 9, "usage.output_tokens": 4, "finish": ("stop", "eos"), "model": "tiny"}),
        ("what the server keeps in its cache was not read from it", [event("a"), ends(cached=7)],
            {"usage.input_tokens": 9, "usage.cache_read_tokens": 7, "extras.tokens_cached": 12}),
        ("a word at which to stop is no part of the text", [event("a"), ends("word", stopping_word="END")],
            {"text": "a", "finish": ("stop", "word"), "extras.stopping_word": "END"}),
        ("the limit of tokens is the length", [event("a"), ends("limit")], {"finish": ("length", "limit")}),
        ("old releases have a flag for each reason", [
            {"content": "a", "stop": False, "slot_id": 0, "multimodal": False},
            {"content": "", "stop": True, "stopped_eos": False, "stopped_limit": True, "stopped_word": False}],
            {"text": "a", "finish": ("length", "limit"), "usage": None}),
        ("ids and probabilities of all tokens are kept, none of progress", [
            event(tokens=[0], predicted=0, prompt_progress={"total": 9, "cache": 0, "processed": 9, "time_ms": 1}),
            event("a", 5, completion_probabilities=[_probability("a")]),
            event("b", 6, completion_probabilities=[_probability("b")]), ends(predicted=2)],
            {"text": "ab",
             "logprobs": {"tokens": [5, 6], "completion_probabilities": [_probability("a"), _probability("b")]}}),
        ("the last event repeats the request", [event("a"), ends(prompt="<s> once", generation_settings={"seed": 1})],
            {"text": "a", "extras.prompt": "<s> once", "extras.generation_settings": {"seed": 1}}),
        ("each of several prompts has its answer, its end and its counts", [
            event("x", index=1), event("a"), {**ends("limit", 2), "index": 1}, event("b", 2), ends("eos", 3, cached=4)],
            {"choices.0.text": "ab", "choices.1.text": "x", "choices.1.finish_reason": "length", "usage.input_tokens": 18,
             "usage.output_tokens": 5, "usage.cache_read_tokens": 4}),
        ("an error under HTTP 200 takes nothing away", [
            event("a"), {"error": {"code": 500, "message": "gone", "type": "server_error"}}],
            {"text": "a", "outcome": "error", "error.type": "server_error", "error.status": 500, "error.message": "gone"}),
        ("an answer without its last event was cut off", [event("a"), event("b", 2)],
            {"text": "ab", "outcome": "truncated", "usage.partial": True, "usage.output_tokens": 2}),
        ("null fields are ignored", [event("a", completion_probabilities=None, timings=None, tokens=None, model=None), ends()],
            {"text": "a", "logprobs": None}),
    ],
)  # fmt: skip
