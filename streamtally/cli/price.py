"""`streamtally price`: what a request costs, line by line, and where the rates are from."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from ..demo.formatting import cost_in_words, dollars
from ..records import Cost, Usage
from .output import attempted, prices_of, refuse, typer

if TYPE_CHECKING:
    from ..pricing import ModelCatalog

_OTHER_NAMES = {"cache_read": ("--cached",)}
_HELP = {
    "input": "Tokens in, those from a cache and of sound and images included.",
    "output": "Tokens out, reasoning included.",
    "cache_write": "Tokens written to a cache, of every lifetime.",
}


def command() -> Callable[..., None]:
    """The command, with an option for everything that `Usage` counts and a unit is charged for."""
    signature = inspect.signature(_price, eval_str=True)
    fixed = [parameter for name, parameter in signature.parameters.items() if name != "counts"]

    def price(**given: Any) -> None:
        _price(**given)

    price.__doc__ = _price.__doc__
    parameters = [fixed[0], *_counters(), *fixed[1:]]
    price.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]  # typer reads it
    price.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return price


def _price(  # noqa: PLR0913 - each is an option of the command
    model: Annotated[str, typer.Argument(help="The model's name.")],
    *,
    quality: Annotated[str | None, typer.Option(help="Of the images, such as high.")] = None,
    size: Annotated[str | None, typer.Option(help="Of the images or the video, such as 1024x1024.")] = None,
    search_context: Annotated[str | None, typer.Option(help="How much a search may bring: low, medium or high.")] = None,
    provider: Annotated[str | None, typer.Option(help="Who serves it; the model's maker if not given.")] = None,
    tier: Annotated[str | None, typer.Option(help="The service tier: priority, flex, batch, fast, …")] = None,
    region: Annotated[str | None, typer.Option(help="Where it is served: eu, global, us-east-1, …")] = None,
    at: Annotated[str | None, typer.Option(help="When, such as 2026-11-02 or 2026-11-02T03:00:00Z; now if not given.")] = None,
    rates: Annotated[list[str] | None, typer.Option(help="A rate of your own, such as input=1.25; may be repeated.")] = None,
    catalog: Annotated[Path | None, typer.Option(help="A file of prices, or of rates and discounts of your own.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The cost as JSON.")] = False,
    **counts: Any,
) -> None:
    """Show what a request costs: each unit with its rate, the sum, and which prices they are.

    Exits with 1 where the price is not known.
    """
    words = {"image_quality": quality, "image_size": size, "video_size": size, "search_context": search_context}
    given = {_field(name): count for name, count in counts.items()} | words
    used = {field: value for field, value in given.items() if value is not None}
    if not used.keys() - words.keys():
        refuse("nothing to price: state an amount, such as --input 1000 --output 500")
    moment = None if at is None else attempted(lambda: datetime.fromisoformat(at))
    own = _rates(rates or [])
    prices = prices_of(catalog)
    cost = attempted(
        lambda: prices.price(model, Usage(**used), provider=provider, at=moment, tier=tier, region=region, rates=own or None)
    )
    if provider and prices.provider(provider) is None and cost.provider_matched != provider.strip().casefold():
        refuse(f"no provider {provider!r} in the prices of {prices.generated_at}; `streamtally catalog info` lists them")
    if cost.inconsistent:
        refuse("the parts are more than the whole: --input includes what comes from a cache and goes to one, --output reasoning")
    _show(cost, model, provider, prices, as_json=as_json)
    if cost.usd is None:
        raise typer.Exit(1)


def _counters() -> Iterator[inspect.Parameter]:
    """An option for each unit that something counts."""
    from ..pricing import UNITS

    for unit in UNITS.values():
        if unit.field:
            name = unit.field.removesuffix("_tokens")
            kind = float if "float" in str(Usage.model_fields[unit.field].annotation) else int
            help_text = _HELP.get(name, f"{name.replace('_', ' ').capitalize()}, charged by the {unit.label}.")
            option = typer.Option(f"--{name.replace('_', '-')}", *_OTHER_NAMES.get(name, ()), min=0, help=help_text)
            annotation = Annotated[kind | None, option]  # type: ignore[valid-type]  # a type that is computed
            yield inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _field(name: str) -> str:
    return name if name in Usage.model_fields else f"{name}_tokens"


def _rates(texts: list[str]) -> dict[str, str]:
    """Rates from `unit=rate`, several of them also with commas between."""
    pairs = [pair.partition("=") for text in texts for pair in text.split(",")]
    if wrong := next(("".join(pair) for pair in pairs if not pair[1]), None):
        refuse(f"a rate is written as unit=rate, such as input=1.25: {wrong!r}")
    return {unit.strip(): rate.strip() for unit, _, rate in pairs}


def _show(cost: Cost, model: str, provider: str | None, prices: ModelCatalog, *, as_json: bool) -> None:
    if as_json:
        typer.echo(cost.model_dump_json(indent=2))
        return
    for line in _bill(cost):
        typer.echo(line)
    if cost.usd is None:
        who = f" at {provider}" if provider else ""
        why = f": no rate for {', '.join(cost.unpriced)}" if cost.unpriced else ""
        typer.echo(f"{model}{who}: {cost_in_words(cost)} in the prices of {prices.generated_at}{why}", err=True)
        return
    typer.echo(f"{cost.model_matched} of {cost.provider_matched} ({cost.match_rule}), prices of {prices.generated_at}")
    if conditions := "; ".join(row for row in cost.rows if row):
        typer.echo(f"rows: {conditions}")
    typer.echo(f"revision {cost.catalog_revision}")


def _bill(cost: Cost) -> Iterator[str]:
    """A line for each unit and each discount, the sum, and what has no price."""
    from ..pricing import UNITS

    for line in cost.breakdown:
        if line.unit in UNITS:
            rate = f"{dollars(line.rate)} per {UNITS[line.unit].label}"
            yield f"{line.unit:<18}{line.count:>12} × {rate:<36}{dollars(line.usd):>16}"
        else:
            yield f"{line.unit:<18}{line.rate:>12} of {dollars(line.count):<35}{dollars(line.usd):>16}  {line.name}"
    if cost.usd is not None:
        yield f"{'total':<69}{cost_in_words(cost):>16}"
        if cost.unpriced:
            yield f"without {', '.join(cost.unpriced)}: no rate"
