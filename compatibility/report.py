"""Writes the table of results: `docs/compatibility.md`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .case import Case, Row
from .verdict import Verdict

_HEAD = """# Compatibility

Which SDKs and frameworks were read, in which release, and what the record of `streamtally.wrap` has. `make far` installs each of
them, lets it read answers of known content from a server on the same machine, compares the record with the answer, and writes
this file.

| mark | meaning |
| --- | --- |
| yes | the record has what the answer says |
| – | the answer does not say it |
| no | the record lacks it; the reason is in the last column |

A row is *right* if the record has all that the answer says, *honest* if it lacks something and does not claim otherwise, and
WRONG if it says something that is not so. Cost is known where the answer states its usage, and the catalog has a price for the
model and the provider; else the column has the reason. Time to first token counts from the *request* where `wrap` is given a
callable that makes it, and from *wrap* where the stream is open already; *token* where no text comes.
"""

_COLUMNS = ("read with", "release", "what", "dialect", "provider", "text", "reasoning", "calls", "finish", "usage", "cost",
            "first", "verdict", "what it lacks, and why")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a row: a verdict for each case, or the reason why there is none."""

    row: Row
    verdicts: Sequence[tuple[Case, Verdict]] = ()
    failed: str | None = None
    said: str = ""
    """What the process wrote to standard error."""

    @property
    def is_wrong(self) -> bool:
        """Whether the command fails."""
        return self.failed is not None or any(verdict.level == "WRONG" for _, verdict in self.verdicts)


def page(groups: Mapping[str, Sequence[Result]], old: str = "") -> str:
    """The whole file, from the results under each title; of packages that are not among them the lines of the old file stay."""
    return "\n".join([_HEAD, *(line for title, results in groups.items() for line in _section(title, results, old))])


def _section(title: str, results: Sequence[Result], old: str) -> Iterator[str]:
    yield from (f"## {title}", "", _line(_COLUMNS), _line(["---"] * len(_COLUMNS)))
    rows = {**_rows_of(title, old), **{result.row.package: list(lines_of(result)) for result in results}}
    for _, lines in sorted(rows.items()):
        yield from lines
    yield ""


def _rows_of(title: str, old: str) -> dict[str, list[str]]:
    """The lines of each package under a title."""
    _, _, section = old.partition(f"## {title}\n")
    rows: dict[str, list[str]] = {}
    for line in section.partition("\n## ")[0].splitlines():
        if line.startswith("| ") and not line.startswith((f"| {_COLUMNS[0]} |", "| ---")):
            rows.setdefault(line.split(" | ")[0].removeprefix("| "), []).append(line)
    return rows


def lines_of(result: Result) -> Iterator[str]:
    """The lines of a row."""
    head = [result.row.package, result.row.version]
    if result.failed is not None:
        yield _line([*head, *["–"] * (len(_COLUMNS) - 4), "WRONG", result.failed])
    for case, verdict in result.verdicts:
        yield _line([*head, case.name, *_cells(case, verdict.seen), verdict.level, _reasons(case, verdict)])


def _cells(case: Case, seen: Mapping[str, Any]) -> list[str]:
    if "failed" in seen:
        return ["–"] * (len(_COLUMNS) - 5)
    truth = case.truth
    return [
        seen["dialect"],
        seen["provider"] or "–",
        _mark(truth.text, seen["text"]),
        _mark(truth.reasoning, seen["reasoning"]),
        _mark(truth.tool_calls, seen["tool_calls"]),
        _mark(truth.finish_reason, seen["finish_reason"]),
        _mark(truth.usage, seen["usage"]),
        "yes" if seen["cost"] == "priced" else seen["cost"].replace("_", " "),
        " ".join([seen["started_from"], *(["token"] if seen["first"] == "token" else [])]) if seen["first"] else "–",
    ]


def _mark(want: Any, found: Any) -> str:
    return "yes" if found else "no" if want else "–"


def _reasons(case: Case, verdict: Verdict) -> str:
    if verdict.faults:
        return "; ".join(verdict.faults)
    return "; ".join(f"{name}: {why}" for name, why in case.lacks.items())


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
