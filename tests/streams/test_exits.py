"""Every exit × every kind of source: one record, one export, the source closed once, and no open stream left."""

import asyncio
import gc
import inspect
from collections.abc import AsyncIterator
from typing import Any

import pytest

from streamtally import Outcome
from tests.streams.exits import ASYNC_KINDS, EXITS, IMPOSSIBLE, SYNC_KINDS, Bench, possible_exits, run_loop_until
from tests.streams.sources import Kind, World


def _named(mode: str) -> list[object]:
    return [pytest.param(name, kind, id=f"{name}-{kind.name}") for name, kind in possible_exits(mode)]


def test_every_pair_is_tested_or_impossible() -> None:
    """Every pair of an exit and a kind of source is either tested or listed as impossible."""
    for mode, kinds in (("sync", SYNC_KINDS), ("async", ASYNC_KINDS)):
        run = [(name, kind.name) for name, kind in possible_exits(mode)]
        for name, way in EXITS.items():
            written = way.sync if mode == "sync" else way.asynchronous
            for kind in kinds:
                listed = bool({(mode, name, None), (mode, name, kind.name)} & IMPOSSIBLE.keys())
                assert listed or (written is not None and way.script in kind.scripts), (mode, name, kind.name)
                assert run.count((name, kind.name)) == (not listed)


def test_the_list_of_impossible_exits() -> None:
    """`IMPOSSIBLE` lists only existing exits and kinds, each with a reason, and the exits cover all outcomes but one."""
    names = {("sync", kind.name) for kind in SYNC_KINDS} | {("async", kind.name) for kind in ASYNC_KINDS}
    for (mode, name, kind), reason in IMPOSSIBLE.items():
        assert name in EXITS
        assert kind is None or (mode, kind) in names
        assert reason
    assert {way.outcome for way in EXITS.values()} == set(Outcome) - {Outcome.LIMIT}


@pytest.mark.parametrize(("name", "kind"), _named("sync"))
def test_sync_exits(name: str, kind: Kind, world: World) -> None:
    """A sync stream that ends in any way has the expected outcome and record, and its source is closed."""
    way = EXITS[name]
    assert way.sync is not None
    bench = Bench(kind.make(way.script, world))
    stream = way.sync(bench)
    if stream is None and way.outcome is Outcome.ABANDONED:
        assert bench.exporter.records == []
        assert len(bench.tally.accumulator) == 1
    bench.collect()
    bench.check(way.outcome, stream)
    assert bench.source.settled


@pytest.fixture
async def ignore_double_close(name: str) -> AsyncIterator[None]:
    """Ignore the error of HTTP libraries whose async generators, collected together, close each other twice."""
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
    for _ in range(10):  # a task reports its exception when it is garbage-collected
        await asyncio.sleep(0)
    gc.collect()
    loop.set_exception_handler(handler)


@pytest.mark.anyio
@pytest.mark.usefixtures("ignore_double_close")
@pytest.mark.parametrize(("name", "kind"), _named("async"))
async def test_async_exits(name: str, kind: Kind, aworld: World) -> None:
    """An async stream that ends in any way has the expected outcome and record, and its source is closed."""
    way = EXITS[name]
    assert way.asynchronous is not None
    made = kind.make(way.script, aworld)
    bench = Bench(await made if inspect.isawaitable(made) else made)
    stream = await way.asynchronous(bench)
    for _ in range(3):  # the loop must first close the wrapper's generator, which still reads the source
        await asyncio.sleep(0)
    if stream is None and way.outcome is Outcome.ABANDONED:
        assert bench.exporter.records == []
        assert len(bench.tally.accumulator) == 1
    await bench.acollect()
    bench.check(way.outcome, stream)
    await bench.acollect()
    await run_loop_until(lambda: bench.source.settled)
    for _ in range(3):
        await asyncio.sleep(0)
    assert bench.source.settled
