"""Prints every table. `python -m benchmarks`"""

from __future__ import annotations

import platform

from rich.console import Console
from rich.table import Table

from . import imports, memory, per_chunk, pricing

console = Console(width=110)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left")
    for place, column in enumerate(columns):
        table.add_column(column, justify="left" if place == 0 else "right")
    return table


def _wrapped() -> Table:
    table = _table("One chunk through wrap: ns added to the bare loop", "1,000 chunks", "F1", "F2", "wrap", "wrap / F2")
    for kind in ("text", "nulls", "tool"):
        costs = per_chunk.wrapped(kind)
        table.add_row(kind, *(f"{costs[name]:.0f}" for name in ("F1", "F2", "wrap")), f"{costs['wrap'] / costs['F2']:.2f}")
    costs = per_chunk.wrapped_async()
    table.add_row("text, async", "", f"{costs['F2']:.0f}", f"{costs['wrap']:.0f}", f"{costs['wrap'] / costs['F2']:.2f}")
    return table


def _added() -> Table:
    table = _table("One payload through Accumulator.add: ns (1,000 mappings)", "payloads", "by arrival", "by index", "reversed")
    for kind in ("text", "tool"):
        table.add_row(kind, *(f"{cost:.0f}" for cost in per_chunk.added(kind).values()))
    return table


def _growth() -> Table:
    lengths = [f"{length:,}" for length in per_chunk.GROWTH]
    table = _table("Growth: ns per chunk by length of stream", "way", *lengths, "exponent from 1,000")
    for name, costs in (
        ("wrap, text", per_chunk.growth("text")),
        ("wrap, tool", per_chunk.growth("tool")),
        ("add, text", per_chunk.added_growth("text")),
    ):
        table.add_row(name, *(f"{cost:.0f}" for cost in costs.values()), f"{per_chunk.exponent(costs):.3f}")
    return table


def _prices() -> Table:
    found = pricing.ways()
    agreed, times = pricing.agreement(found), pricing.per_call(found)
    table = _table("One price: CPU µs per call, beside the peers installed", "way", "median", "dearest", "agree with usd")
    for name, (median, dearest) in times.items():
        table.add_row(name, f"{median:.2f}", f"{dearest:.2f}", agreed[name])
    return table


def main() -> None:
    """Measure and print."""
    console.print(f"CPython {platform.python_version()}, {platform.machine()}; CPU time, medians of interleaved rounds")
    console.print(_wrapped())
    console.print(_added())
    console.print(_growth())
    console.print(_prices())
    held = memory.bytes_per_open_stream()
    console.print(
        f"Open stream of {memory.LENGTH} chunks: {held['added']:,.0f} bytes added "
        f"({held['text']:,.0f} of them text), {held['per further chunk']:.1f} per further chunk"
    )
    cost = imports.import_ratio()
    console.print(f"import streamtally: {cost['ratio']:.2f} × from pydantic import BaseModel")


if __name__ == "__main__":
    main()
