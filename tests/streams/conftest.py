"""The world of the sources: one provider for all tests, and clients of it."""

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from typing import Any

import httpx2
import pytest
from openai import AsyncOpenAI, OpenAI

from streamtally.testing import FakeProvider
from tests.streams.sources import Script, World, timeout_of


@pytest.fixture(scope="session")
def provider() -> Iterator[FakeProvider]:
    """A provider that plays what the tests enqueue."""
    with FakeProvider() as running:
        yield running


def _world(provider: FakeProvider, http: Any) -> World:
    def sdk(kind: type[Any]) -> Any:
        def client(script: Script) -> Any:
            timeout = timeout_of(script)
            return kind(base_url=provider.base_url, api_key="test", max_retries=0, timeout=timeout, http_client=http(script))

        return client

    return World(provider, sdk(OpenAI), sdk(AsyncOpenAI), http)


@pytest.fixture
def world(provider: FakeProvider) -> Iterator[World]:
    """The provider and sync clients."""
    with ExitStack() as stack:

        def http(script: Script) -> httpx2.Client:
            # There is no TLS here, and its set-up is slow.
            return stack.enter_context(httpx2.Client(verify=False, timeout=timeout_of(script)))

        yield _world(provider, http)


@pytest.fixture
async def aworld(provider: FakeProvider) -> AsyncIterator[World]:
    """The provider and async clients."""
    opened: list[httpx2.AsyncClient] = []

    def http(script: Script) -> httpx2.AsyncClient:
        opened.append(httpx2.AsyncClient(verify=False, timeout=timeout_of(script)))
        return opened[-1]

    yield _world(provider, http)
    for one in opened:
        await one.aclose()
