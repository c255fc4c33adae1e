"""What a request cost, and how that amount was computed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any, Literal, overload

from pydantic import Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from .base import Frozen, Text, constructed

CostStatus = Literal["priced", "partial", "unknown_model", "unknown_provider", "missing_rate", "unpriced_unit", "no_usage"]


class CostLine(Frozen):
    """The cost of one unit: `count` units at `rate` (a decimal text, US dollars per published unit).

    A discount or markup is a line of its own: `unit` is "discount", `name` its name, `rate` a percentage with its sign,
    and `count` the list price in US dollars that it applies to. `name` is also set to the model on lines for a second
    model that was used within the request.
    """

    unit: str
    count: Decimal
    rate: str
    usd: Decimal
    name: Text | None = None

    @classmethod
    def of(cls, unit: str, count: Decimal, rate: str, usd: Decimal) -> CostLine:
        """A line with these fields, unvalidated."""
        return constructed(cls, {"unit": unit, "count": count, "rate": rate, "usd": usd, "name": None}, _LINE_FIELDS)


class Breakdown(Sequence[CostLine]):
    """The lines of a cost, as an immutable sequence that is built when it is first read.

    Args:
        lines: the lines, or the argument of `make`.
        make: builds the lines from `lines`.
    """

    __slots__ = ("_built", "_lines", "_make")

    def __init__(self, lines: Any = (), make: Callable[[Any], tuple[CostLine, ...]] = tuple) -> None:
        self._lines = lines
        self._make = make
        self._built: tuple[CostLine, ...] | None = None

    @property
    def _whole(self) -> tuple[CostLine, ...]:
        built = self._built
        if built is None:
            built = self._built = self._make(self._lines)
        return built

    @overload
    def __getitem__(self, index: int) -> CostLine: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[CostLine, ...]: ...
    def __getitem__(self, index: int | slice) -> CostLine | tuple[CostLine, ...]:
        return self._whole[index]

    def __len__(self) -> int:
        return len(self._whole)

    def __iter__(self) -> Iterator[CostLine]:
        return iter(self._whole)

    def __eq__(self, other: object) -> bool:
        return self._whole == (other._whole if isinstance(other, Breakdown) else other)

    def __hash__(self) -> int:
        return hash(self._whole)

    def __repr__(self) -> str:
        return repr(self._whole)

    def __reduce__(self) -> tuple[type[Breakdown], tuple[tuple[CostLine, ...]]]:
        return Breakdown, (self._whole,)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        lines = handler.generate_schema(tuple[CostLine, ...])
        return core_schema.no_info_wrap_validator_function(
            lambda value, parse: value if isinstance(value, cls) else cls(parse(value)),
            lines,
            serialization=core_schema.plain_serializer_function_ser_schema(tuple, return_schema=lines),
        )


class Cost(Frozen):
    """What the request cost. `usd` is exact, or None if it is not known; `status` is then the reason.

    `source` is "provider" if `usd` is the cost that the provider itself stated and bills, "gateway" if it is the estimate of a
    gateway, which counts only where nothing could be computed, else "computed". `provider_usd`, `gateway_usd` and `computed_usd`
    hold all amounts that are known, and `breakdown` belongs to the computed one. `complete` is False if a part could
    not be priced (`unpriced` lists the units, or conditions without rates, such as "tier:flex"). `model_matched`,
    `match_rule`, `rows` (the conditions of the rows, in words) and `catalog_revision` identify the source of the rates.
    `usage_source` is the `source` of the usage; `inconsistent` is True if its counts contradicted each other and were
    reduced.
    """

    usd: Decimal | None = None
    status: CostStatus = "no_usage"
    complete: bool = False
    breakdown: Breakdown = Field(default_factory=Breakdown)
    unpriced: tuple[str, ...] = ()
    provider_matched: str | None = None
    model_matched: str | None = None
    match_rule: str | None = None
    rows: tuple[str, ...] = ()
    catalog_revision: str | None = None
    source: Literal["computed", "provider", "gateway"] = "computed"
    provider_usd: Decimal | None = None
    gateway_usd: Decimal | None = None
    computed_usd: Decimal | None = None
    usage_source: Literal["provider", "estimated"] = "provider"
    inconsistent: bool = False

    @classmethod
    def of(cls, fields: dict[str, Any]) -> Cost:
        """A cost with these fields, unvalidated: all of them, in order. Ten times as fast as validation."""
        return constructed(cls, fields, _COST_FIELDS)


_LINE_FIELDS, _COST_FIELDS = set(CostLine.model_fields), set(Cost.model_fields)
