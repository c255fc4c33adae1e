"""What the price of an answer depends on besides its tokens, stated by each dialect: tools, further model calls, tier, region."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from ..json_values import Json
from ..records import StreamRecord, Usage

Counts: TypeAlias = Iterable[tuple[str, Any]]
"""Pairs of a `Usage` field and its value; None means no count, and the field keeps its reported value."""


class SubCall(NamedTuple):
    """A model call that the provider made inside the request, with a usage of its own."""

    model: str | None
    usage: Usage


class Served(NamedTuple):
    """How and where a request was served, as its usage report states it.

    None is not stated; an empty region means that the model has none.
    """

    tier: str | None = None
    region: str | None = None


def raw_usage(record: StreamRecord) -> Mapping[str, Any]:
    """The provider's usage report of a record; empty if there is none."""
    return {} if record.usage is None else record.usage.raw


def _no_counts(record: StreamRecord) -> Counts:  # noqa: ARG001 - the signature of `tool_counts`
    return ()


def _all_of_it(usage: Usage) -> Usage:
    return usage


def _no_sub_calls(record: StreamRecord) -> Iterable[SubCall]:  # noqa: ARG001 - the signature of `sub_calls`
    return ()


def _not_stated(report: Mapping[str, Json]) -> Served:  # noqa: ARG001 - the signature of `served`
    return Served()


@dataclass(frozen=True, slots=True)
class ChargeRules:
    """What the price of an answer in a dialect depends on besides its tokens. All functions are pure.

    Args:
        tool_counts: the calls of the provider's tools that the record shows, as fields of a `Usage`.
        billed: the usage that the provider bills, where it bills less than the model processed; `usage` itself otherwise.
        sub_calls: the model calls inside the request whose usage is not part of the record's usage.
        served: the service tier and the region that a usage report states.
        picture_tools: the types of output items, or the names of their fields, of tools of the provider that make pictures: these
            are no output of the model.
    """

    tool_counts: Callable[[StreamRecord], Counts] = _no_counts
    billed: Callable[[Usage], Usage] = _all_of_it
    sub_calls: Callable[[StreamRecord], Iterable[SubCall]] = _no_sub_calls
    served: Callable[[Mapping[str, Json]], Served] = _not_stated
    picture_tools: frozenset[str] = frozenset()


NO_CHARGES = ChargeRules()
"""The rules of a dialect whose answers are priced by their tokens alone."""

LIVE = ChargeRules(served=lambda _: Served(tier="live"))
"""The rules of live transcription, which costs more than that of recordings: a rate without this tier is not its own."""
