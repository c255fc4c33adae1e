"""The server, its faults and its timing, as the official SDK sees them."""

import asyncio
import json
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from openai import APIConnectionError, APIError, AsyncOpenAI, InternalServerError, NotFoundError, OpenAI, RateLimitError
from openai.types.responses import ResponseCompletedEvent

from streamtally.errors import MissingExtra
from streamtally.testing import FakeClock, FakeProvider, Scenario, scenarios
from streamtally.testing.media import png, silence
from tests.testing.test_wire_formats import ASKED, payloads_of
from tests.waiting import PATIENCE, run_python

SHORT = scenarios.chat("one two three", include_usage=False)


def texts(client: OpenAI, **asked: Any) -> list[str]:
    """The text of each chunk of the next stream."""
    return [chunk.choices[0].delta.content or "" for chunk in client.chat.completions.create(**{**ASKED, **asked})]


class Pauses(list[float]):
    """The delays of a provider in seconds, recorded in place of waiting."""

    async def sleep(self, seconds: float) -> None:
        self.append(seconds)


@pytest.fixture
def pauses() -> Pauses:
    """The delays of `quick`."""
    return Pauses()


@pytest.fixture
def quick(pauses: Pauses) -> Iterator[FakeProvider]:
    """A provider that records its delays in place of waiting."""
    with FakeProvider(sleep=pauses.sleep) as running:
        yield running


def body_of(provider: FakeProvider, scenario: Scenario) -> bytes:
    """The body that a client receives of a scenario."""
    provider.enqueue(scenario)
    return httpx2.post(f"{provider.base_url}/chat/completions").content


def test_the_next_scenario_first(client: OpenAI, provider: FakeProvider) -> None:
    """Enqueued scenarios are played in order for any model; then the default follows."""
    provider.enqueue(scenarios.chat("a", include_usage=False), scenarios.chat("b", include_usage=False))
    assert ["".join(texts(client)) for _ in range(3)] == ["a", "b", "Hello! How can I help you?"]


def test_a_scenario_by_model() -> None:
    """The model in the body, in a form or in the path selects its scenario."""
    with FakeProvider({"mine": SHORT}) as provider:
        answers = [
            httpx2.post(f"{provider.base_url}/anything", json={"model": "mine"}),
            httpx2.post(f"{provider.base_url}/audio/transcriptions", data={"model": "mine"}, files={"file": b"\xff\0"}),
            httpx2.post(f"{provider.url}/v1beta/models/mine:streamGenerateContent", json={}),
            httpx2.post(f"{provider.url}/openai/deployments/mine/chat/completions", content=b"no json"),
        ]
    assert [answer.content for answer in answers] == [SHORT.body] * 4
    assert answers[0].headers["content-type"] == "text/event-stream; charset=utf-8"


def test_defaults_follow_the_request(client: OpenAI) -> None:
    """The default stream follows the request's model, n, usage, format and previews."""
    chunks = list(client.chat.completions.create(**{**ASKED, "n": 2}, stream_options={"include_usage": True}))
    assert {chunk.model for chunk in chunks} == {"any"}
    assert {choice.index for chunk in chunks for choice in chunk.choices} == {0, 1}
    assert chunks[-1].usage is not None
    assert all(one.usage is None for one in client.completions.create(model="any", prompt="Hi", stream=True))
    *_, completed = client.responses.create(model="r", input="Hi", stream=True)
    assert isinstance(completed, ResponseCompletedEvent)
    assert completed.response.model == "r"
    asked: dict[str, Any] = {"model": "any", "input": "Hi", "voice": "alloy"}
    with client.audio.speech.with_streaming_response.create(**asked) as sound:
        assert b"".join(sound.iter_bytes()) == silence()
    with client.audio.speech.with_streaming_response.create(**asked, stream_format="sse") as sound:
        assert payloads_of(b"".join(sound.iter_bytes()))[-2]["type"] == "speech.audio.done"
    transcript = client.audio.transcriptions.create(model="any", file=("a.mp3", silence()), stream=True)
    assert [event.type for event in transcript][-1] == "transcript.text.done"
    made = client.images.generate(model="any", prompt="Hi", n=2, stream=True)
    assert [event.type for event in made] == ["image_generation.completed"] * 2
    edited = client.images.edit(model="any", image=("a.png", png()), prompt="Hi", stream=True, partial_images=1)
    assert [event.type for event in edited] == ["image_edit.partial_image", "image_edit.completed"]


