"""A running provider, and the official SDK's client for it."""

from collections.abc import Iterator

import pytest
from openai import OpenAI

from streamtally.testing import FakeProvider


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    """A provider with its default responses."""
    with FakeProvider() as running:
        yield running


@pytest.fixture
def client(provider: FakeProvider) -> Iterator[OpenAI]:
    """The official SDK's client for that provider."""
    with OpenAI(base_url=provider.base_url, api_key="test", max_retries=0) as opened:
        yield opened
