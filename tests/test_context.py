import asyncio
import contextvars
import threading
from collections.abc import AsyncIterator, Iterator

import pytest

from streamtally import Tally, context
from streamtally.context import current_context


def test_the_context_is_empty_outside() -> None:
    """Outside every block the context is empty and cannot be modified."""
    assert dict(current_context()) == {}
    with pytest.raises(TypeError):
        current_context()["team"] = "x"  # type: ignore[index]


def test_blocks_nest() -> None:
    """An inner block adds to the outer one and takes precedence; leaving it restores the outer one."""
    with context(team="search", route="/a"):
        with context(route="/b", conversation_id="c1"):
            assert current_context() == {"team": "search", "route": "/b", "conversation_id": "c1"}
        assert current_context() == {"team": "search", "route": "/a"}
    assert current_context() == {}


def test_an_exception_leaves_the_block() -> None:
    """An exception ends the block."""
    with pytest.raises(ZeroDivisionError), context(team="search"):
        raise ZeroDivisionError
    assert current_context() == {}


@context(team="search")
def decorated() -> object:
    """Return the context inside a decorated function."""
    return dict(current_context())


def test_as_a_decorator() -> None:
    """`context` works as a decorator for any number of calls."""
    assert decorated() == decorated() == {"team": "search"}
    assert current_context() == {}


def test_wrapped_streams_have_the_attributes() -> None:
    """A stream has the attributes of the block it was wrapped in; arguments of `wrap` take precedence."""
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
    """A keyed stream has the attributes of the block it was opened in."""
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
    """A task has its own blocks and those around the place where it was created."""
    inside = asyncio.Barrier(2)

    async def work(team: str) -> dict[str, object]:
        with context(team=team):
            await inside.wait()
            return dict(current_context())

    with context(route="/a"):
        seen = await asyncio.gather(work("one"), work("two"))
    assert list(seen) == [{"route": "/a", "team": "one"}, {"route": "/a", "team": "two"}]


def test_threads_do_not_see_each_other() -> None:
    """A new thread begins outside every block."""
    seen: list[object] = []
    with context(team="search"):
        thread = threading.Thread(target=lambda: seen.append(dict(current_context())))
        thread.start()
        thread.join()
    assert seen == [{}]


def generator() -> Iterator[object]:
    """A generator with a block around its yield, as dependencies of web frameworks are."""
    with context(team="search"):
        yield dict(current_context())


async def agenerator() -> AsyncIterator[object]:
    """An async generator with a block around its yield."""
    with context(team="search"):
        yield dict(current_context())


def test_a_generator_that_another_context_closes() -> None:
    """Leaving a block in another context than it was entered in changes nothing there and raises nothing."""
    first, second = contextvars.copy_context(), contextvars.copy_context()
    block = generator()
    assert first.run(next, block) == {"team": "search"}
    with context(team="caller"):
        second.run(block.close)  # type: ignore[attr-defined]
        assert current_context() == {"team": "caller"}


@pytest.mark.anyio
async def test_an_async_generator_that_another_task_closes() -> None:
    """Leaving a block in another task than it was entered in changes nothing there and raises nothing."""
    block = agenerator()

    async def start() -> object:
        return await anext(block)

    assert await asyncio.create_task(start()) == {"team": "search"}
    await asyncio.create_task(block.aclose())  # type: ignore[attr-defined]
    assert current_context() == {}