def test_an_unknown_path(client: OpenAI) -> None:
    """An unknown path gives 404."""
    with pytest.raises(NotFoundError):
        client.models.list()


def test_requests_are_kept(client: OpenAI, provider: FakeProvider) -> None:
    """Each request is kept with method, path, headers and body."""
    texts(client, temperature=0.5)
    client.audio.transcriptions.create(model="whisper", file=("a.mp3", silence()), stream=True, prompt="Köln").close()
    with pytest.raises(NotFoundError):
        client.models.list()
    chat, audio, models = provider.requests
    assert (chat.method, chat.path, chat.headers["authorization"]) == ("POST", "/v1/chat/completions", "Bearer test")
    assert chat.json == {**ASKED, "temperature": 0.5}
    assert (chat.model, chat.form) == ("any", {})
    assert (audio.model, audio.json) == ("whisper", None)
    assert audio.form == {"model": "whisper", "stream": "true", "prompt": "Köln"}
    assert (models.method, models.body, models.model) == ("GET", b"", None)


def test_header_delay() -> None:
    """Headers are sent after their delay."""
    clock = FakeClock()
    with FakeProvider(sleep=clock.sleep) as provider, OpenAI(base_url=provider.base_url, api_key="test") as client:
        provider.enqueue(SHORT.delayed(headers=0.05))
        start = clock.monotonic_ns()
        stream = client.chat.completions.create(**ASKED)
        assert clock.monotonic_ns() - start == 50_000_000
        assert len(list(stream)) == 5


def test_delays(quick: FakeProvider, pauses: Pauses) -> None:
    """There is one delay before the headers and one before each frame, and a stall is where it was set."""
    assert body_of(quick, SHORT.delayed(0.01, headers=0.2).stalled(2, 0.05)) == SHORT.body
    assert pauses == [0.2, 0.01, 0.01, pytest.approx(0.06), *[0.01] * (len(SHORT.frames) - 3)]


def test_pings(quick: FakeProvider, pauses: Pauses) -> None:
    """Comments are sent between the frames, each after its delay."""
    body = body_of(quick, SHORT.pings(3, 0.01, at=1))
    assert body == SHORT.frames[0] + b": ping\n\n" * 3 + b"".join(SHORT.frames[1:])
    assert pauses == [0.0, 0.0, 0.01, 0.01, 0.01, *[0.0] * (len(SHORT.frames) - 1)]


def test_the_sdk_shows_no_pings(client: OpenAI, provider: FakeProvider) -> None:
    """Comments keep the connection alive and are not visible in the SDK."""
    provider.enqueue(SHORT.pings(3, 0.01, at=1))
    assert texts(client) == ["", "one", " two", " three", ""]


def test_cut(client: OpenAI, provider: FakeProvider) -> None:
    """A dropped connection is a transport error, after all chunks before it."""
    provider.enqueue(SHORT.cut(len(b"".join(SHORT.frames[:2]))))
    stream = client.chat.completions.create(**ASKED)
    assert [next(stream).choices[0].delta.content for _ in range(2)] == ["", "one"]
    with pytest.raises(APIConnectionError) as caught:
        next(stream)
    assert isinstance(caught.value.__cause__, httpx2.RemoteProtocolError)


@pytest.mark.parametrize("at_byte", [1, 100, len(SHORT.body) - 1, len(SHORT.body)])
def test_every_byte_before_the_cut_arrives(provider: FakeProvider, at_byte: int) -> None:
    """All bytes up to the cut arrive; then the transport breaks."""
    provider.enqueue(SHORT.cut(at_byte))
    received: list[bytes] = []
    with httpx2.stream("POST", f"{provider.base_url}/chat/completions") as response, pytest.raises(httpx2.RemoteProtocolError):
        received.extend(response.iter_raw())
    assert b"".join(received) == SHORT.body[:at_byte]


def test_clean_cut(client: OpenAI, provider: FakeProvider) -> None:
    """A clean cut is seen as the end."""
    provider.enqueue(SHORT.cut(len(SHORT.frames[0]), clean=True))
    assert texts(client) == [""]


