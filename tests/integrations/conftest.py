"""Fixtures: a provider, the SDKs' clients for it, and an instrumentation that is undone."""

from collections.abc import Iterator

import httpx2
import pytest
from openai import AsyncOpenAI, OpenAI

import streamtally
from streamtally import Tally
from streamtally.testing import FakeProvider, RecordingExporter


@pytest.fixture(scope="session")
def provider() -> Iterator[FakeProvider]:
    """A provider that sends what the tests enqueue."""
    with FakeProvider() as running:
        yield running


@pytest.fixture
def exporter() -> RecordingExporter:
    """The exporter of the records."""
    return RecordingExporter()


@pytest.fixture
def tally(exporter: RecordingExporter) -> Tally:
    """A tally that exports there."""
    return Tally(exporters=[exporter])


@pytest.fixture
def instrumented(tally: Tally) -> Iterator[None]:
    """The SDKs are instrumented during the test."""
    streamtally.instrument(tally=tally)
    yield
    streamtally.uninstrument()


@pytest.fixture
def client(provider: FakeProvider) -> Iterator[OpenAI]:
    """The official SDK's client."""
    with httpx2.Client(verify=False) as http:  # there is no TLS here, and its set-up is slow
        yield OpenAI(base_url=provider.base_url, api_key="test", max_retries=0, http_client=http)


@pytest.fixture
def aclient(provider: FakeProvider) -> AsyncOpenAI:
    """The official SDK's async client."""
    return AsyncOpenAI(base_url=provider.base_url, api_key="test", max_retries=0, http_client=httpx2.AsyncClient(verify=False))
