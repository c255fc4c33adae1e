"""Quirks of Gemini's Live API (https://ai.google.dev/api/live)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.dialects.wire import Payload
from tests.quirks.quirk import by_dialect

SETUP: Payload = {"setupComplete": {}}


def content(**fields: Any) -> Payload:
    """A message about the turn."""
    return {"serverContent": fields}


def turn(*parts: Mapping[str, Any], **fields: Any) -> Payload:
    """A message with parts of the turn."""
    return content(modelTurn={"parts": list(parts)}, **fields)


def sound(data: str) -> Payload:
    """A part that is sound."""
    return {"inlineData": {"mimeType": "audio/pcm;rate=24000", "data": data}}


def ends(usage: Mapping[str, Any] | None = None, **fields: Any) -> Payload:
    """The message that ends a turn."""
    whole = content(turnComplete=True, **fields)
    return whole if usage is None else {**whole, "usageMetadata": usage}


USED = {"promptTokenCount": 1_197, "responseTokenCount": 37, "totalTokenCount": 1_234, "thoughtsTokenCount": 28,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 1_190}, {"modality": "AUDIO", "tokenCount": 7}],
        "responseTokensDetails": [{"modality": "AUDIO", "tokenCount": 37}], "serviceTier": "standard"}  # fmt: skip
CALL = {"toolCall": {"functionCalls": [{"id": "c1", "name": "f", "args": {"a_b": 1}}]}}

QUIRKS = by_dialect(
    "gemini.live",
    [
        ("sound, and the words that go with it", [
            SETUP, turn(sound("YWFh")), content(outputTranscription={"text": "Hel"}), turn(sound("YmI=")),
            content(outputTranscription={"text": "lo"}), content(generationComplete=True), ends(USED)],
            {"audio.data": b"aaabb", "audio.transcript": "Hello", "text": "", "finish": ("stop", "turnComplete"),
             "provider": "google"}),
        ("thoughts are beside what the model said, and outside the total", [SETUP, turn({"text": "a"}), ends(USED)],
            {"usage.input_tokens": 1_197, "usage.output_tokens": 65, "usage.reasoning_tokens": 28, "usage.total_tokens": 1_234,
             "usage.audio_output_tokens": 37, "usage.audio_input_tokens": 7, "service_tier": "standard"}),
        ("each turn is a part", [
            SETUP, turn({"text": "a"}), ends(USED), turn({"text": "b"}), turn({"text": "c"}), ends(USED)],
            {"text": "abc", "usage.input_tokens": 2_394, "parts.1.usage.output_tokens": 65, "parts.2": None}),
        ("usage may come after the turn", [turn({"text": "a"}), ends(), {"usageMetadata": USED}], {"usage.output_tokens": 65}),
        ("text and thoughts", [turn({"text": "hm", "thought": True}), turn({"text": "a"}), ends()],
            {"reasoning": "hm", "text": "a"}),
        ("calls are answered in the session", [turn({"text": "a"}), CALL, turn({"text": "b"}), ends()],
            {"calls": [("c1", "f", {"a_b": 1})], "text": "ab", "finish": ("stop", "turnComplete")}),
        ("the user interrupts", [turn({"text": "Hel"}), content(interrupted=True), ends(USED)],
            {"text": "Hel", "outcome": "cancelled", "finish": (None, "interrupted"), "usage.partial": False}),
        ("an interruption is not the end of the session", [
            turn({"text": "Hel"}), content(interrupted=True), turn({"text": "lo"}), ends()],
            {"text": "Hello", "finish": ("stop", "turnComplete"), "parts.0.finish_reason": None}),
        ("a turn may say why it is complete", [turn({"text": "a"}), ends(turnCompleteReason="RESPONSE_REJECTED")],
            {"finish": ("content_filter", "RESPONSE_REJECTED")}),
        ("or leave it unspecified", [turn({"text": "a"}), ends(turnCompleteReason="TURN_COMPLETE_REASON_UNSPECIFIED")],
            {"finish": ("stop", "turnComplete")}),
        ("a call that was malformed", [turn({"text": "a"}), ends(turnCompleteReason="MALFORMED_FUNCTION_CALL")],
            {"outcome": "error", "error.type": "MALFORMED_FUNCTION_CALL"}),
        ("what the user said is no answer", [
            content(inputTranscription={"text": "Hi"}), content(interimInputTranscription={"text": "Hi y"}),
            content(inputTranscription={"text": " you"}), turn({"text": "a"}), ends()],
            {"text": "a", "audio": None, "extras.payloads": [
                {"inputTranscription": {"text": "Hi"}}, {"inputTranscription": {"text": " you"}}],
             "extras.events": {"inputTranscription": {"text": " you"}, "interimInputTranscription": {"text": "Hi y"}}}),
        ("searches are counted", [
            turn({"text": "a"}, groundingMetadata={"webSearchQueries": ["q", "r"]}), ends({"promptTokenCount": 1})],
            {"usage.searches": 2}),
        ("states of the session change nothing", [
            SETUP, {"sessionResumptionUpdate": {"newHandle": "h"}}, turn({"text": "a"}), ends(),
            {"toolCallCancellation": {"ids": ["c"]}}, {"goAway": {"timeLeft": "50s"}}],
            {"text": "a", "extras.events": {
                "setupComplete": {}, "sessionResumptionUpdate": {"newHandle": "h"}, "toolCallCancellation": {"ids": ["c"]},
                "goAway": {"timeLeft": "50s"}}}),
        ("a session without a turn is complete", [SETUP, content(inputTranscription={"text": "Hi"})], {"choices": ()}),
        ("a session that ends within a turn was cut off", [SETUP, turn({"text": "a"}), ends(), turn({"text": "b"})],
            {"text": "ab", "outcome": "truncated"}),
        ("an error", [turn({"text": "a"}), {"error": {"code": 503, "status": "UNAVAILABLE", "message": "gone"}}],
            {"text": "a", "outcome": "error", "error.status": 503, "error.message": "gone"}),
        ("null fields are ignored", [
            turn({"text": "a"}, turnComplete=None, interrupted=None, outputTranscription=None), ends()], {"text": "a"}),
    ],
)  # fmt: skip