def test_no_answer(client: OpenAI, provider: FakeProvider) -> None:
    """The connection is dropped without a response."""
    provider.enqueue(SHORT.unanswered().delayed(headers=0.01))
    with pytest.raises(APIConnectionError):
        client.chat.completions.create(**ASKED)


def test_error_inside_the_stream(client: OpenAI, provider: FakeProvider) -> None:
    """The SDK raises the error of the event, under HTTP 200."""
    provider.enqueue(SHORT.failing(2, "out of tokens"))
    stream = client.chat.completions.create(**ASKED)
    assert next(stream).choices[0].delta.role == "assistant"
    assert next(stream).choices[0].delta.content == "one"
    with pytest.raises(APIError, match="out of tokens"):
        next(stream)


def test_duplicated_and_reordered(client: OpenAI, provider: FakeProvider) -> None:
    """The SDK returns chunks as they arrive."""
    provider.enqueue(SHORT.duplicated(2), SHORT.reordered(3), SHORT.without(1))
    assert texts(client) == ["", "one", " two", " two", " three", ""]
    shuffled = texts(client)
    assert sorted(shuffled) == sorted(["", "one", " two", " three", ""])
    assert shuffled != ["", "one", " two", " three", ""]
    assert texts(client) == ["", " two", " three", ""]


def test_rechunked(provider: FakeProvider) -> None:
    """Writes stay separate on the wire, even inside a character."""
    scenario = scenarios.chat("漢字", include_usage=False).rechunked(1)
    provider.enqueue(scenario)
    with httpx2.stream("POST", f"{provider.base_url}/chat/completions") as response:
        assert list(response.iter_raw()) == list(scenario.frames)


def test_refused(client: OpenAI, provider: FakeProvider) -> None:
    """An HTTP error with the given headers."""
    provider.enqueue(scenarios.refused(429, headers={"Retry-After": "2"}))
    with pytest.raises(RateLimitError, match="Refused with status 429") as caught:
        client.chat.completions.create(**ASKED)
    assert caught.value.response.headers["retry-after"] == "2"
    assert caught.value.type == "rate_limit_exceeded"
    provider.enqueue(scenarios.refused(503), scenarios.refused(500, {"error": "own"}), scenarios.refused(502, b"<html>"))
    bodies = []
    for _ in range(3):
        with pytest.raises(InternalServerError) as failed:
            client.chat.completions.create(**ASKED)
        bodies.append(failed.value.response.text)
    assert json.loads(bodies[0])["error"]["type"] == "server_error"
    assert bodies[1:] == ['{"error": "own"}', "<html>"]


@pytest.mark.parametrize("scenario", [SHORT.stalled(2, 600.0), SHORT.delayed(600.0), Scenario((b": \n\n" * 2**20,) * 16)])
def test_closing_early_is_counted(client: OpenAI, provider: FakeProvider, scenario: Scenario) -> None:
    """A disconnect is counted during a stall, before the first frame and during a blocked write."""
    provider.enqueue(scenario)
    client.chat.completions.create(**ASKED).close()
    assert provider.wait_closed_early()
    assert provider.closed_early == 1


def test_closing_before_the_headers_is_counted(provider: FakeProvider) -> None:
    """A disconnect before the headers is counted."""
    provider.enqueue(SHORT.delayed(headers=600.0))
    with pytest.raises(httpx2.ReadTimeout):
        httpx2.post(f"{provider.base_url}/chat/completions", timeout=httpx2.Timeout(PATIENCE, read=0.02))
    assert provider.wait_closed_early()


def test_closing_early_async(provider: FakeProvider) -> None:
    """A cancelled task closes its stream."""
    provider.enqueue(SHORT.stalled(2, 600.0))

    async def give_up() -> None:
        async with (
            AsyncOpenAI(base_url=provider.base_url, api_key="test", max_retries=0) as client,
            await client.chat.completions.create(**ASKED) as stream,
        ):
            await anext(stream)

    asyncio.run(give_up())
    assert provider.wait_closed_early()


def test_reading_to_the_end_is_not_early(client: OpenAI, provider: FakeProvider) -> None:
    """Neither a complete stream nor one that the server dropped counts as closed early."""
    assert len(texts(client)) == 8
    provider.enqueue(SHORT.cut(10))
    with pytest.raises(APIConnectionError):
        texts(client)
    assert not provider.wait_closed_early(timeout=0.02)


