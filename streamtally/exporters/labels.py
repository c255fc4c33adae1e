"""The labels that all metrics of streams share, and the caps that bound the number of series."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from threading import Lock

from ..json_values import Json, mend_surrogates
from .instruments import Instrument
from .measurements import Identity, Values
from .names import OPERATION, PROVIDER, REQUEST_MODEL, RESPONSE_MODEL, SERVER_ADDRESS, SERVER_PORT

BASE_LABELS = (OPERATION, PROVIDER, REQUEST_MODEL, RESPONSE_MODEL, SERVER_ADDRESS, SERVER_PORT)
"""The labels of every metric of streams, as the conventions list them. `Identity` has their values."""

OTHER = "other"
"""The value that replaces all values beyond a cap."""

MAX_VALUES = 100
"""Values of one label before further ones become `OTHER`: our own choice, enough for the models of one service."""

MAX_SERIES = 2_000
"""Combinations of the shared labels: the OpenTelemetry SDK's default limit of series for one instrument."""

COMBINATION = "combination"
"""The key in `Labels.overflow` for a combination beyond `MAX_SERIES` of values that were each within their own cap."""

Label = str | int | None
Base = tuple[Label, ...]

_MODELS = (REQUEST_MODEL, RESPONSE_MODEL)


class Labels:
    """The values of the shared labels of each record, within the caps.

    A known model always keeps its name and does not count towards the cap, so all workers of one service use the same
    value for it. Which names are known is looked up only once a cap is reached.

    Args:
        declared: names of further labels, whose values are in `record.attributes`.
        max_values: how many values a label may have; later values are replaced by `OTHER`.
        known_models: whether a model's name is known, for example from a price catalog.

    Attributes:
        overflow: how often a value was replaced by `OTHER`, by the name of its label.

    Raises:
        ValueError: a declared label is a duplicate, or has the name of a shared label.
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
        self.known_models = known_models
        self.overflow: Counter[str] = Counter()
        self._max_values = max_values
        self._seen: dict[str, set[Label]] = {name: set() for name in self.names}
        self._known: set[Label] = set()
        self._admitted: set[Base] = set()
        self._lock = Lock()

    def of(self, identity: Identity, attributes: Mapping[str, Json]) -> Base:
        """The values of `names` for one record, from its identity and its attributes; None for those that it does not have."""
        base: Base = identity
        if self.declared:
            base = (*identity, *[_scalar(attributes.get(name)) for name in self.declared])
        return base if base in self._admitted else self._admit(base)

    def own(self, instrument: Instrument, values: Values) -> Values:
        """The values of an instrument's own labels, capped if they are not known in advance."""
        if instrument.values is not None:
            return values
        with self._lock:
            return tuple(
                str(self._capped(name, mend_surrogates(value))) for name, value in zip(instrument.labels, values, strict=True)
            )

    def after_fork(self) -> None:
        """Replace the lock, in a forked child: a thread of the parent may hold it."""
        self._lock = Lock()

    def _capped(self, name: str, value: Label) -> Label:
        if not value or name == OPERATION:
            return value
        seen = self._seen.setdefault(name, set())
        if value in seen or (value in self._known and name in _MODELS):
            return value
        if len(seen) < self._max_values or (name in _MODELS and self._make_room(seen)):
            seen.add(value)
            return value
        if name in _MODELS and self._is_known(value):
            return value
        self.overflow[name] += 1
        return OTHER

    def _make_room(self, seen: set[Label]) -> bool:
        """Remove known names from those that count towards the cap; return whether there were any."""
        known = {value for value in seen - self._known if self._is_known(value)}
        seen -= known
        return bool(known)

    def _is_known(self, model: Label) -> bool:
        if model in self._known:
            return True
        # The number of known names needs a bound too: a catalog knows each dated and each fine-tuned model.
        if self.known_models is None or len(self._known) >= MAX_SERIES or not self.known_models(str(model)):
            return False
        self._known.add(model)
        return True

    def _admit(self, base: Base) -> Base:
        # A lone surrogate has no UTF-8: in a label it would break every later scrape.
        mended = tuple(map(mend_surrogates, base))
        with self._lock:
            capped = tuple(map(self._capped, self.names, mended))
            if capped in self._admitted:
                return capped
            if len(self._admitted) >= MAX_SERIES:
                self.overflow[COMBINATION] += 1
                capped = tuple(map(self._known_or_other, self.names, mended))
            if len(self._admitted) < 2 * MAX_SERIES:
                self._admitted.add(capped)
            elif capped not in self._admitted:
                capped = tuple(map(_other, self.names, mended))
        return capped

    def _known_or_other(self, name: str, value: Label) -> Label:
        return value if name in _MODELS and value is not None and self._is_known(value) else _other(name, value)


def _other(name: str, value: Label) -> Label:
    return value if value is None or name == OPERATION else OTHER


def _scalar(value: object) -> str | None:
    return str(value) if isinstance(value, str | int | float) else None
