"""Records to export: one for each stream type and outcome, and one with a mark in every field of content."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from streamtally.records import (
    Audio,
    Choice,
    Cost,
    ErrorDetails,
    Image,
    InterChunk,
    Outcome,
    Part,
    StreamRecord,
    StreamType,
    Timing,
    ToolCall,
    Transcript,
    Usage,
)

BEGAN = datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC)
DIALECTS = {
    StreamType.TEXT: "openai.completions",
    StreamType.CHAT: "openai.chat",
    StreamType.RESPONSES: "openai.responses",
    StreamType.SPEECH: "openai.speech",
    StreamType.TRANSCRIPTION: "openai.transcription",
    StreamType.IMAGE: "openai.images",
}
PRICED = Cost(usd=Decimal("0.00205"), status="priced", complete=True)
TIMING = Timing(
    started_from="request",
    started_at=BEGAN,
    ended_at=BEGAN + timedelta(seconds=2.5),
    time_to_first_chunk=0.2,
    time_to_first_token=0.3,
    duration=2.5,
    inter_chunk=InterChunk(count=199, mean=0.0125, p50=0.01, p95=0.02, p99=0.03, max=0.05),
    tokens_per_second=81.5,
)
MARK = "sesame-9f2c"


def record(**fields: Any) -> StreamRecord:
    """A priced chat that completed, with these fields changed."""
    stream_type = StreamType(fields.get("stream_type", StreamType.CHAT))
    whole: dict[str, Any] = {
        "request_id": "request-1",
        "stream_type": stream_type,
        "dialect": DIALECTS[stream_type],
        "outcome": Outcome.COMPLETED,
        "provider": "openai",
        "requested_model": "gpt-4o",
        "model": "gpt-4o-2024-08-06",
        "response_id": "response-1",
        "server_address": "api.openai.com",
        "server_port": 443,
        "choices": (Choice(text="hello", finish_reason="stop"),),
        "usage": Usage(input_tokens=100, output_tokens=180),
        "cost": PRICED,
        "timing": TIMING,
        "chunk_count": 200,
    }
    return StreamRecord(**(whole | fields))


def started(**fields: Any) -> StreamRecord:
    """The record of the same chat when it starts."""
    unknown = {"model": None, "response_id": None, "choices": (), "usage": None, "cost": Cost(), "chunk_count": 0}
    return record(**({"outcome": None, "timing": Timing(started_from="request", started_at=BEGAN), **unknown} | fields))


def ended(outcome: Outcome, **fields: Any) -> StreamRecord:
    """Return the record of a chat that ended with another outcome, before its finish reason."""
    error = ErrorDetails(type="server_error", message=MARK) if outcome is Outcome.ERROR else None
    return record(
        **(
            {
                "outcome": outcome,
                "choices": (Choice(text="hel", finish_reason=None),),
                "usage": None,
                "cost": Cost(),
                "error": error,
            }
            | fields
        )
    )


def marked(mark: str = MARK, **fields: Any) -> StreamRecord:
    """A failed record with the mark in every field of content, including its error."""
    loose = {"said": mark, mark: [mark, {"deep": mark}]}
    call = ToolCall(index=0, id="call-1", name="look_up", arguments=f'"{mark}"', arguments_json=mark, extras=loose)
    choice = Choice(
        text=mark,
        reasoning=mark,
        reasoning_details=(loose,),
        refusal=mark,
        tool_calls=(call,),
        annotations=(loose,),
        logprobs=loose,
        extras=loose,
        finish_reason=None,
    )
    data = mark.encode()
    usage = Usage(input_tokens=1, output_tokens=2, raw=loose)
    error = ErrorDetails(type="server_error", message=mark, body=loose)
    content: dict[str, Any] = {
        "outcome": Outcome.ERROR,
        "choices": (choice, choice.model_copy(update={"index": 1})),
        "output_items": (loose,),
        "audio": Audio(data=data, transcript=mark, size=len(data), extras=loose),
        "transcript": Transcript(text=mark, words=(loose,), segments=(loose,), logprobs=(mark,)),
        "images": (Image(data=data, url=f"https://{mark}.test", revised_prompt=mark, extras=loose),),
        "usage": usage,
        "parts": (Part(usage=usage, error=error),),
        "error": error,
        "params": {
            "n": 2,
            "temperature": 0.5,
            "stop": [mark],
            "messages": [mark],
            "user": mark,
            "service_tier": mark,
            mark: mark,
        },
        "extras": loose,
        "raw": (loose,),
    }
    return record(**(content | fields))
