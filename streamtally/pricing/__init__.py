"""Computes the cost of requests: a bundled price catalog, matching of model names, and exact arithmetic.

`ModelCatalog` is the entry point. Only `ModelCatalog.refresh` uses the network.
"""

from __future__ import annotations

from .catalog import ModelCatalog
from .units import UNITS, Unit

__all__ = ["UNITS", "ModelCatalog", "Unit"]
