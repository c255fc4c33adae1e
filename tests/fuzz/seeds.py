"""The streams that are mutated: the quirks, the scenarios of the package, and recordings if there are any."""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from typing import Any, NamedTuple

from streamtally.testing import scenarios
from tests.quirks.bodies import WRITERS
from tests.quirks.catalog import KNOWN
from tests.recordings import folder, read_all

LARGEST = 20_000
"""Larger recordings, in bytes, are left out: smaller ones find the same faults sooner."""


class Seed(NamedTuple):
    """One stream: its payloads, if they are known one by one, and its bytes."""

    dialect: str
    payloads: Sequence[Any]
    body: bytes


@functools.cache
def seeds(dialect: str | None = None) -> tuple[Seed, ...]:
    """All seeds, or those of one dialect. `FUZZ_SEEDS=own` leaves the recordings out."""
    found = (*_of_quirks(), *_of_scenarios(), *_of_recordings())
    return tuple(seed for seed in found if dialect in (None, seed.dialect))


@functools.cache
def seeded_dialects() -> tuple[str, ...]:
    """The dialects that have seeds."""
    return tuple(sorted({seed.dialect for seed in seeds()}))


def _of_quirks() -> list[Seed]:
    return [Seed(quirk.dialect, quirk.payloads, write(quirk.payloads)) for quirk in KNOWN for write in WRITERS[quirk.dialect]]


def _of_scenarios() -> list[Seed]:
    calls = [scenarios.Call("f", '{"a": 1}'), scenarios.Call("g", '{"b": [1, 2]}')]
    bodies = {
        "openai.chat": [scenarios.chat(reasoning="let me see", n=2), scenarios.chat(tool_calls=calls)],
        "openai.completions": [scenarios.completions()],
        "openai.responses": [scenarios.responses(), scenarios.responses(tool_calls=calls)],
        "openai.transcription": [scenarios.transcription()],
    }
    return [Seed(dialect, (), scenario.body) for dialect, several in bodies.items() for scenario in several]


def _of_recordings() -> list[Seed]:
    path = folder()
    if path is None or os.environ.get("FUZZ_SEEDS") == "own":
        return []
    known = {quirk.dialect for quirk in KNOWN}
    small = [one for one in read_all(path) if one.api in known and len(one.body) <= LARGEST]
    return [Seed(one.api, one.payloads(), one.body) for one in small]
