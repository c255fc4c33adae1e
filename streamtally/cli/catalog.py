"""`streamtally catalog`: what the prices are, how they differ from others, and newer ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from ..clock import SYSTEM_CLOCK, wall_time
from ..demo.formatting import NOTHING, dollars
from ..records import Usage
from .output import attempted, prices_of, refuse, show_json, typer

if TYPE_CHECKING:
    from ..pricing import ModelCatalog

_ONE_EACH = Usage(input_tokens=1, output_tokens=1)
"""Asks for the plain rates: no context is so short that it has a price of its own."""


def commands() -> typer.Typer:
    """The commands."""
    app = typer.Typer(no_args_is_help=True, help="What the prices are, how they differ from others, and newer ones.")
    for name, command in (("info", info), ("list", list_models), ("diff", diff), ("refresh", refresh)):
        app.command(name)(command)
    return app


Catalog = Annotated[Path | None, typer and typer.Option(help="A file of prices; the newest on this machine if not given.")]
AsJson = Annotated[bool, typer and typer.Option("--json", help="As JSON.")]


def info(catalog: Catalog = None, as_json: AsJson = False) -> None:
    """Show which prices these are, how old, where from, of how many models, and how many rates are disputed."""
    prices = prices_of(catalog)
    facts: dict[str, Any] = {
        "revision": prices.revision,
        "generated_at": prices.generated_at,
        "age_days": _age(prices),
        "sources": [f"{source['name']} {source.get('version', '')}".strip() for source in prices.content.get("sources", ())],
        "models": len(prices),
        "disputed": len(prices.disputed()),
        "providers": dict(sorted(Counter(provider for provider, _ in prices).items())),
    }
    if as_json:
        show_json(facts)
        return
    typer.echo(f"revision   {facts['revision']}")
    typer.echo(f"date       {facts['generated_at']} ({facts['age_days']} days old)")
    typer.echo(f"sources    {', '.join(facts['sources'])}")
    typer.echo(f"disputed   {facts['disputed']} rates")
    typer.echo(f"models     {facts['models']}")
    for provider, count in facts["providers"].items():
        typer.echo(f"  {provider:<26}{count:>5}")


def list_models(
    provider: Annotated[str | None, typer.Argument(help="One provider's models only.")] = None,
    match: Annotated[str | None, typer.Option(help="Only names with this in them.")] = None,
    catalog: Catalog = None,
    as_json: AsJson = False,
) -> None:
    """List the models, with the plain price of a million tokens in and out."""
    prices = prices_of(catalog)
    home = None if provider is None else prices.provider(provider)
    if provider is not None and home is None:
        refuse(f"no provider {provider!r} in the prices of {prices.generated_at}; `streamtally catalog info` lists them")
    part = "" if match is None else match.casefold()
    wanted = [(owner, name) for owner, name in sorted(prices) if home in (None, owner) and part in name.casefold()]
    found = [{"provider": owner, "model": name, **_plain_rates(prices, owner, name)} for owner, name in wanted]
    if as_json:
        show_json(found)
        return
    for entry in found:
        shown = [NOTHING if entry[unit] is None else dollars(entry[unit]) for unit in ("input", "output")]
        typer.echo(f"{entry['provider']:<22}{entry['model']:<58}{shown[0]:>10}{shown[1]:>10}")


def diff(
    first: Annotated[Path | None, typer.Argument(help="A file of prices; without a second one it is the newer.")] = None,
    second: Annotated[Path | None, typer.Argument(help="The newer file of prices.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show what is new (+), gone (-), changed (~) and changed tenfold (!): from one file to another, or from the bundled prices.

    Without a file it is the newest prices on this machine that are compared with the bundled ones.
    """
    from ..pricing import ModelCatalog
    from ..pricing.build.report import changes

    old = ModelCatalog.bundled() if second is None else prices_of(first)
    new = prices_of(first if second is None else second)
    lines = list(changes(old.content, new.content))
    if as_json:
        show_json({"from": old.revision, "to": new.revision, "changes": lines})
        return
    for line in lines:
        typer.echo(line)
    typer.echo(f"{len(lines)} differences from the prices of {old.generated_at} to those of {new.generated_at}")


def refresh(
    source: Annotated[str, typer.Argument(help="The path or URL of a latest.json.")],
    cache_dir: Annotated[Path | None, typer.Option(help="Where to keep them; a place of the system's if not given.")] = None,
    as_json: AsJson = False,
) -> None:
    """Take newer prices from a file or URL, if they can be trusted; exits with 1 where they cannot.

    From then on these commands and `ModelCatalog.latest()` use them.
    """
    from ..pricing import ModelCatalog

    # A catalog of its own: the bundled one is the whole process's.
    status = ModelCatalog(ModelCatalog.latest(cache_dir=cache_dir).content).refresh(source, cache_dir=cache_dir)
    if as_json:
        show_json({**asdict(status), "at": status.at and status.at.isoformat()})
    else:
        why = f": {status.reason}" if status.reason else ""
        typer.echo(f"{status.outcome}{why}", err=not status)
        typer.echo(f"prices of {status.generated_at}, revision {status.revision}")
    if not status:
        raise typer.Exit(1)


def _age(prices: ModelCatalog) -> int:
    """Days since the catalog's date."""
    now = wall_time(SYSTEM_CLOCK.wall_ns(SYSTEM_CLOCK.monotonic_ns()))
    made = attempted(lambda: date.fromisoformat(prices.generated_at))
    return 0 if now is None else (now.date() - made).days


def _plain_rates(prices: ModelCatalog, provider: str, model: str) -> Mapping[str, Any]:
    cost = prices.price(model, _ONE_EACH, provider=provider)
    found = {line.unit: line.rate for line in cost.breakdown}
    return {unit: found.get(unit) for unit in ("input", "output")}
