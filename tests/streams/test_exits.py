"""Every way to end × every kind of source: one record, one export, the source closed once, and nothing left."""

import asyncio
import inspect

import pytest

from streamtally import Outcome
from tests.streams.exits import EXITS, IMPOSSIBLE, Bench, cells, ticks
from tests.streams.sources import ASYNC_KINDS, SYNC_KINDS, Kind, World


def _named(mode: str) -> list[object]:
    return [pytest.param(name, kind, id=f"{name}-{kind.name}") for name, kind in cells(mode)]


def test_every_cell_is_there_or_cannot_be() -> None:
    """The product of modes, exits and kinds, less what is listed as impossible, is what the tests below run."""
    product = {
        (mode, name, kind.name)
        for mode, kinds in (("sync", SYNC_KINDS), ("async", ASYNC_KINDS))
        for name in EXITS
        for kind in kinds
    }
    impossible = {cell for cell in product if cell in IMPOSSIBLE or (*cell[:2], None) in IMPOSSIBLE}
    run = {(mode, name, kind.name) for mode in ("sync", "async") for name, kind in cells(mode)}
    assert run | impossible == product
    assert not run & impossible
    assert all(any(cell[:2] == listed[:2] for cell in impossible) for listed in IMPOSSIBLE)
    assert {way.outcome for way in EXITS.values()} == set(Outcome) - {Outcome.LIMIT}


@pytest.mark.parametrize(("name", "kind"), _named("sync"))
def test_sync_exits(name: str, kind: Kind, world: World) -> None:
    """A sync source."""
    way = EXITS[name]
    assert way.sync is not None
    bench = Bench(kind.make(way.script, world))
    stream = way.sync(bench)
    if stream is None and way.outcome is Outcome.ABANDONED:
        assert bench.exporter.records == []
        assert len(bench.tally.accumulator) == 1
    bench.tally.flush()
    bench.check(way.outcome, stream)
    assert bench.source.settled


@pytest.mark.anyio
@pytest.mark.parametrize(("name", "kind"), _named("async"))
async def test_async_exits(name: str, kind: Kind, aworld: World) -> None:
    """An async source."""
    way = EXITS[name]
    assert way.asynchronous is not None
    made = kind.make(way.script, aworld)
    bench = Bench(await made if inspect.isawaitable(made) else made)
    stream = await way.asynchronous(bench)
    for _ in range(3):  # the loop closes our generator, and only then nobody reads the source
        await asyncio.sleep(0)
    if stream is None and way.outcome is Outcome.ABANDONED:
        assert bench.exporter.records == []
        assert len(bench.tally.accumulator) == 1
    bench.tally.flush()
    bench.check(way.outcome, stream)
    await ticks(lambda: bench.source.settled)
    for _ in range(3):
        await asyncio.sleep(0)
    assert bench.source.settled
