"""The series that a record adds to, looked up without building its labels again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import product
from typing import NamedTuple

from ..records import InterChunk, StreamRecord
from .instruments import Instrument
from .labels import Base, Labels
from .measurements import Identity, Measure, Values

LabelSet = Mapping[str, str | int]
"""The labels of one series, by name. Labels without a value are absent."""


class Series(NamedTuple):
    """One series of an exporter's backend.

    Args:
        record: adds, observes or sets a value, by the instrument's kind.
        exemplars: whether `record` takes an exemplar as its second argument.
    """

    record: Callable[..., None]
    exemplars: bool = False


Bind = Callable[[Instrument, LabelSet], Series]
"""Returns the backend's series of an instrument with these labels."""


class Bindings:
    """The series of one exporter, each bound once.

    Args:
        instruments: the metrics; those that do not measure streams are ignored.
        labels: the shared labels and their caps.
        bind: makes a series. Counters `from_zero` are bound as soon as a record has their shared labels.
    """

    def __init__(self, instruments: Iterable[Instrument], labels: Labels, bind: Bind) -> None:
        self._measured = tuple((one, one.measure) for one in instruments if one.of_streams and one.measure is not None)
        self._labels = labels
        self._bind = bind
        self._families: dict[Base, list[tuple[Measure, _Family]]] = {}
        self._single: dict[Instrument, dict[Base, _Family]] = {}

    def of(self, record: StreamRecord, identity: Identity) -> Iterator[tuple[Series, float | InterChunk]]:
        """Each series that the record adds to, and the value."""
        base = self._labels.of(identity, record.attributes)
        for measure, family in self._families.get(base) or self._new_families(base):
            for value, own in measure(record):
                yield family[own], value

    def one(self, instrument: Instrument, record: StreamRecord, identity: Identity, own: Values = ()) -> Series:
        """The series of one instrument that has the record's shared labels, and these values of its own labels."""
        base = self._labels.of(identity, record.attributes)
        families = self._single.setdefault(instrument, {})
        family = families.get(base)
        if family is None:
            family = families[base] = _Family(self._labels, self._bind, instrument, base)
        return family[own]

    def _new_families(self, base: Base) -> list[tuple[Measure, _Family]]:
        families = [(measure, _Family(self._labels, self._bind, one, base)) for one, measure in self._measured]
        for _, family in families:
            family.bind_from_zero()
        return self._families.setdefault(base, families)


class _Family(dict[Values, Series]):
    """The series of one instrument with the same shared labels, by the values of the instrument's own labels."""

    def __init__(self, labels: Labels, bind: Bind, instrument: Instrument, base: Base) -> None:
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

    def bind_from_zero(self) -> None:
        """Bind the series that must exist before their first increase."""
        if self._instrument.from_zero:
            for own in product(*self._instrument.values or ()):
                self[own]
