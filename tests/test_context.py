import asyncio
import contextvars
import threading
from collections.abc import AsyncIterator, Iterator

import pytest

from streamtally import Tally, context
from streamtally.context import current_context


def test_nothing_is_said_outside() -> None:
    """Outside of every block there is nothing, and nobody can put anything there."""
    assert dict(current_context()) == {}
    with pytest.raises(TypeError):
        current_context()["team"] = "x"  # type: ignore[index]


def test_blocks_nest() -> None:
    """The inner block adds and wins; each leaves what it found."""
    with context(team="search", route="/a"):
        with context(route="/b", conversation_id="c1"):
            assert current_context() == {"team": "search", "route": "/b", "conversation_id": "c1"}
        assert current_context() == {"team": "search", "route": "/a"}
    assert current_context() == {}


def test_an_exception_leaves_the_block() -> None:
    """The block ends however it ends."""
    with pytest.raises(ZeroDivisionError), context(team="search"):
        raise ZeroDivisionError
    assert current_context() == {}


@context(team="search")
def decorated() -> object:
    """A function inside a block."""
    return dict(current_context())


def test_as_a_decorator() -> None:
    """It decorates, any number of times."""
    assert decorated() == decorated() == {"team": "search"}
    assert current_context() == {}


def test_wrapped_streams_have_the_attributes() -> None:
    """Those of the place where they were wrapped, wherever they are read; what `wrap` itself is told wins."""
    tally = Tally()
    with context(conversation_id="c1", team="search", route="/a"):
        stream = tally.wrap(["x"], attributes={"route": "/own"})
        other = tally.wrap(["x"], conversation_id="own")
    with context(team="another"):
        assert list(stream) == list(other) == ["x"]
    assert stream.record.attributes == {"team": "search", "route": "/own"}
    assert stream.record.conversation_id == "c1"
    assert other.record.conversation_id == "own"


def test_keyed_streams_have_the_attributes() -> None:
    """Those of the place where they were opened."""
    tally = Tally()
    with context(conversation_id="c1", team="search"), tally.open("r1", attributes={"route": "/a"}) as handle:
        pass
    with context(team="search", conversation_id="c1"):
        handle = tally.open("r2", attributes={"route": "/a"}, conversation_id="own")
    handle.add("x")
    record = handle.finish()
    assert record.attributes == {"team": "search", "route": "/a"}
    assert record.conversation_id == "own"


@pytest.mark.anyio
async def test_tasks_do_not_see_each_other() -> None:
    """Each task has its own blocks, and those around the place where it was made."""
    inside = asyncio.Barrier(2)

    async def work(team: str) -> dict[str, object]:
        with context(team=team):
            await inside.wait()
            return dict(current_context())

    with context(route="/a"):
        seen = await asyncio.gather(work("one"), work("two"))
    assert list(seen) == [{"route": "/a", "team": "one"}, {"route": "/a", "team": "two"}]


def test_threads_do_not_see_each_other() -> None:
    """A new thread is outside of every block."""
    seen: list[object] = []
    with context(team="search"):
        thread = threading.Thread(target=lambda: seen.append(dict(current_context())))
        thread.start()
        thread.join()
    assert seen == [{}]


def generator() -> Iterator[object]:
    """A block with a yield in it, as dependencies of web frameworks have."""
    with context(team="search"):
        yield dict(current_context())


async def agenerator() -> AsyncIterator[object]:
    """The same, async."""
    with context(team="search"):
        yield dict(current_context())


def test_a_generator_that_another_context_closes() -> None:
    """A block that is left in another context than it was entered in changes nothing there, and raises nothing."""
    one, two = contextvars.copy_context(), contextvars.copy_context()
    block = generator()
    assert one.run(next, block) == {"team": "search"}
    with context(team="caller"):
        two.run(block.close)  # type: ignore[attr-defined]
        assert current_context() == {"team": "caller"}


@pytest.mark.anyio
async def test_an_async_generator_that_another_task_closes() -> None:
    """The same where the loop closes it."""
    block = agenerator()

    async def start() -> object:
        return await anext(block)

    assert await asyncio.create_task(start()) == {"team": "search"}
    await asyncio.create_task(block.aclose())  # type: ignore[attr-defined]
    assert current_context() == {}
