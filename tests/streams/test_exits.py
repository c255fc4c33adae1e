"""Every way to end × every kind of source: one record, one export, the source closed once, and nothing left."""

import asyncio
import gc
import inspect
from collections.abc import AsyncIterator
from typing import Any

import pytest

from streamtally import Outcome
from tests.streams.exits import ASYNC_KINDS, EXITS, IMPOSSIBLE, SYNC_KINDS, Bench, cells, ticks
from tests.streams.sources import Kind, World


def _named(mode: str) -> list[object]:
    return [pytest.param(name, kind, id=f"{name}-{kind.name}") for name, kind in cells(mode)]


def test_every_cell_is_run_or_cannot_be() -> None:
    """A cell that nobody has written, or that a source cannot play, is listed with its reason; all others are run."""
    for mode, kinds in (("sync", SYNC_KINDS), ("async", ASYNC_KINDS)):
        run = [(name, kind.name) for name, kind in cells(mode)]
        for name, way in EXITS.items():
            written = way.sync if mode == "sync" else way.asynchronous
            for kind in kinds:
                listed = bool({(mode, name, None), (mode, name, kind.name)} & IMPOSSIBLE.keys())
                assert listed or (written is not None and way.script in kind.scripts), (mode, name, kind.name)
                assert run.count((name, kind.name)) == (not listed)


def test_what_is_listed_as_impossible_is_no_more_than_that() -> None:
    """Each names an exit and a kind that there are, and a reason; and each outcome is the end of some way."""
    names = {("sync", kind.name) for kind in SYNC_KINDS} | {("async", kind.name) for kind in ASYNC_KINDS}
    for (mode, name, kind), reason in IMPOSSIBLE.items():
        assert name in EXITS
        assert kind is None or (mode, kind) in names
        assert reason
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
    bench.let_go()
    bench.check(way.outcome, stream)
    assert bench.source.settled


@pytest.fixture
async def tripping(name: str) -> AsyncIterator[None]:
    """The HTTP library's own generators, collected at once, may close each other twice, also without us: that is let pass."""
    if name != "collected in a cycle":
        yield
        return
    loop = asyncio.get_running_loop()
    handler = loop.get_exception_handler()

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if "asynchronous generator is already running" not in str(context.get("exception")):
            (handler or asyncio.AbstractEventLoop.default_exception_handler)(loop, context)

    loop.set_exception_handler(handle)
    yield
    for _ in range(10):  # a task tells of its exception when it is collected itself
        await asyncio.sleep(0)
    gc.collect()
    loop.set_exception_handler(handler)


@pytest.mark.anyio
@pytest.mark.usefixtures("tripping")
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
    await bench.alet_go()
    bench.check(way.outcome, stream)
    await bench.alet_go()
    await ticks(lambda: bench.source.settled)
    for _ in range(3):
        await asyncio.sleep(0)
    assert bench.source.settled
