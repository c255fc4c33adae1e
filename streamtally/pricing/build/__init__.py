"""Builds the bundled catalog from its sources; a development tool, of which only `report` is used elsewhere.

`python -m streamtally.pricing.build` reads the packages named in `data_sources/overrides.json`, merges them and writes
`data/prices.json.gz`. The steps: `merge` combines `genai` (the base: history, tiers) with `litellm` (more units, regions and
models). `resolve` compares the rates of model makers with two reference sources (`references`), records disputes and picks a
rate. `overrides` applies our own entries on top. `check` rejects implausible rates. `report` lists the changes.
"""

from __future__ import annotations

from .assemble import Notes, build

__all__ = ["Notes", "build"]
