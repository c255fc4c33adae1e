"""Prints every table. `python -m benchmarks`"""

from __future__ import annotations

import platform

from rich.console import Console
from rich.table import Table

from . import imports, instructions, memory, per_chunk, pricing
from .tables import table

console = Console(width=110)


def _wrapped() -> Table:
    made = table("One chunk through wrap: ns added to the bare loop", "1,000 chunks", "F1", "F2", "wrap", "wrap / F2")
    for kind in ("text", "nulls", "tool"):
        costs = per_chunk.wrapped(kind)
        made.add_row(kind, *(f"{costs[name]:.0f}" for name in ("F1", "F2", "wrap")), f"{costs['wrap'] / costs['F2']:.2f}")
    costs = per_chunk.wrapped_async()
    made.add_row("text, async", "", f"{costs['F2']:.0f}", f"{costs['wrap']:.0f}", f"{costs['wrap'] / costs['F2']:.2f}")
    return made


def _added() -> Table:
    made = table("One payload through Accumulator.add: ns (1,000 mappings)", "payloads", "by arrival", "by index", "reversed")
    for kind in ("text", "tool"):
        made.add_row(kind, *(f"{cost:.0f}" for cost in per_chunk.added(kind).values()))
    return made


def _growth() -> Table:
    lengths = [f"{length:,}" for length in per_chunk.GROWTH]
    made = table("Growth: ns per chunk by length of stream", "way", *lengths, "exponent from 1,000")
    for name, costs in (
        ("wrap, text", per_chunk.growth("text")),
        ("wrap, tool", per_chunk.growth("tool")),
        ("add, text", per_chunk.added_growth("text")),
    ):
        made.add_row(name, *(f"{cost:.0f}" for cost in costs.values()), f"{per_chunk.exponent(costs):.3f}")
    return made


def _prices() -> Table:
    found = pricing.price_functions()
    agreed, times = pricing.agreement(found), pricing.per_call(found)
    made = table("One price: CPU µs per call, beside the peers installed", "way", "median", "dearest", "agree with usd")
    for name, (median, dearest) in times.items():
        made.add_row(name, f"{median:.2f}", f"{dearest:.2f}", agreed[name])
    return made


def main() -> None:
    """Measure and print."""
    console.print(f"CPython {platform.python_version()}, {platform.machine()}; CPU time, medians of interleaved rounds")
    try:
        console.print(instructions.report())
    except instructions.Unavailable as reason:
        console.print(f"SKIPPED: no instructions are counted: {reason}", style="bold red")
    console.print(_wrapped())
    console.print(_added())
    console.print(_growth())
    console.print(_prices())
    console.print(memory.report())
    cost = imports.import_ratio()
    console.print(f"import streamtally: {cost['ratio']:.2f} × from pydantic import BaseModel")


if __name__ == "__main__":
    main()
