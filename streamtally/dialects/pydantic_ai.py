"""`pydantic.ai`: what Pydantic AI yields, which `sources/pydantic_ai.py` reads by class; no payload is recognised.

Terminal rule: none; the end of the source. Usage rule: final, by the names of `Usage`, for a whole run.
"""

from __future__ import annotations

from dataclasses import replace

from .plain import EXTRACT

DIALECT = replace(
    EXTRACT,
    name="pydantic.ai",
    finish_reasons={
        "stop": "stop",
        "length": "length",
        "content_filter": "content_filter",
        "tool_call": "tool_calls",
        "error": "error",
    },
)
"""Its finish reasons are normalised: "stop" at the end of a run is no tool call, though the run has some."""

DIALECTS = (DIALECT,)
