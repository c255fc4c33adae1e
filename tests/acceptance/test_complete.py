"""The requirements of telemetry, by number. Each has at least one acceptance test, named `test_t` and its number."""

import re
from pathlib import Path

import pytest

REQUIREMENTS = {
    1: "no error of a context that is detached in another task",
    2: "no OpenTelemetry context is attached across a yield",
    3: "after a break the caller's span is current",
    4: "a span of the loop's body is a child of the caller's span",
    5: "a bare break, and the last reference gone",
    6: "a break inside `with`, of every source and dialect",
    7: "an early close",
    8: "as many ends as starts",
    9: "abandoned streams leave no objects behind",
    10: "chunks of a long stream are not kept",
    11: "a task that is cancelled in the middle of a read",
    12: "an error in the middle of a stream",
    13: "an end without a finish reason, and a finish without an end",
    14: "token counts are those of the provider",
    15: "estimated tokens are marked, and counted separately",
    16: "repeated usage reports are not added up",
    17: "one call is measured once, beside any other instrumentation",
    18: "the wrapper is an instance of the SDK's stream type",
    19: "no coroutine stays unawaited",
    20: "attributes, methods and stream managers of the SDK work",
    21: "the wrapper is an iterator, and has the SDK's response",
    22: "raw responses work",
    23: "unusual chunks pass unchanged",
    24: "parameters that were not given are not exported",
    25: "the first token is not the first chunk",
    26: "which chunks are a first token",
    27: "the delay of the response headers is part of the latency",
    28: "the consumer's time and the provider's time are separate",
    29: "the time to close the source is not part of the duration",
    30: "no duration is negative when a clock steps back",
    31: "parallel tool calls stay separate",
    32: "the number of metric series is bounded",
    33: "metrics have few attributes and no IDs",
    34: "every source and dialect has a first token, and the right labels",
    35: "callbacks yield the same telemetry as an iterator",
    36: "dependency floors are tested, and optional packages are imported on demand",
}


@pytest.mark.parametrize("number", REQUIREMENTS, ids=lambda number: f"t{number:02}")
def test_there_is_one(number: int) -> None:
    """So `pytest -k t05` runs the tests of requirement 5."""
    files = sorted(Path(__file__).parent.glob("test_*.py"))
    names = [found for file in files for found in re.findall(r"^(?:async )?def (test_\w+)", file.read_text(), re.MULTILINE)]
    assert [name for name in names if name.startswith(f"test_t{number:02}_")] != [], REQUIREMENTS[number]
