"""What a stream costs grows as the stream does: counted in calls, and (where work hides inside one call) bounded generously."""

import os
import subprocess
import sys

import pytest

from tests.accumulator.test_growth import calls_of
from tests.fuzz.traps import BODIES, PAYLOADS, read

FEW, MANY = 100, 400
COUNT = os.environ.get("FUZZ_COUNT", "5000")
"""How long the streams are that are bounded in seconds; `FUZZ_COUNT=50000` finds what is dear only then."""

SECONDS = "10"
"""Of a processor: linear cost is a tenth of that at most."""


@pytest.mark.parametrize("name", [*PAYLOADS, *BODIES])
def test_four_times_as_much_takes_four_times_as_many_calls(name: str) -> None:
    """Whatever there is many of: at most a tenth more for each, for what must be sorted or compacted."""
    few, many = (calls_of(lambda count=count: read(name, count)) for count in (FEW, MANY))  # type: ignore[misc]
    assert many <= 4.4 * few


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork and limits of resources")
def test_no_stream_takes_long_or_much_memory() -> None:
    """Positions far apart take no room between them, and nothing is compared with everything."""
    done = subprocess.run([sys.executable, "-m", "tests.fuzz.traps", COUNT, SECONDS], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
