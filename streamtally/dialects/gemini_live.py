"""`gemini.live`: the messages of a session of Gemini's Live API, as JSON and as objects of the google-genai SDK.

A session has any number of turns; each is a part of the record. Its parts, calls and media are those of `gemini`.

Terminal rule: `turnComplete` ends a turn, and nothing ends the session but its source; `interrupted` states that the user cut in.
Usage rule: one report for each turn; what the model said is counted without its thoughts.

Source: https://ai.google.dev/api/live#bidigeneratecontentserver-message
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..chunks import AudioDelta, Chunk, Delta, FinishDelta, PayloadDelta
from ..json_readers import mapping_of, mappings_of, name_of, text_of, unnamed
from ..json_values import Json, json_value
from ..records import StreamType
from . import gemini
from .base import Dialect, Vocabulary
from .charges import ChargeRules
from .gemini_spelling import spelled
from .gemini_usage import usage as gemini_usage
from .openai_common import EVENTS

_WORDS: Vocabulary = {
    **gemini.FINISH_REASONS,
    "turncomplete": "stop",
    "need_more_input": "stop",
    "response_rejected": "content_filter",
    "interrupted": "cancelled",
}
"""The reasons for which a turn is complete, and the names of the fields that end it without one. Calls were answered before."""

_ANSWER = frozenset({"serverContent", "toolCall", "usageMetadata", "error"})
_CONTENT = frozenset(
    {"modelTurn", "groundingMetadata", "urlContextMetadata", "turnComplete", "turnCompleteReason", "generationComplete",
     "interrupted", "outputTranscription"}
)  # fmt: skip
"""The fields of a turn that are read; others are kept as events of the session."""

_OUTPUT_NAMES = {"responseTokenCount": "candidatesTokenCount", "responseTokensDetails": "candidatesTokensDetails"}
_UNSPECIFIED = "TURN_COMPLETE_REASON_UNSPECIFIED"


def chunk(payload: Mapping[str, Any]) -> Chunk:
    """One message."""
    message = spelled(payload)
    content = mapping_of(message.get("serverContent"))
    turn = mapping_of(content.get("modelTurn"))
    calls = [{"functionCall": call} for call in mappings_of(mapping_of(message.get("toolCall")).get("functionCalls"))]
    begins = bool(turn or calls)
    candidate = {
        "content": {**turn, "parts": [*mappings_of(turn.get("parts")), *calls]},
        **{name: content[name] for name in ("groundingMetadata", "urlContextMetadata") if name in content},
    }
    has_candidate = begins or len(candidate) > 1
    answer = {
        "candidates": [candidate] if has_candidate else [],
        "usageMetadata": mapping_of(message.get("usageMetadata")),
        "error": message.get("error"),
    }
    found = gemini.chunk(answer)
    events = {**unnamed(message, _ANSWER), **unnamed(content, _CONTENT)}
    return found._replace(
        deltas=(*found.deltas, *_deltas(content)),
        extras={EVENTS: events} if events else {},
        terminal=content.get("turnComplete") is True,
        starts=begins,
    )


def _deltas(content: Mapping[str, Json]) -> Iterator[Delta]:
    """The transcripts, and how the turn ended; an interruption is completed without a reason too."""
    spoken = mapping_of(content.get("outputTranscription"))
    if words := text_of(spoken.get("text")):
        yield AudioDelta(transcript=words)
    if heard := mapping_of(content.get("inputTranscription")):
        yield PayloadDelta({"inputTranscription": json_value(heard)}, repeats=True)
    if content.get("interrupted") is True:
        yield FinishDelta("interrupted")
    if content.get("turnComplete") is True:
        reason = name_of(content.get("turnCompleteReason"))
        is_stated = reason is not None and reason != _UNSPECIFIED
        yield FinishDelta(reason or "" if is_stated else "turnComplete", fallback=not is_stated)


def usage(report: Mapping[str, Json]) -> dict[str, Any]:
    """A report as fields of a `Usage`; it has other names for the output than that of `gemini`."""
    return gemini_usage({_OUTPUT_NAMES.get(name, name): value for name, value in report.items()})


def _is_message(payload: Mapping[str, Any]) -> bool:
    """A message about a turn: what it has of it, its calls, or its usage."""
    return (
        not _TURN.isdisjoint(_either(payload, "serverContent", "server_content"))
        or not {"functionCalls", "function_calls"}.isdisjoint(_either(payload, "toolCall", "tool_call"))
        or not {"responseTokenCount", "response_token_count"}.isdisjoint(_either(payload, "usageMetadata", "usage_metadata"))
    )


_TURN = frozenset(
    {"modelTurn", "model_turn", "turnComplete", "turn_complete", "generationComplete", "generation_complete", "interrupted",
     "inputTranscription", "input_transcription", "outputTranscription", "output_transcription"}
)  # fmt: skip


def _either(payload: Mapping[str, Any], name: str, other: str) -> Mapping[str, Any]:
    return mapping_of(payload.get(name)) or mapping_of(payload.get(other))


_OF_SESSIONS = frozenset(
    {"setupComplete", "setup_complete", "goAway", "go_away", "sessionResumptionUpdate", "session_resumption_update",
     "toolCallCancellation", "tool_call_cancellation", "voiceActivity", "voice_activity", "serverContent", "server_content"}
)  # fmt: skip


def _may_be_message(payload: Mapping[str, Any]) -> bool:
    """A message about the session, which has one field."""
    return not _OF_SESSIONS.isdisjoint(payload) and payload.keys() <= _OF_SESSIONS | {"usageMetadata", "usage_metadata"}


DIALECT = Dialect(
    "gemini.live",
    StreamType.CHAT,
    chunk,
    usage,
    _WORDS,
    provider="google",
    recognises=_is_message,
    resembles=_may_be_message,
    sessions=True,
    operation=gemini.DIALECT.operation,
    charges=ChargeRules(gemini.tool_counts),
)

DIALECTS = (DIALECT,)
