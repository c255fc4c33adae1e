"""What an exporter may ask the tally that it belongs to, and the package's own figures that follow from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from threading import Lock
from typing import Protocol, runtime_checkable

from .names import Figure

Count = tuple[Figure, str | None, int]
"""A figure of the package's own, the value of its label where it has one, and how much it has grown."""


@dataclass(frozen=True, slots=True)
class Owner:
    """The tally, as its exporters see it.

    Args:
        failures: how often each exporter raised, by its name.
        dropped: how many records no queue had room for.
        knows_model: whether the price catalog knows a model by this name.
        catalog_age: how many seconds old the catalog's source data is; None as long as no stream was priced.
        serves_prometheus: whether a `PrometheusExporter` is among its exporters.
    """

    failures: Callable[[], Mapping[str, int]]
    dropped: Callable[[], int]
    knows_model: Callable[[str], bool]
    catalog_age: Callable[[], float | None]
    serves_prometheus: bool = False


@runtime_checkable
class Owned(Protocol):
    """An exporter that wants to know whose it is."""

    def belongs_to(self, owner: Owner) -> None:
        """Take the owner, once, before the first record."""
        ...


def attach(exporters: Iterable[object], owner: Owner) -> None:
    """Tell those exporters that ask for it whose they are."""
    exporters = tuple(exporters)
    serves = any(type(exporter).__name__ == "PrometheusExporter" for exporter in exporters)
    owner = replace(owner, serves_prometheus=serves)
    for exporter in exporters:
        if isinstance(exporter, Owned):
            exporter.belongs_to(owner)


class Upkeep:
    """How much the package's own figures have grown since they were last asked for.

    Args:
        overflow: what the labels of the exporter that asks count.
    """

    def __init__(self, overflow: Mapping[str, int]) -> None:
        self.owner: Owner | None = None
        self._overflow = overflow
        self._told: Counter[tuple[Figure, str | None]] = Counter()
        self._lock = Lock()

    def grown(self) -> Iterable[Count]:
        """What has grown; nothing, and cheaply so, as long as all is well."""
        owner = self.owner
        if not self._overflow and (owner is None or not (owner.failures() or owner.dropped())):
            return ()
        with self._lock:
            return list(self._news(owner))

    def after_fork(self) -> None:
        """In a forked child the lock may be held by a thread that is not here."""
        self._lock = Lock()

    def _news(self, owner: Owner | None) -> Iterator[Count]:
        for figure, label, total in _totals(self._overflow, owner):
            growth = total - self._told[figure, label]
            if growth > 0:
                self._told[figure, label] = total
                yield figure, label, growth


def _totals(overflow: Mapping[str, int], owner: Owner | None) -> Iterator[Count]:
    for label, count in tuple(overflow.items()):
        yield "label_overflow", label, count
    if owner is not None:
        for name, count in tuple(owner.failures().items()):
            yield "exporter_failures", name, count
        yield "dropped_records", None, owner.dropped()
