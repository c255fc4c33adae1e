"""Quirks of `generate_stream` of text-generation-inference (https://huggingface.github.io/text-generation-inference/)."""

from __future__ import annotations

from typing import Any

from tests.dialects.wire import Payload
from tests.quirks.quirk import by_dialect


def token(text: str, *, special: bool = False) -> Payload:
    """A token with its probability."""
    return {"id": len(text), "text": text, "logprob": -0.25, "special": special}


def event(text: str, number: int = 1, *, special: bool = False, **fields: Any) -> Payload:
    """One event of the stream."""
    return {"index": number, "token": token(text, special=special), "generated_text": None, "details": None, **fields}


def ends(text: str, whole: str, reason: str = "eos_token", *, special: bool = True, **details: Any) -> Payload:
    """The last event of the stream."""
    counts = {"finish_reason": reason, "generated_tokens": 4, "input_length": 9, "seed": None, **details}
    return event(text, 3, special=special, generated_text=whole, details=counts)


QUIRKS = by_dialect(
    "huggingface.tgi",
    [
        ("the last event repeats the whole text", [event("Hel"), event("lo", 2), ends("</s>", "Hello")],
            {"text": "Hello", "usage.input_tokens": 9, "usage.output_tokens": 4, "finish": ("stop", "eos_token")}),
        ("the last token may be text", [event("Hel"), ends("lo", "Hello", "length", special=False)],
            {"text": "Hello", "finish": ("length", "length")}),
        ("special tokens are no text, and have a probability", [event("<s>", special=True), event("a", 2), ends("</s>", "a")],
            {"text": "a", "logprobs": {"tokens": [token("<s>", special=True), token("a"), token("</s>", special=True)]}}),
        ("a stop sequence is the end", [event("a"), ends("END", "aEND", "stop_sequence", special=False)],
            {"text": "aEND", "finish": ("stop", "stop_sequence")}),
        ("the most likely tokens are kept for each position", [
            event("a", top_tokens=[token("a"), token("b")]), event("b", 2, top_tokens=[token("b")]), ends("</s>", "ab")],
            {"text": "ab", "logprobs": {"tokens": [token("a"), token("b"), token("</s>", special=True)],
             "top_tokens": [[token("a"), token("b")], [token("b")]]}}),
        ("the input may not be counted", [event("a"), ends("</s>", "a", input_length=None)],
            {"usage.input_tokens": None, "usage.output_tokens": 4}),
        ("the seed is kept", [event("a"), ends("</s>", "a", seed=7)], {"extras.seed": 7}),
        ("old releases have no index", [
            {name: value for name, value in one.items() if name != "index"} for one in (event("a"), ends("</s>", "a"))],
            {"text": "a"}),
        ("an error has its type beside it, and takes nothing away", [event("a"), {"error": "gone", "error_type": "generation"}],
            {"text": "a", "outcome": "error", "error.message": "gone", "error.type": "generation"}),
        ("an answer without details was cut off", [event("a"), event("b", 2)],
            {"text": "ab", "outcome": "truncated", "usage": None}),
    ],
)  # fmt: skip
