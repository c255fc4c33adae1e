"""How many machine instructions one chunk costs, counted by valgrind's callgrind: the same on every machine, however loaded.

    python -m benchmarks.instructions [--against REVISION]

Counting is on around the loops of `counted.py` only, and what a bare loop over the same objects takes is subtracted. A row is the
cost per chunk of a whole stream of 1,000 chunks, its beginning and its record included; "further" is the cost of one more chunk.
With `--against` the package of another commit is measured in the same run.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import statistics
import subprocess
import tempfile
from collections import defaultdict
from itertools import product
from pathlib import Path

from rich.console import Console
from rich.table import Table

from .counted import KEYED, KINDS, LENGTHS
from .revision import package_of, run
from .tables import table

_TRIGGER = re.compile(r"^desc: Trigger: Client Request: (.+)/(.+)/(\d+)$", re.MULTILINE)
_TOTAL = re.compile(r"^(?:totals|summary): (\d+)", re.MULTILINE)

Counts = dict[tuple[str, str, int], float]
"""Instructions by row, way and length."""


class Unavailable(Exception):
    """A program or a header that counting needs is not installed."""


def counts(revision: str | None = None) -> Counts:
    """The instructions of every loop, with the package of this checkout or of a commit.

    Raises:
        Unavailable: valgrind, a C compiler or valgrind's header is missing.
    """
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        raise Unavailable("valgrind is not installed")
    with tempfile.TemporaryDirectory() as folder, package_of(revision) as package:
        library, output = _toggle(folder), os.path.join(folder, "callgrind.out")
        options = ["--tool=callgrind", "--quiet", "--instr-atstart=no", f"--callgrind-out-file={output}"]
        run(package, "benchmarks.counted", library, under=(valgrind, *options))
        return _parsed(Path(folder))


def _toggle(folder: str) -> str:
    """The path of the compiled `toggle.c`."""
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None:
        raise Unavailable("there is no C compiler")
    library, source = os.path.join(folder, "toggle.so"), Path(__file__).with_name("toggle.c")
    made = subprocess.run(
        [compiler, "-O1", "-shared", "-fPIC", "-o", library, str(source)], check=False, capture_output=True, text=True
    )
    if made.returncode:
        raise Unavailable(f"toggle.c does not compile (it needs valgrind/callgrind.h): {made.stderr.strip()}")
    return library


def _parsed(folder: Path) -> Counts:
    """The counts in callgrind's files, of which each dump makes one."""
    found = defaultdict[tuple[str, str, int], list[int]](list)
    for path in folder.glob("callgrind.out*"):
        text = path.read_text()
        if (trigger := _TRIGGER.search(text)) and (total := _TOTAL.search(text)):
            found[trigger[1], trigger[2], int(trigger[3])].append(int(total[1]))
    return {key: statistics.median(totals) for key, totals in found.items()}


def added(counted: Counts) -> dict[str, dict[str, float]]:
    """Instructions per chunk over the bare loop, by row ("text", "text, further", …) and way."""
    first, last = LENGTHS
    rows = defaultdict[str, dict[str, float]](dict)
    for row, way in product((*KINDS, KEYED), ("F2", "streamtally")):
        source = "text" if (row, way) == (KEYED, "F2") else row
        short, long = (counted[source, way, length] - counted[source, "bare", length] for length in LENGTHS)
        rows[row][way] = short / first
        rows[f"{row}, further"][way] = (long - short) / (last - first)
    return rows


def report(revision: str | None = None) -> Table:
    """The table, beside that of a commit where one is given. Raises `Unavailable`."""
    here = added(counts())
    before = None if revision is None else added(counts(revision))
    columns = ("1,000 chunks", "F2", "streamtally", "/ F2", *([] if revision is None else [revision, "ratio"]))
    made = table("Instructions per chunk added to the bare loop (callgrind)", *columns)
    for row, cost in here.items():
        ours, floor = cost["streamtally"], cost["F2"]
        cells = [f"{floor:,.0f}", f"{ours:,.0f}", f"{ours / floor:.2f}"]
        if before is not None:
            theirs = before[row]["streamtally"]
            cells += [f"{theirs:,.0f}", f"{ours / theirs:.3f}"]
        made.add_row(row, *cells)
    return made


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.instructions", description="Instructions per chunk.")
    parser.add_argument("--against", metavar="REVISION", help="a commit to measure in the same run")
    try:
        Console(width=110).print(report(parser.parse_args().against))
    except Unavailable as reason:
        raise SystemExit(f"SKIPPED: no instructions are counted: {reason}") from reason


if __name__ == "__main__":
    main()
