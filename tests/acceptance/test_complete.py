"""Every acceptance test is there, under its name."""

import re
from pathlib import Path

import pytest

WANTED = [f"t{number:02}" for number in range(1, 37)]


@pytest.mark.parametrize("name", WANTED)
def test_there_is_one(name: str) -> None:
    """At least one test has the number in its name, so that `pytest -k` finds it."""
    files = sorted(Path(__file__).parent.glob("test_*.py"))
    names = [found for file in files for found in re.findall(r"^(?:async )?def (test_\w+)", file.read_text(), re.MULTILINE)]
    assert [found for found in names if found.startswith(f"test_{name}_")] != []
