"""What an exporter can ask the tally that it is attached to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TallyInfo:
    """A tally, as its exporters see it.

    Args:
        failures: returns how often each exporter raised, by its name.
        dropped: returns how many records were dropped because a queue was full or closed.
        knows_model: whether the price catalog has a model of this name.
        catalog_age: returns the age of the catalog's source data in seconds; None until the catalog is loaded.
        serves_prometheus: whether a Prometheus server scrapes one of the tally's exporters.
    """

    failures: Callable[[], Mapping[str, int]]
    dropped: Callable[[], int]
    knows_model: Callable[[str], bool]
    catalog_age: Callable[[], float | None]
    serves_prometheus: bool = False
