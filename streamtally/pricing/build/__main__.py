"""Writes the bundled catalog and prints a summary and the changes: `python -m streamtally.pricing.build`."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from .. import snapshot
from . import sources
from .assemble import Notes, build
from .overrides import unverified
from .report import changes

TARGET = sources.HERE / "data" / snapshot.BUNDLED
MAX_CHANGES = 60
"""The number of changes that are printed without `--all`."""


def summary(content: Mapping[str, Any], size: int, notes: Notes) -> Iterator[str]:
    """A summary of a catalog's content, line by line."""
    providers = content["providers"].values()
    models = [model for provider in providers for model in provider["models"].values()]
    rows = [row for model in models for row in model["rows"]]
    origins = Counter(content["origins"][model["source"]] for model in models)
    differing = Counter(model["confidence"] for model in models if "confidence" in model)
    disputes = sum(len(items) for table in content["disputes"].values() for items in table.values())
    yield f"{len(providers)} providers, {len(models)} models, {len(rows)} rows, {size:,} bytes, revision {content['revision']}"
    yield f"from {_counted(origins)}; sources differ: {_counted(differing)}, {disputes} disputed rates"
    yield f"left out: {_counted(notes.left_out)}"
    yield f"overrides that were not checked on the source page itself: {len(list(unverified(sources.overrides())))}"


def _counted(counts: Counter[str]) -> str:
    return "; ".join(f"{name}: {count}" for name, count in counts.most_common(30))


def main(arguments: list[str]) -> None:
    """Build, compare with the present catalog and write; `--all` prints every change, `--dry` writes nothing."""
    notes = Notes()
    data = snapshot.pack(build(notes))
    content = snapshot.unpack(data)
    lines = list(changes(snapshot.unpack(TARGET.read_bytes()), content)) if TARGET.exists() else []
    shown = lines if "--all" in arguments else lines[:MAX_CHANGES]
    sys.stdout.write("\n".join([*shown, f"{len(lines)} changes ({len(shown)} shown)", *summary(content, len(data), notes), ""]))
    if "--dry" not in arguments:
        TARGET.write_bytes(data)


if __name__ == "__main__":
    main(sys.argv[1:])
