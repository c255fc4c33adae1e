"""The cost of a stream is linear in its length: measured in calls, and in seconds and memory with a generous bound."""

import os
import subprocess
import sys

import pytest

from tests.accumulator.test_growth import calls_of
from tests.fuzz.traps import BODIES, PAYLOADS, read

FEW, MANY = 100, 400
COUNT = os.environ.get("FUZZ_COUNT", "5000")
"""The length of the streams whose seconds are bounded; `FUZZ_COUNT=50000` finds costs that show only then."""

SECONDS = "10"
"""The bound in seconds of CPU time: linear cost takes a tenth of it at most."""


@pytest.mark.parametrize("name", [*PAYLOADS, *BODIES])
def test_four_times_as_much_takes_four_times_as_many_calls(name: str) -> None:
    """For everything of which there can be many; a tenth more is allowed for sorting and compacting."""
    few, many = (calls_of(lambda count=count: read(name, count)) for count in (FEW, MANY))  # type: ignore[misc]
    assert many <= 4.4 * few


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork and limits of resources")
def test_no_stream_takes_long_or_much_memory() -> None:
    """Gaps between positions take no memory, and nothing is quadratic."""
    done = subprocess.run([sys.executable, "-m", "tests.fuzz.traps", COUNT, SECONDS], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
