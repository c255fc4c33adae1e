"""The settings of a client."""

import asyncio
from typing import Any

import httpx2
import pytest

from streamtally import Outcome, Tally, configure
from streamtally.client import AsyncClient, Client
from streamtally.client.client import DEFAULT_TIMEOUT
from streamtally.testing import FakeProvider
from tests.client.conftest import KEY, Asker
from tests.waiting import run_python

HELLO = [{"role": "user", "content": "Hello"}]


@pytest.fixture(autouse=True)
def no_environment_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment has no API key."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


@pytest.mark.parametrize("path", ["/v1", "/v1/", "", "/", "/a/b//"])
def test_base_urls(ask: Asker, provider: FakeProvider, path: str) -> None:
    """Base URLs work with and without a path and a slash at the end."""
    assert ask("stream_chat", "m", HELLO, client={"base_url": provider.url + path}).record.outcome is Outcome.COMPLETED
    assert provider.requests[0].path == path.rstrip("/") + "/chat/completions"


def test_a_query_in_the_base_url_is_kept() -> None:
    """The query of the base URL is kept, because Azure has its version there."""
    asked: list[httpx2.URL] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url)
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=b"data: [DONE]\n\n")

    base_url = "https://x.openai.azure.com/openai/deployments/d/?api-version=1"
    with httpx2.Client(transport=httpx2.MockTransport(answer)) as http:
        client = Client(base_url, http_client=http, raise_truncated=False)
        list(client.stream_chat("m", HELLO))
    assert str(asked[0]) == "https://x.openai.azure.com/openai/deployments/d/chat/completions?api-version=1"


@pytest.mark.parametrize("base_url", ["", "localhost:8000/v1", "ftp://x/v1", "http:///v1", "http://x:port/v1", "//x/v1"])
def test_invalid_base_urls(base_url: str) -> None:
    """An invalid base URL raises at once."""
    with pytest.raises(ValueError, match="base URL"):
        Client(base_url, KEY)


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_the_key_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch, kind: type[Client]) -> None:
    """For OpenAI's server the key defaults to the environment's; without one the error names both ways."""
    with pytest.raises(ValueError, match="pass api_key, or set OPENAI_API_KEY"):
        kind()
    monkeypatch.setenv("OPENAI_API_KEY", f" {KEY}\n")
    assert authorization(kind()) == f"Bearer {KEY}"
    assert authorization(kind(api_key="another-key")) == "Bearer another-key"
    assert authorization(kind(api_key="x", headers={"Authorization": "Basic y"})) == "Basic y"


def test_the_key_goes_to_openai_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other servers do not get OpenAI's key, and need none."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    for base_url in ("http://localhost:8000/v1", "https://api.openai.com.example.org/v1", "https://example.org/api.openai.com"):
        assert authorization(Client(base_url)) is None
    assert authorization(Client("http://localhost:8000/v1", KEY)) == f"Bearer {KEY}"


def authorization(client: Any) -> str | None:
    """The authorization header that a client sends."""
    stream = client.stream_chat("m", HELLO)
    request = client._transport.request(stream._session.opener._send.args[0])
    value: str | None = request.headers.get("authorization")
    return value


@pytest.mark.parametrize("key", [f"{KEY}\nX-Evil: 1", f"{KEY}é", f"{KEY}\0"])
def test_a_key_with_invalid_characters(key: str) -> None:
    """An API key with invalid characters raises at once, and is not in the message."""
    with pytest.raises(ValueError, match="authorization has a character") as caught:
        Client("http://localhost/v1", key)
    assert KEY not in str(caught.value)
    with pytest.raises(ValueError, match="api-key has a character"):
        Client("http://localhost/v1", headers={"Api-Key": key})


def test_additional_headers(ask: Asker, provider: FakeProvider) -> None:
    """Additional headers are sent with every request."""
    ask("stream_chat", "m", HELLO, client={"headers": {"OpenAI-Organization": "org", "User-Agent": "mine"}})
    ask("stream_transcription", "m", b"ID3", client={"headers": {"X-Route": "a"}})
    first, second = (request.headers for request in provider.requests)
    assert (first["openai-organization"], first["user-agent"], second["x-route"]) == ("org", "mine", "a")
    assert second["content-type"].startswith("multipart/form-data; boundary=")
    assert second["authorization"] == f"Bearer {KEY}"


