"""From a record to what an exporter holds for each series, with the labelling done once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import product
from typing import Generic, TypeVar

from ..records import InterChunk, StreamRecord
from .labels import Base, Labels
from .measurements import Reader, Values, reader
from .names import Instrument

Series = TypeVar("Series")
Labelled = Mapping[str, str | int]
Bind = Callable[[Instrument, Labelled], Series]


class Bindings(Generic[Series]):
    """The series of one exporter, so that a value costs a look-up and no labelling.

    Args:
        instruments: what is measured; those that do not measure streams are left out.
        labels: the shared labels and their caps.
        bind: makes what stands for one series, from the instrument and its labels by name; those without a value are
            left out. Counters that are to exist `from_zero` are bound as soon as their shared labels are met.
    """

    def __init__(self, instruments: Iterable[Instrument], labels: Labels, bind: Bind[Series]) -> None:
        self._instruments = tuple(one for one in instruments if one.of_streams)
        self._labels = labels
        self._bind = bind
        self._families: dict[Base, list[tuple[Reader, _Family[Series]]]] = {}
        self._single: dict[Instrument, dict[Base, _Family[Series]]] = {}

    def of(self, record: StreamRecord) -> Iterator[tuple[Series, float | InterChunk]]:
        """Each series that the record adds to, and the value it adds."""
        base = self._labels.of(record)
        for read, family in self._families.get(base) or self._all(base):
            for value, own in read(record):
                yield family[own], value

    def one(self, instrument: Instrument, record: StreamRecord, own: Values = ()) -> Series:
        """The series of one instrument that has the record's shared labels and these of its own."""
        base = self._labels.of(record)
        families = self._single.setdefault(instrument, {})
        family = families.get(base)
        if family is None:
            family = families[base] = _Family(self._labels, self._bind, instrument, base)
        return family[own]

    def _all(self, base: Base) -> list[tuple[Reader, _Family[Series]]]:
        families = [(reader(one), _Family(self._labels, self._bind, one, base)) for one in self._instruments]
        for _, family in families:
            family.begin_at_zero()
        return self._families.setdefault(base, families)


class _Family(dict[Values, Series]):
    """The series of one instrument that share the shared labels, by the values of the instrument's own."""

    def __init__(self, labels: Labels, bind: Bind[Series], instrument: Instrument, base: Base) -> None:
        self._labels = labels
        self._bind = bind
        self._instrument = instrument
        self._base = {name: value for name, value in zip(labels.names, base, strict=True) if value is not None}

    def __missing__(self, own: Values) -> Series:
        capped = self._labels.own(self._instrument, own)
        if capped != own and capped in self:
            return self[capped]
        named = {name: value for name, value in zip(self._instrument.labels, capped, strict=True) if value}
        series = self[capped] = self._bind(self._instrument, {**self._base, **named})
        return series

    def begin_at_zero(self) -> None:
        """Bind the series that are to be there before the first increase."""
        if self._instrument.from_zero:
            for own in product(*self._instrument.values or ()):
                self[own]
