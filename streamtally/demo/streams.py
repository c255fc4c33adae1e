"""The streams that the demo plays: written here, in the exact wire formats, with the quirks and faults of real ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from ..records import Outcome
from ..testing import Scenario
from ..testing.scenarios import Call, chat, completions, images, refused, responses, speech, transcription

KNOWN_MODEL = "gpt-4.1-mini"
UNKNOWN_MODEL = "aurora-9-turbo"

SEA = "The sea was calm that morning, and nobody on the pier had yet heard of the storm that was to come before noon."
_HELD_BACK = 600.0

STORY = "Once upon a time there was a stream of tokens that nobody had counted, and so nobody knew what it had cost."
WEATHER = Call("get_weather", '{"city": "Oslo", "days": 3}', "call_a")
CLOCK = Call("get_time", '{"zone": "Europe/Oslo"}', "call_b")


def late_first_token() -> Scenario:
    """A role and nothing else at once, and after a while the first word."""
    return chat("Forty-two, I think.", model=KNOWN_MODEL).stalled(0, 0.010).stalled(1, 0.400)


def parallel_calls() -> Scenario:
    """Two tool calls, the pieces of their arguments in turns."""
    return chat(tool_calls=(WEATHER, CLOCK), model=KNOWN_MODEL).delayed(0.06)


def held_back(scenario: Scenario, after: int) -> Scenario:
    """The same scenario, which does not end before a reader has left after so many chunks, however slow the machine is."""
    return scenario.stalled(after, _HELD_BACK)


def counted_as_it_goes(model: str = KNOWN_MODEL) -> Scenario:
    """An answer with usage so far on every chunk, as vLLM sends it with `continuous_usage_stats`."""
    plain = chat(SEA, model=model, include_usage=False)
    frames = [_with_usage(frame, place) if frame.startswith(b"data: {") else frame for place, frame in enumerate(plain.frames)]
    return replace(plain, frames=tuple(frames)).delayed(0.08)


def of_unknown_model() -> Scenario:
    """An answer of a model that is in no price list."""
    return chat("A model that came out this morning.", model=UNKNOWN_MODEL).delayed(0.06)


@dataclass(frozen=True, slots=True)
class Scene:
    """One stream of the second part. Each has a model of its own, by which the provider chooses the stream to play.

    Args:
        name: its name in the table.
        dialect: its wire format.
        model: the requested model.
        whole: the stream without a fault.
        expected: the outcome that the record must have.
        fault: changes the stream to the faulty one; None for a stream without a fault.
        leaves_after: after how many chunks the reader stops; None if it reads to the end.
    """

    name: str
    dialect: str
    model: str
    whole: Scenario
    expected: Outcome = Outcome.COMPLETED
    fault: Callable[[Scenario], Scenario] | None = None
    leaves_after: int | None = None

    def played(self, pace: float) -> Scenario:
        """What the provider plays."""
        scenario = self.fault(self.whole) if self.fault else self.whole
        return paced(scenario if self.leaves_after is None else held_back(scenario, self.leaves_after), pace)


def end_to_end() -> tuple[Scene, ...]:
    """All six kinds of stream, and four that are not completed."""
    story = completions(STORY, model="davinci-002").delayed(0.28, headers=0.5)
    asking = chat("Let me look that up.", model="gpt-4.1-mini", tool_calls=(WEATHER, CLOCK)).delayed(0.4, headers=0.2)
    thinking = responses(SEA, model="gpt-5-mini", reasoning="The harbour first, then the weather.")
    spoken = speech(bytes(range(256)) * 80, sse=True).delayed(0.35, headers=0.5)
    heard = transcription(STORY).delayed(0.3, headers=0.3)
    drawn = images(partials=3).delayed(1.8, headers=0.6)
    counted = counted_as_it_goes("gpt-4-turbo").delayed(0.2, headers=0.4)
    long = chat(STORY, model="gpt-4o").delayed(0.3, headers=0.3)
    return (
        Scene("text completion", "openai.completions", "davinci-002", story),
        Scene("chat", "openai.chat", "gpt-4.1-mini", asking),
        Scene("responses", "openai.responses", "gpt-5-mini", thinking.delayed(0.19, headers=0.3)),
        Scene("speech", "openai.speech", "gpt-4o-mini-tts", spoken),
        Scene("transcription", "openai.transcription", "gpt-4o-transcribe", heard),
        Scene("image", "openai.images", "gpt-image-1", drawn),
        Scene("chat, failing", "openai.chat", "gpt-4o", long, Outcome.ERROR, lambda whole: whole.failing(14)),
        Scene("chat, cut short", "openai.chat", "gpt-4-turbo", counted, Outcome.TRUNCATED, _cut_short),
        Scene(
            "chat, we leave", "openai.chat", "gpt-4.1", counted_as_it_goes("gpt-4.1").delayed(0.2), Outcome.CANCELLED, None, 14
        ),
        Scene("chat, refused", "openai.chat", "o4-mini", chat(STORY), Outcome.ERROR, _refused),
    )


def _cut_short(whole: Scenario) -> Scenario:
    return whole.cut(len(whole.body) // 2, clean=True)


def _refused(_: Scenario) -> Scenario:
    return refused(429).delayed(headers=1.0)


def paced(scenario: Scenario, pace: float) -> Scenario:
    """The same scenario with all its waits `pace` times as long."""
    waits = tuple(delay * pace for delay, _ in scenario.steps)
    return replace(scenario, delays=waits, header_delay=scenario.header_delay * pace)


def _with_usage(frame: bytes, output: int) -> bytes:
    chunk: dict[str, Any] = json.loads(frame.removeprefix(b"data: "))
    chunk["usage"] = {"prompt_tokens": 9, "completion_tokens": output, "total_tokens": 9 + output}
    return f"data: {json.dumps(chunk)}\n\n".encode()