def test_a_client_that_leaves_inside_its_request(provider: FakeProvider) -> None:
    """An incomplete request is not recorded."""
    port = int(provider.url.rpartition(":")[2])
    with httpx2.Client() as client:

        def half() -> Any:
            yield b"half"
            raise InterruptedError

        with pytest.raises(InterruptedError):
            client.post(f"http://127.0.0.1:{port}/v1/chat/completions", content=half())
    assert texts_of_default(provider)
    assert len(provider.requests) == 1


def texts_of_default(provider: FakeProvider) -> bytes:
    """The body of the default chat stream."""
    return httpx2.post(f"{provider.base_url}/chat/completions").content


def test_many_at_once() -> None:
    """Streams are played concurrently: none continues before all twenty have started."""
    meeting = asyncio.Barrier(20)

    async def meet(seconds: float) -> None:
        if seconds:
            await meeting.wait()

    async def ask(provider: FakeProvider) -> list[int]:
        async with AsyncOpenAI(base_url=provider.base_url, api_key="test", max_retries=0) as client:

            async def one() -> int:
                return len([chunk async for chunk in await client.chat.completions.create(**ASKED)])

            return await asyncio.gather(*[one() for _ in range(20)])

    with FakeProvider(sleep=meet) as provider:
        provider.enqueue(*[SHORT.stalled(2, 0.01)] * 20)
        assert asyncio.run(ask(provider)) == [5] * 20


def test_stopping_drops_what_plays() -> None:
    """Stopping drops running streams, leaves no thread, and counts no early close."""
    before = set(threading.enumerate())
    provider = FakeProvider().start()
    provider.enqueue(SHORT.stalled(2, 600.0))
    with OpenAI(base_url=provider.base_url, api_key="test", max_retries=0) as client:
        stream = client.chat.completions.create(**ASKED)
        provider.stop()
        with pytest.raises(APIConnectionError):
            list(stream)
    assert provider.closed_early == 0
    assert set(threading.enumerate()) <= before
    provider.stop()


def test_starting_again() -> None:
    """Start and stop may be called repeatedly; the requests stay."""
    provider = FakeProvider()
    with pytest.raises(RuntimeError, match="is not running"):
        _ = provider.url
    for _ in range(2):
        assert provider.start().start() is provider
        texts_of_default(provider)
        provider.stop()
    assert len(provider.requests) == 2


def test_a_scenario_that_http_forbids(provider: FakeProvider) -> None:
    """A scenario that HTTP cannot express is a server error, and the server continues."""
    provider.enqueue(Scenario(headers={"x": "a\nb"}))
    with pytest.raises(httpx2.RemoteProtocolError):
        httpx2.post(f"{provider.base_url}/chat/completions")
    assert texts_of_default(provider)


def test_recordings_are_played(tmp_path: Path) -> None:
    """A recording is selected by its name as model, and played in its reads."""
    facts = {"name": "r-1", "api": "openai.chat", "body": "data: {}\n\n", "body_encoding": "utf-8", "reads": [3, 7]}
    (tmp_path / "r-1.json").write_text(json.dumps(facts))
    with FakeProvider({"mine": SHORT}, corpus=tmp_path) as provider:
        assert provider.recordings == {"openai.chat": ("r-1",)}
        with httpx2.stream("POST", f"{provider.base_url}/chat/completions", json={"model": "r-1"}) as response:
            assert list(response.iter_raw()) == [b"dat", b"a: {}\n\n"]


@pytest.mark.parametrize("absent", ["starlette.requests", "uvicorn"])
def test_without_the_extra(monkeypatch: pytest.MonkeyPatch, absent: str) -> None:
    """Starting the provider names the extra to install."""
    monkeypatch.delitem(sys.modules, "streamtally.testing.server", raising=False)
    monkeypatch.setitem(sys.modules, absent, None)
    with pytest.raises(MissingExtra, match=r"pip install 'streamtally\[testing\]'"):
        FakeProvider().start()


def test_doubles_without_a_server() -> None:
    """The clock and the exporter need no package beyond the core dependencies."""
    blocked = "import sys; sys.modules.update(uvicorn=None, starlette=None)"
    run_python("-c", f"{blocked}; from streamtally.testing import *", check=True)
