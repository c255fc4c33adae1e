"""What a request cost: a bundled catalog of prices, the matching of model names, and exact arithmetic.

Nothing here touches the network. Start at `ModelCatalog`.
"""

from __future__ import annotations

from .catalog import ModelCatalog
from .units import UNITS, Unit

__all__ = ["UNITS", "ModelCatalog", "Unit"]
