"""The real SDKs, and the real backends of telemetry."""

import gc
from collections.abc import AsyncIterator, Iterator
from typing import Any

import anthropic
import httpx2
import openai
import pytest

from streamtally.testing import FakeClock, FakeProvider
from tests.acceptance.telemetry import Telemetry
from tests.streams.conftest import aworld, provider, world

__all__ = ["aworld", "provider", "world"]


@pytest.fixture(scope="session", autouse=True)
def old_objects() -> Iterator[None]:
    """Exclude the objects of the SDKs from garbage collection, which many of these tests run."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
def nothing_left(provider: FakeProvider) -> Iterator[None]:
    """Remove the answers that a failed test has left in the queue."""
    yield
    provider._queue.clear()


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    """The backends of all spans and metrics."""
    made = Telemetry()
    yield made
    made.close()


@pytest.fixture
def clock() -> FakeClock:
    """A clock that only the tests advance."""
    return FakeClock()


@pytest.fixture
def timed(clock: FakeClock) -> Iterator[Telemetry]:
    """Telemetry with that clock."""
    made = Telemetry(clock)
    yield made
    made.close()


@pytest.fixture
def openai_client(provider: FakeProvider) -> Iterator[openai.OpenAI]:
    """The official client, connected to the fake provider."""
    with httpx2.Client(verify=False) as http:  # there is no TLS here, and its set-up is slow
        yield openai.OpenAI(base_url=provider.base_url, api_key="test", max_retries=0, http_client=http)


@pytest.fixture
async def async_openai_client(provider: FakeProvider) -> AsyncIterator[openai.AsyncOpenAI]:
    """An async client of the OpenAI SDK."""
    async with httpx2.AsyncClient(verify=False) as http:
        yield openai.AsyncOpenAI(base_url=provider.base_url, api_key="test", max_retries=0, http_client=http)


@pytest.fixture
def anthropic_client(provider: FakeProvider) -> Iterator[Any]:
    """The official client, connected to the fake provider."""
    with httpx2.Client(verify=False) as http:
        yield anthropic.Anthropic(base_url=provider.url, api_key="test", max_retries=0, http_client=http)


@pytest.fixture
async def async_anthropic_client(provider: FakeProvider) -> AsyncIterator[Any]:
    """An async client of the Anthropic SDK."""
    async with httpx2.AsyncClient(verify=False) as http:
        yield anthropic.AsyncAnthropic(base_url=provider.url, api_key="test", max_retries=0, http_client=http)
