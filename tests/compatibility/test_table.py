"""The rows of `make far`."""

from pathlib import Path

import pytest

from compatibility.table import GROUPS, names_in, row_named

NAMES = [name for group in GROUPS for name in names_in(group)]
PAGE = Path(__file__).parents[2] / "docs" / "compatibility.md"


@pytest.mark.parametrize("name", NAMES)
def test_a_row(name: str) -> None:
    """Exact versions, cases with names of their own, a reason for whatever is lacking, and a line for each in the table."""
    row = row_named(name)
    assert all("==" in one for one in row.requirements)
    cases = [case.name for case in row.cases]
    assert len(cases) == len(set(cases)) > 0
    assert all(why for case in row.cases for why in case.lacks.values())
    written = PAGE.read_text(encoding="utf-8")
    assert [f"| {row.package} | {row.version} | {case} |" in written for case in cases] == [True] * len(cases), "run `make far`"


def test_a_name_without_a_row() -> None:
    """It is refused, with those that there are."""
    with pytest.raises(LookupError, match="groq"):
        row_named("no.such")
