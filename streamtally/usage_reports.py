"""Usage reports of one format: several of them as one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from .json_readers import mapping_of
from .json_values import Json, merged, stated


def merged_usage(known: Mapping[str, Json] | None, report: Mapping[str, Json]) -> dict[str, Json]:
    """The merge of two usage reports of one request: deep, per field, with later values winning over earlier ones and over null.

    Reports are never added: they are final, cumulative, or state each field once. A later report without a count above zero (some
    servers end with one) only fills missing fields, unless it has exactly one count, which is a correction.
    """
    if not known:
        return _without_nulls(report)
    counts = list(_counts(report))
    if any(_counts(known)) and not any(counts) and len(counts) != 1:
        return merged(_without_nulls(report), known)
    return merged(known, _without_nulls(report))


def _without_nulls(report: Mapping[str, Json]) -> dict[str, Json]:
    return {name: _without_nulls(value) if isinstance(value, Mapping) else value for name, value in stated(report).items()}


def summed_usage(reports: Iterable[Mapping[str, Json]]) -> dict[str, Json]:
    """The sum of usage reports of one format: deep, per field; of a field that is no number the last value counts.

    >>> summed_usage([{"tokens": 2, "by": {"a": 1}}, {"tokens": 3, "by": {"a": 4, "b": 5}}])
    {'tokens': 5, 'by': {'a': 5, 'b': 5}}
    """
    total: dict[str, Json] = {}
    for report in reports:
        for name, value in _without_nulls(report).items():
            known = total.get(name)
            if isinstance(value, Mapping):
                total[name] = summed_usage([mapping_of(known), value])
            elif _is_number(value) and _is_number(known):
                total[name] = known + value
            else:
                total[name] = value
    return total


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _counts(report: Mapping[str, Json]) -> Iterator[float]:
    for value in report.values():
        if isinstance(value, Mapping):
            yield from _counts(value)
        elif _is_number(value):
            yield value
