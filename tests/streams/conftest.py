"""Fixtures of the stream tests: one fake provider for all tests, and clients of it."""

import gc
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from typing import Any

import httpx2
import pytest
from openai import AsyncOpenAI, OpenAI

from streamtally.testing import FakeProvider
from tests.streams import sdks
from tests.streams.sources import Script, World, timeout_of


@pytest.fixture(scope="session", autouse=True)
def old_objects() -> Iterator[None]:
    """Exclude the SDKs' long-lived objects from garbage collection, which many of these tests run."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(scope="session")
def provider() -> Iterator[FakeProvider]:
    """A fake provider that plays the scenarios which tests enqueue."""
    with FakeProvider() as running:
        yield running
        sdks.close_clients()


def _world(provider: FakeProvider, http: Any) -> World:
    def sdk(kind: type[Any]) -> Any:
        def client(script: Script) -> Any:
            timeout = timeout_of(script)
            options = {"api_key": "test", "max_retries": 0, "timeout": timeout, "http_client": http(script)}
            return kind(base_url=provider.base_url, **options)

        return client

    return World(provider, sdk(OpenAI), sdk(AsyncOpenAI), http)


@pytest.fixture
def world(provider: FakeProvider) -> Iterator[World]:
    """The fake provider and factories of sync clients."""
    with ExitStack() as stack:

        def http(script: Script, library: Any = httpx2) -> Any:
            # verify=False, because setting TLS up is slow and nothing here uses it.
            return stack.enter_context(library.Client(verify=False, timeout=timeout_of(script)))

        yield _world(provider, http)


@pytest.fixture
async def aworld(provider: FakeProvider) -> AsyncIterator[World]:
    """The fake provider and factories of async clients."""
    opened: list[Any] = []

    def http(script: Script, library: Any = httpx2) -> Any:
        opened.append(library.AsyncClient(verify=False, timeout=timeout_of(script)))
        return opened[-1]

    yield _world(provider, http)
    for client in opened:
        await client.aclose()
