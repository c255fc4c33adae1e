"""Private attributes of SDKs: present in the installed releases as the rows state; and the behaviour where they are absent."""

import logging
from collections.abc import Iterator
from importlib.metadata import version
from operator import attrgetter
from types import SimpleNamespace
from typing import Any

import anthropic
import httpx2
import openai
import pytest

from streamtally import Tally
from streamtally.sources import Source, all_sources, source_of

ROWS = [row for row in all_sources() if row.package in ("openai", "anthropic")]
"""The rows with private attributes whose SDKs are installed for the tests."""


def _client(kind: Any) -> Any:
    body = httpx2.MockTransport(lambda _: httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=b""))
    return kind(api_key="none", base_url="http://localhost", http_client=httpx2.Client(transport=body))


@pytest.fixture
def helpers() -> Iterator[dict[str, tuple[Any, Any]]]:
    """By package, a resource and a stream helper that it opened."""
    chat = _client(openai.OpenAI).chat.completions
    messages = _client(anthropic.Anthropic).messages
    with (
        chat.stream(model="m", messages=[]) as of_openai,
        messages.stream(model="m", messages=[], max_tokens=1) as of_anthropic,
    ):
        yield {"openai": (chat, of_openai), "anthropic": (messages, of_anthropic)}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.package)
def test_they_are_there(row: Source, helpers: dict[str, tuple[Any, Any]]) -> None:
    """Each path leads to something, on a helper or on a resource; the installed release is among those that were verified."""
    resource, helper = helpers[row.package]
    for path, releases in row.private.items():
        assert attrgetter(path)(resource if row.calls and path == row.calls.base_url else helper) is not None
        _, first, _, last = releases.split()
        assert _release(first) <= _release(version(row.package)) <= _release(last), f"verify {path}, then widen {releases!r}"


def _release(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".")[:2])


class Changed:
    """A helper of a release in which the raw stream is elsewhere."""

    __module__ = "openai.lib.streaming.other"

    def __init__(self) -> None:
        self.left = iter(["a", "b"])
        self._response = SimpleNamespace(url="no URL of httpx's form")

    def __iter__(self) -> Iterator[str]:
        return self.left

    def until_done(self) -> list[str]:
        return list(self)


def test_a_release_that_moved_them_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """The stream is counted where it is iterated, without its server, and the missing attribute is logged at debug level."""
    caplog.set_level(logging.DEBUG, "streamtally")
    assert source_of(Changed()).package == "openai"
    with Tally().wrap(Changed()) as stream:
        assert list(stream) == ["a", "b"]
    assert (stream.record.text, stream.record.server_address) == ("ab", None)
    assert [record.levelname for record in caplog.records] == ["DEBUG", "DEBUG"]
    tapped, server = (record.getMessage() for record in caplog.records)
    assert "Changed" in tapped
    assert "_raw_stream" in tapped
    assert "Changed._response" in server
