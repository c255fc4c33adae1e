"""Compares what was recorded with what the answer says.

| the record | the verdict |
| --- | --- |
| has all that the answer says, and nothing else | right |
| lacks something, and the case states why; or is opaque | honest |
| says something else, or lacks something without a reason, or has what it is said to lack | WRONG |
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from .case import Case, Truth

Level = Literal["right", "honest", "WRONG"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the comparison says, and each fault in one line."""

    level: Level
    faults: tuple[str, ...] = ()
    seen: Mapping[str, Any] = field(default_factory=dict)


def verdict_on(case: Case, seen: Mapping[str, Any]) -> Verdict:
    """The verdict on a result of `compatibility.run`."""
    if "failed" in seen:
        return Verdict("WRONG", (f"failed: {seen['failed']}",), seen)
    opaque = seen["dialect"] == "opaque"
    faults = tuple(
        filter(None, (_fault(name, want, found, case, opaque=opaque) for name, want, found in _pairs(case.truth, seen)))
    )
    if seen["faults"]:
        faults = (*faults, f"{seen['faults']} faults while it was read")
    return Verdict("WRONG" if faults else "honest" if case.lacks or opaque else "right", faults, seen)


def _pairs(truth: Truth, seen: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """The name of each field, what it should be and what it is; of usage each count."""
    for name in ("provider", "text", "reasoning", "finish_reason", "model", "audio", "outcome"):
        yield name, getattr(truth, name), seen[name]
    yield "tool_calls", [[name, arguments] for name, arguments in truth.tool_calls], seen["tool_calls"]
    for name in sorted(truth.usage.keys() | seen["usage"].keys()):
        yield f"usage.{name}", truth.usage.get(name), seen["usage"].get(name)
    said = seen["error"]
    yield "error", truth.error, truth.error if truth.error and said and truth.error in said else said


def _fault(name: str, want: Any, found: Any, case: Case, *, opaque: bool) -> str | None:
    lacked = name in case.lacks or name.partition(".")[0] in case.lacks
    if found == want:
        return f"{name} is there, and is said to be lacking" if name in case.lacks and want else None
    if not found and (lacked or (opaque and name not in ("provider", "outcome"))):
        return None
    return f"{name} is {found!r}, not {want!r}"
