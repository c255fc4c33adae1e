"""The labels that all metrics share, and the caps that keep the number of series bounded."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from threading import Lock

from ..jsonish import mend_surrogates
from ..records import StreamRecord
from .measurements import Values, operation, provider
from .names import BASE_LABELS, OPERATION, OTHER, REQUEST_MODEL, RESPONSE_MODEL, Instrument

MAX_VALUES = 100
"""Values of one label before the next become "other": our own choice, room for every model that one service uses."""

MAX_SERIES = 2_000
"""Combinations of the shared labels: the OpenTelemetry SDK's default limit of series for one instrument."""

Label = str | int | None
Base = tuple[Label, ...]


class Labels:
    """The values of the shared labels of each record, within the caps.

    Args:
        declared: names of further labels, whose values are those of `record.attributes`.
        max_values: how many values a label may take; the values that come later are "other".
        known_models: whether a model's name is known, such as from a price catalog. A known name is always kept.

    Raises:
        ValueError: a declared label has the name of one of ours, or stands twice.
    """

    def __init__(
        self,
        declared: Iterable[str] = (),
        max_values: int = MAX_VALUES,
        known_models: Callable[[str], bool] | None = None,
    ) -> None:
        self.declared = tuple(declared)
        self.names = (*BASE_LABELS, *self.declared)
        if len(set(self.names)) < len(self.names):
            raise ValueError(f"label names must differ from each other and from {', '.join(BASE_LABELS)}")
        self._max_values = max_values
        self._known_models = known_models
        self._seen: dict[str, set[Label]] = {}
        self._admitted: set[Base] = set()
        self._lock = Lock()

    def of(self, record: StreamRecord) -> Base:
        """The values of `names` for this record; None where it does not say."""
        base: Base = (
            operation(record),
            provider(record),
            record.requested_model,
            record.model,
            record.server_address,
            record.server_port,
        )
        if self.declared:
            base += tuple(_scalar(record.attributes.get(name)) for name in self.declared)
        return base if base in self._admitted else self._admit(base)

    def own(self, instrument: Instrument, values: Values) -> Values:
        """The values of an instrument's own labels, capped where any value may come."""
        if instrument.values is not None:
            return values
        with self._lock:
            return tuple(
                str(self._capped(name, mend_surrogates(value))) for name, value in zip(instrument.labels, values, strict=True)
            )

    def _capped(self, name: str, value: Label) -> Label:
        if not value or self._is_known(name, value):
            return value
        seen = self._seen.setdefault(name, set())
        if value not in seen:
            if len(seen) >= self._max_values:
                return OTHER
            seen.add(value)
        return value

    def _admit(self, base: Base) -> Base:
        # A lone surrogate has no UTF-8: in a label it would break every later scrape.
        mended = tuple(map(mend_surrogates, base))
        with self._lock:
            capped = tuple(map(self._capped, self.names, mended))
            if capped not in self._admitted and len(self._admitted) >= MAX_SERIES:
                return tuple(map(self._known_or_other, self.names, mended))
            self._admitted.add(capped)
        return capped

    def _known_or_other(self, name: str, value: Label) -> Label:
        return value if value is None or self._is_known(name, value) else OTHER

    def _is_known(self, name: str, value: Label) -> bool:
        if name in (REQUEST_MODEL, RESPONSE_MODEL):
            return self._known_models is not None and isinstance(value, str) and self._known_models(value)
        return name == OPERATION


def _scalar(value: object) -> str | None:
    return str(value) if isinstance(value, str | int | float) else None
