"""Agno's events, under the names of theirs; `make far` reads the real ones."""

from types import SimpleNamespace as Plain
from typing import Any

import pytest

from streamtally import Outcome

from .shapes import counts, made, read

_BASE = ("agno.run.base.BaseRunOutputEvent",)


def event(name: str, run: str = "r1", **fields: Any) -> Any:
    """An event of a run."""
    return made(f"agno.run.agent.{name}", *_BASE, run_id=run, **fields)


def content(text: Any = None, thoughts: str | None = None, run: str = "r1", citations: Any = None) -> Any:
    """A `RunContentEvent`."""
    return event("RunContentEvent", run, content=text, reasoning_content=thoughts, citations=citations)


def used(provider: str, name: str = "m-1", **fields: int) -> Any:
    """The metrics of one model; what was not counted is 0."""
    zeros = dict.fromkeys(("input_tokens", "output_tokens", "reasoning_tokens", "cache_read_tokens", "cache_write_tokens"), 0)
    return Plain(id=name, provider=provider, **{**zeros, **fields})


def completed(*models: Any, run: str = "r1") -> Any:
    """A `RunCompletedEvent`, which repeats the content."""
    metrics = Plain(details={"model": list(models)} if models else None, input_tokens=9, output_tokens=0)
    return event("RunCompletedEvent", run, content="ab", reasoning_content="hm", metrics=metrics)


def test_a_run() -> None:
    """Pieces, a call, an end that repeats the content, and other events, which say nothing."""
    tool = Plain(tool_call_id="c1", tool_name="f", tool_args={"a": 1})
    record = read(
        [
            event("RunStartedEvent", model="m-1", model_provider="OpenAI"),
            content(thoughts="h"),
            event("ReasoningContentDeltaEvent", reasoning_content="m"),
            event("ToolCallStartedEvent", tool=tool),
            event("ToolCallCompletedEvent", tool=tool, content="f() completed in 0.1s"),
            content("a"),
            content("b", citations=Plain(raw=["x"])),
            content(Plain(structured=1)),
            completed(used("OpenAI Chat", input_tokens=6, output_tokens=4, cache_read_tokens=2)),
        ]
    )
    assert (record.text, record.reasoning, record.provider, record.model) == ("ab", "hm", "openai", "m-1")
    assert [(call.name, call.arguments_json) for call in record.tool_calls] == [("f", {"a": 1})]
    assert counts(record) == {"input_tokens": 6, "output_tokens": 4, "cache_read_tokens": 2}
    assert (record.outcome, record.choices[0].annotations) == (Outcome.COMPLETED, ({"raw": ["x"]},))
    assert record.extras == {}


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (used("Anthropic", input_tokens=6, cache_read_tokens=2, cache_write_tokens=3, output_tokens=1), (11, 1)),
        (used("AwsBedrock", input_tokens=6, cache_read_tokens=2, output_tokens=1), (8, 1)),
        (used("Google", input_tokens=6, cache_read_tokens=2, output_tokens=1, reasoning_tokens=4), (6, 5)),
        (used("Groq", input_tokens=6, cache_read_tokens=2, output_tokens=5, reasoning_tokens=4), (6, 5)),
    ],
)
def test_counts_of_each_api(model: Any, expected: tuple[int, int]) -> None:
    """Agno has them as the API of the provider does; totals of ours include what is beside them there."""
    request = {"input_tokens", "output_tokens", "reasoning_tokens", "cache_read_tokens", "cache_write_tokens"}
    answered = event(
        "ModelRequestCompletedEvent",
        model="m-1",
        model_provider=model.provider,
        **{name: getattr(model, name) for name in request},
    )
    for end in (completed(model), answered):
        usage = read([content("a"), end]).usage
        assert usage is not None
        assert (usage.input_tokens, usage.output_tokens) == expected


def test_the_end_states_the_sum_of_the_requests() -> None:
    """It is not added to them; without it their sum is known."""
    request = event("ModelRequestCompletedEvent", model="m-1", model_provider="OpenAI", input_tokens=3, output_tokens=2)
    started = event("ModelRequestStartedEvent", model="m-1", model_provider="OpenAI")
    run = [started, request, started, content("a"), request]
    total: Any = {"input_tokens": 6, "output_tokens": 4}
    assert counts(read(run)) == counts(read([*run, completed(used("OpenAI", **total))])) == total


def test_models_of_several_kinds() -> None:
    """The usage is that of all; no single model answered."""
    record = read([content("a"), completed(used("OpenAI", input_tokens=1), used("OpenAI", "m-2", input_tokens=2))])
    assert (record.model, counts(record)) == (None, {"input_tokens": 3})
    assert counts(read([content("a"), completed()])) == {"input_tokens": 9}


def test_a_team() -> None:
    """The runs of its members may take turns: each is a part."""
    items = [content("a"), content("x", run="r2"), content("b"), content("y", run="r2")]
    ends = [completed(used("OpenAI", input_tokens=1), run=run) for run in ("r2", "r1")]
    record = read([*items, *ends])
    assert (record.text, counts(record), len(record.parts)) == ("abxy", {"input_tokens": 2}, 2)


def test_an_error() -> None:
    """It fails the run."""
    record = read([content("a"), event("RunErrorEvent", content="no rain", error_type="model_error", error_id=None)])
    assert (record.outcome, record.error and (record.error.type, record.error.message)) == (
        Outcome.ERROR,
        ("model_error", "no rain"),
    )
