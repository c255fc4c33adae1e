"""Demo traffic: several providers, models and outcomes, by a clock that only the frames advance."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import httpx2

from streamtally import Tally
from streamtally.records import StreamRecord
from streamtally.testing import FakeClock, Scenario
from streamtally.testing.scenarios import Call, chat, completions, images, refused, responses, speech, transcription

TEXT = "Once upon a time there was a stream that nobody had counted."
CACHED = {
    "prompt_tokens": 1200,
    "completion_tokens": 300,
    "total_tokens": 1500,
    "prompt_tokens_details": {"cached_tokens": 1000},
    "completion_tokens_details": {"reasoning_tokens": 120},
}
REQUESTS = {
    "openai": "gpt-4.1-mini",
    "anthropic": "claude-sonnet-4-5",
    "groq": "llama-3.3-70b-versatile",
    "nobody": "aurora-9-turbo",
}
"""The requested models, by provider; the last one has no price."""


SERVERS = {"openai": "api.openai.com", "anthropic": "api.anthropic.com", "groq": "api.groq.com", "nobody": "aurora.example"}
"""Their hosts."""


class Dropped(Exception):
    """The exception of a transport whose connection was lost."""


@dataclass(frozen=True, slots=True)
class Play:
    """One stream: the provider's frames, the request, and how the stream ends.

    Args:
        scenario: the frames and their times.
        params: the request's parameters.
        leaves_after: the number of reads after which the reader stops; None if it reads to the end.
        error: the exception of the source after the last frame.
    """

    scenario: Scenario
    params: dict[str, Any]
    leaves_after: int | None = None
    error: BaseException | None = None

    def run(self, tally: Tally, clock: FakeClock, **options: Any) -> StreamRecord:
        """Run the stream once, and return its record."""
        with tally.wrap(lambda: Body(self, clock), params=self.params, **options) as stream, suppress(Dropped, TimeoutError):
            for reads, _ in enumerate(stream, 1):
                if reads == self.leaves_after:
                    break
        return stream.record


class Body:
    """The body of a stream, which advances the clock as it is read, and its response.

    Attributes:
        response: the response, with the address of the server.
    """

    def __init__(self, play: Play, clock: FakeClock) -> None:
        clock.advance(play.scenario.header_delay)
        self._play = play
        self._clock = clock
        host = SERVERS[play.params["provider"]]
        self.response = httpx2.Response(200, request=httpx2.Request("POST", f"https://{host}/v1/chat/completions"))

    def __iter__(self) -> Iterator[bytes]:
        for delay, frame in self._play.scenario.steps:
            self._clock.advance(delay)
            yield frame
        if self._play.error is not None:
            raise self._play.error


def asked(provider: str, **params: Any) -> dict[str, Any]:
    """The parameters of a request to one of the providers."""
    return {"model": REQUESTS[provider], "provider": provider, **params}


def plays() -> list[Play]:
    """Every stream type, and every kind of end of a source, at many speeds."""
    made = []
    for provider, model in REQUESTS.items():
        for number in range(1, 13):
            whole = anthropic(TEXT, model) if provider == "anthropic" else chat(TEXT, model=model, usage=CACHED)
            slow = whole.delayed(0.004 * number, headers=0.05 * number).stalled(1, 0.11 * number * number)
            made.append(Play(slow, asked(provider)))
    short = chat(TEXT, model=REQUESTS["openai"]).delayed(0.02, headers=0.3)
    asked_openai = asked("openai")
    return [
        *made,
        *[Play(one.delayed(0.05, headers=0.4), asked_openai) for one in other_kinds()],
        Play(short.failing(4), asked_openai),
        Play(refused(429).delayed(headers=0.1), asked("groq")),
        Play(short, asked_openai, error=Dropped("gone")),
        Play(short, asked_openai, error=TimeoutError("no more")),
        Play(short.cut(len(short.body) // 2, clean=True), asked_openai),
        Play(short, asked_openai, leaves_after=3),
        Play(chat(finish_reason="length", n=2).delayed(0.1), asked("openai", n=2)),
        Play(chat(tool_calls=(Call("look_up", '{"q": 1}'),)).delayed(0.1), asked_openai),
    ]


def other_kinds() -> Sequence[Scenario]:
    """The stream types that are not chat."""
    return completions(), responses(reasoning="Well."), speech(sse=True), transcription(), images()


def anthropic(text: str, model: str) -> Scenario:
    """A message of Anthropic's API, with most of its input read from the cache."""
    usage = {"input_tokens": 100, "cache_read_input_tokens": 900, "cache_creation_input_tokens": 50, "output_tokens": 1}
    head = {"id": "msg_0", "type": "message", "role": "assistant", "model": model, "content": [], "usage": usage}
    deltas = [{"type": "text_delta", "text": f"{word} "} for word in text.split()]
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": head},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *[{"type": "content_block_delta", "index": 0, "delta": delta} for delta in deltas],
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2 * len(deltas)}},
        {"type": "message_stop"},
    ]
    return Scenario(tuple(f"event: {one['type']}\ndata: {json.dumps(one)}\n\n".encode() for one in events))


def faulty(tally: Tally) -> None:
    """A keyed stream with a repeated chunk, a gap, and a chunk that is late."""
    request_id = uuid.uuid4().hex
    chunks = [frame for frame in chat(TEXT, model=REQUESTS["openai"]).frames if frame != b"data: [DONE]\n\n"]
    payloads = [json.loads(frame.removeprefix(b"data: ")) for frame in chunks]
    for index, payload in [(0, payloads[0]), (0, payloads[0]), (1, payloads[1]), (5, payloads[5])]:
        tally.add(request_id, payload, index=index)
    tally.finish(request_id)
    tally.add(request_id, payloads[6], index=6)
    tally.discard(request_id)


def run_all(tally: Tally, clock: FakeClock) -> None:
    """Run all traffic once, for six teams; most of it is that of the last team."""
    for number, play in enumerate(plays()):
        play.run(tally, clock, attributes={"team": f"team-{min(number, 5)}"})
    faulty(tally)
