"""The command line: `streamtally replay | price | catalog | demo`."""

from __future__ import annotations

from .program import main, program

__all__ = ["main", "program"]
