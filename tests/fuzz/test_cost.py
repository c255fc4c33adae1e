"""The cost of a stream is linear in its length: measured in calls, and in the characters, bytes and items they read."""

import os
import sys

import pytest

from tests.fuzz.traps import BODIES, PAYLOADS, read
from tests.waiting import PATIENCE, run_python
from tests.work import work_of

pytestmark = pytest.mark.no_cover  # what is counted here are calls, and tracing each line would only make it slow

FEW, MANY = 100, 400
COUNT = os.environ.get("FUZZ_COUNT", "5000")
"""The length of the streams whose memory is bounded; `FUZZ_COUNT=50000` finds costs that show only then."""

SECONDS = str(round(PATIENCE))
"""The CPU time after which a stream is taken for one that never ends; linear cost is a small part of it on any machine."""

SAME_BYTES_AGAIN = {
    "headers": "each header gets the whole block, and reads only its own part",
    "blank before all": "the bytes that are kept, 4 KiB at most, are read with each piece",
}
"""The streams whose calls are linear and get the same bytes again."""


@pytest.mark.parametrize("name", [*PAYLOADS, *BODIES])
def test_four_times_as_much_takes_four_times_the_work(name: str) -> None:
    """For everything of which there can be many; a tenth more is allowed for sorting and compacting."""
    few, many = work_of(lambda: read(name, FEW)), work_of(lambda: read(name, MANY))
    assert many.calls <= 4.4 * few.calls
    assert many.scanned <= 4.4 * few.scanned or name in SAME_BYTES_AGAIN


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork and limits of resources")
def test_every_stream_ends_and_takes_little_memory() -> None:
    """Gaps between positions take no memory."""
    done = run_python("-m", "tests.fuzz.traps", COUNT, SECONDS, check=True, timeout=None)
    assert done.stdout.strip() == ""
