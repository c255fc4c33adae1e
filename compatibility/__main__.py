"""Runs all rows and writes `docs/compatibility.md`, or runs those that are named and renews their lines.

python -m compatibility [NAME …]

The exit status is 1 if a row is wrong, or its environment cannot be made.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from .case import Row
from .environments import ROOT, BuildFailed, python_of, variables_of
from .report import Result, lines_of, page
from .table import GROUPS, names_in, row_named
from .verdict import verdict_on

_PAGE = ROOT / "docs" / "compatibility.md"
_PATIENCE = 300
"""Seconds for the cases of one row."""


def result_of(name: str) -> Result:
    """The result of one row, in a process of its own."""
    row = row_named(name)
    try:
        seen, said = _seen(name, row)
    except BuildFailed as error:
        return Result(row, failed=f"cannot be installed: {error}")
    except subprocess.TimeoutExpired:
        return Result(row, failed=f"did not end within {_PATIENCE} seconds")
    missing = {"failed": "the process ended before it"}
    return Result(row, [(case, verdict_on(case, seen.get(case.name, missing))) for case in row.cases], said=said)


def _seen(name: str, row: Row) -> tuple[dict[str, dict[str, Any]], str]:
    """What was recorded, by the name of the case, and what was written to standard error."""
    python = python_of(name, row)
    command = [str(python), "-m", f"{__package__}.run", name]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, env=variables_of(row), timeout=_PATIENCE, check=False
    )
    return {seen["case"]: seen for seen in map(json.loads, done.stdout.splitlines())}, done.stderr


def main(names: Sequence[str]) -> int:
    """Run the rows of these names, or all."""
    groups = {title: [name for name in names_in(group) if not names or name in names] for group, title in GROUPS.items()}
    for name in names:
        row_named(name)
    results: dict[str, list[Result]] = {title: [] for title in groups}
    for title, chosen in groups.items():
        for name in chosen:
            results[title].append(found := result_of(name))
            print(*lines_of(found), sep="\n", flush=True)
            if found.is_wrong:
                print(found.said, file=sys.stderr, end="")
    _PAGE.write_text(page(results, _PAGE.read_text(encoding="utf-8") if names else ""), encoding="utf-8")
    return int(any(result.is_wrong for found in results.values() for result in found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
