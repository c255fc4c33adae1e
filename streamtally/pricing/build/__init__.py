"""Makes the bundled catalog from its sources; a development tool, of which nothing but `report` is used elsewhere.

`python -m streamtally.pricing.build` reads the packages named in `data_sources/overrides.json`, merges them and writes
`data/prices.json.gz`. From source to catalog: `genai` (the base: history, tiers) and `litellm` (more units, regions,
models) are put together by `merge`; `witnesses` (two further sources) and `settle` say which rates are disputed and
which one holds; `own` puts our own entries over all; `check` refuses rates that cannot be; `report` says what changed.
"""

from __future__ import annotations

from .assemble import Notes, build

__all__ = ["Notes", "build"]