def test_repr_shows_no_secret() -> None:
    """The repr shows neither key nor password."""
    client = Client("https://user:password-of-mine@example.org/v1", KEY)
    assert repr(client) == "<Client of URL('https://user:[secure]@example.org/v1')>"
    assert not any(KEY in repr(value) or "password-of-mine" in repr(value) for value in vars(client).values())


def test_a_given_http_client_stays_open(provider: FakeProvider) -> None:
    """A given HTTP client is used and not closed; the client's own one is closed."""
    with httpx2.Client(headers={"X-Mine": "1"}) as http:
        with Client(provider.base_url, http_client=http) as client:
            list(client.stream_chat("m", HELLO))
        assert not http.is_closed
    assert provider.requests[0].headers["x-mine"] == "1"
    own = Client(provider.base_url)
    own.close()
    with pytest.raises(RuntimeError, match="closed"):
        next(own.stream_chat("m", HELLO))


def test_a_given_http_client_stays_open_async(provider: FakeProvider) -> None:
    """A given async HTTP client is not closed."""

    async def main() -> bool:
        async with httpx2.AsyncClient() as http:
            async with AsyncClient(provider.base_url, http_client=http) as client:
                async for _ in client.stream_chat("m", HELLO):
                    pass
            return http.is_closed

    assert asyncio.run(main()) is False


def test_a_client_of_the_wrong_kind() -> None:
    """An HTTP client of the other kind or another library raises."""
    wrong: Any = httpx2.Client()
    with pytest.raises(TypeError, match=r"must be an httpx2\.AsyncClient, not Client"):
        AsyncClient("http://x/v1", http_client=wrong)
    with pytest.raises(TypeError, match=r"must be an httpx2\.Client, not object"):
        Client("http://x/v1", http_client=object())  # type: ignore[arg-type]
    wrong.close()


def test_timeouts() -> None:
    """The defaults have no total time-out, and a given HTTP client keeps its own unless overridden."""

    def sent(client: Client) -> Any:
        stream = client.stream_chat("m", HELLO)
        return client._transport.request(stream._session.opener._send.args[0]).extensions["timeout"]  # type: ignore[union-attr]

    own = dict(zip(("connect", "read", "write", "pool"), DEFAULT_TIMEOUT, strict=True))
    assert sent(Client("http://x/v1")) == own
    assert sent(Client("http://x/v1", timeout=None)) == dict.fromkeys(own)
    assert sent(Client("http://x/v1", timeout=3)) == dict.fromkeys(own, 3)
    assert sent(Client("http://x/v1", timeout=httpx2.Timeout(4, read=5)))["read"] == 5
    with httpx2.Client(timeout=7) as http:
        assert sent(Client("http://x/v1", http_client=http)) == dict.fromkeys(own, 7)
        assert sent(Client("http://x/v1", http_client=http, timeout=8)) == dict.fromkeys(own, 8)


def test_the_default_tally_is_resolved_at_the_request(provider: FakeProvider) -> None:
    """A client made before `configure` uses the configured tally."""
    records: list[Any] = []
    with Client(provider.base_url) as client, configure(exporters=[records.append]):
        list(client.stream_chat("m", HELLO))
    configure(exporters=[]).close()
    assert [record.outcome for record in records] == [Outcome.COMPLETED]


def test_counts_only(provider: FakeProvider) -> None:
    """With a tally that keeps counts only, the record has no content."""
    with Tally(keep="counts") as tally, Client(provider.base_url, tally=tally) as client:
        stream = client.stream_chat("m", HELLO)
        assert "".join(chunk.text for chunk in stream)
    assert (stream.record.text, stream.record.outcome) == ("", Outcome.COMPLETED)


def test_a_redirect_is_followed() -> None:
    """A redirect keeps method and body; any other status that is not a success is a refusal."""
    answers = [httpx2.Response(307, headers={"location": "http://y/v1/chat/completions"}), httpx2.Response(302)]
    with httpx2.Client(transport=httpx2.MockTransport(lambda _: answers.pop(0))) as http:
        stream = Client("http://x/v1", http_client=http).stream_chat("m", HELLO)
        with pytest.raises(Exception, match="HTTP 307"):
            next(stream)
    assert Client("http://x/v1")._transport.http.follow_redirects


def test_without_httpx2() -> None:
    """The module can be imported, and creating a client names the extra to install."""
    program = """
import sys
sys.modules["httpx2"] = None
from streamtally.client import Client
from streamtally.errors import MissingExtra
try:
    Client()
except MissingExtra as error:
    print(error)
"""
    done = run_python("-c", program, check=True)
    assert done.stdout == "httpx2 is not installed: pip install 'streamtally[client]'\n"
