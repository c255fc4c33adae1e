"""The ways in which streams end: exception, record and connection."""

import asyncio
import gc
import json
import socket
from collections.abc import Coroutine, Iterator
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from streamtally import Outcome, ProviderError, ProviderTimeout, StreamTruncated, Tally
from streamtally.client import AsyncClient, Client, transport
from streamtally.testing import FakeClock, FakeProvider, Scenario, scenarios
from tests.client.conftest import KEY, Asker, Kind
from tests.waiting import PATIENCE, eventually

HELLO = [{"role": "user", "content": "Hello"}]
SHORT = scenarios.chat("one two three")
LONG = 600.0
"""Seconds that a provider holds its answer back: longer than any test lasts."""
TO_TWO = len(b"".join(SHORT.frames[:3]))
"""The bytes up to and with the second word."""


def test_refused(ask: Asker, provider: FakeProvider) -> None:
    """An HTTP error is raised on entering the stream with the provider's message, which the record has too."""
    provider.enqueue(scenarios.refused(429, headers={"Retry-After": "2", "X-Request-Id": "req_1"}))
    answer = ask("stream_chat", "m", HELLO)
    error, record = answer.error, answer.record
    assert isinstance(error, ProviderError)
    assert (str(error), error.status, error.type, error.retryable) == (
        "Refused with status 429.",
        429,
        "rate_limit_exceeded",
        True,
    )
    assert error.partial == record
    assert (record.outcome, record.chunk_count, record.timing.time_to_first_chunk) == (Outcome.ERROR, 0, None)
    assert record.error is not None
    assert (record.error.type, record.error.message) == ("rate_limit_exceeded", "Refused with status 429.")
    assert (record.error.status, record.error.retryable, record.server_address) == (429, True, "127.0.0.1")
    assert record.extras == {"retry-after": "2", "x-request-id": "req_1"}
    assert answer.chunks == []


def test_refused_without_with(provider: FakeProvider) -> None:
    """A stream that is only iterated raises at its first chunk, once."""
    provider.enqueue(scenarios.refused(400))
    with Client(provider.base_url) as client:
        stream = client.stream_chat("m", HELLO)
        with pytest.raises(ProviderError, match="Refused with status 400") as caught:
            next(stream)
        assert not caught.value.retryable
        assert list(stream) == []


@pytest.mark.parametrize(
    ("body", "message", "kind"),
    [
        (b"<html>Bad gateway</html>", "HTTP 502 Bad Gateway", "provider_error"),
        (b"", "HTTP 502 Bad Gateway", "provider_error"),
        (b"upstream is gone", "upstream is gone", "provider_error"),
        (b'{"error": "own words"}', "own words", "provider_error"),
        (b'{"detail": "Not here"}', "Not here", "provider_error"),
        (b'[{"error": {"message": "In a list", "code": 502, "status": "UNAVAILABLE"}}]', "In a list", "502"),
        (b'{"object": "error", "message": "Flat", "type": "BadGateway", "code": 502}', "Flat", "BadGateway"),
        (b'{"error": {"message": "", "type": "t", "code": "c"}}', '{"error": {"message": "", "type": "t", "code": "c"}}', "t"),
        (b"x" * 200_000, "x" * 4096, "provider_error"),
    ],
)
def test_every_form_of_a_refusal(ask: Asker, provider: FakeProvider, body: bytes, message: str, kind: str) -> None:
    """Any body of a refusal, of any length, gives a message and a type."""
    provider.enqueue(scenarios.refused(502, body))
    answer = ask("stream_chat", "m", HELLO)
    assert isinstance(answer.error, ProviderError)
    assert str(answer.error) == message
    assert answer.record.error is not None
    assert (answer.error.status, answer.error.type, answer.record.error.type) == (502, kind, kind)


def test_refused_and_cut(ask: Asker, provider: FakeProvider) -> None:
    """A refusal whose body is cut has its status."""
    provider.enqueue(scenarios.refused(503).cut(10))
    answer = ask("stream_chat", "m", HELLO)
    assert isinstance(answer.error, ProviderError)
    assert (answer.error.status, answer.error.retryable) == (503, True)


@pytest.mark.parametrize("status", [204, 304])
def test_no_content(ask: Asker, provider: FakeProvider, status: int) -> None:
    """A response without a stream is an error or a truncated stream, never completed."""
    provider.enqueue(Scenario(status=status))
    answer = ask("stream_chat", "m", HELLO)
    assert isinstance(answer.error, ProviderError | StreamTruncated)
    assert answer.record.outcome in (Outcome.ERROR, Outcome.TRUNCATED)


def test_the_key_is_seen_nowhere(ask: Asker, provider: FakeProvider) -> None:
    """The API key is in no record, exception or repr, even if the server repeats it."""
    provider.enqueue(scenarios.refused(401, {"error": {"message": f"Incorrect API key: {KEY}", "type": "auth"}}))
    refused, completed = ask("stream_chat", "m", HELLO), ask("stream_chat", "m", HELLO)
    assert str(refused.error) == "Incorrect API key: ***"
    shown = [repr(refused.error), *map(repr, (refused.stream, completed.stream, completed.stream.response))]
    shown += [refused.record.model_dump_json(), completed.record.model_dump_json()]
    assert not any(KEY in text for text in shown)


@pytest.mark.parametrize("method", ["stream_chat", "stream_responses"])
def test_error_inside_the_stream(ask: Asker, provider: FakeProvider, method: str) -> None:
    """The error chunk is returned, then the error is raised with the partial record."""
    scenario = SHORT if method == "stream_chat" else scenarios.responses("one two three")
    provider.enqueue(scenario.failing(6, "Out of luck."))
    answer = ask(method, "m", HELLO)
    assert isinstance(answer.error, ProviderError)
    assert (str(answer.error), answer.error.type, answer.error.status) == ("Out of luck.", "server_error", None)
    assert answer.error.partial == answer.record
    assert answer.chunks[-1].error is not None
    assert (answer.record.outcome, answer.record.text) == (Outcome.ERROR, answer.text)
    assert answer.text.startswith("one")
    assert answer.record.error is not None
    assert (answer.record.error.type, answer.record.error.message) == ("server_error", "Out of luck.")


def test_a_response_that_failed(ask: Asker, provider: FakeProvider) -> None:
    """A last event of a failed response raises."""
    provider.enqueue(scenarios.responses("one", status="failed"))
    answer = ask("stream_responses", "m", "Hello")
    assert isinstance(answer.error, ProviderError)
    assert (str(answer.error), answer.record.outcome) == ("The server had an error.", Outcome.ERROR)


def test_a_response_that_is_incomplete(ask: Asker, provider: FakeProvider) -> None:
    """A response that ended at its token limit does not raise."""
    provider.enqueue(scenarios.responses("one", status="incomplete"))
    answer = ask("stream_responses", "m", "Hello")
    assert (answer.error, answer.record.outcome, answer.record.finish_reason) == (None, Outcome.COMPLETED, "length")


def test_garbage(ask: Asker, provider: FakeProvider) -> None:
    """A payload that is not JSON is an error, and the record has its text."""
    provider.enqueue(Scenario((*SHORT.frames[:3], b"data: {no json}\n\n", *SHORT.frames[3:])))
    answer = ask("stream_chat", "m", HELLO)
    assert isinstance(answer.error, ProviderError)
    assert answer.record.error is not None
    assert (answer.record.error.type, answer.record.error.body) == ("malformed_payload", "{no json}")
    assert (answer.record.outcome, answer.text) == (Outcome.ERROR, "one two three")


def test_an_error_under_status_200(ask: Asker, provider: FakeProvider) -> None:
    """A JSON body with an error raises whatever its status."""
    body = json.dumps({"error": {"message": "No such model.", "type": "not_found"}}, indent=1).encode()
    provider.enqueue(Scenario((body,), content_type="application/json"))
    answer = ask("stream_speech", "m", "Hello", voice="x")
    assert isinstance(answer.error, ProviderError)
    assert (str(answer.error), answer.error.type, answer.record.outcome) == ("No such model.", "not_found", Outcome.ERROR)


def test_cut_connection(ask: Asker, provider: FakeProvider) -> None:
    """A broken transport raises a `ProviderError` with the original as cause, after all complete chunks."""
    provider.enqueue(SHORT.cut(TO_TWO))
    answer = ask("stream_chat", "m", HELLO)
    assert isinstance(answer.error, ProviderError)
    assert isinstance(answer.error.__cause__, httpx2.RemoteProtocolError)
    assert (answer.error.status, answer.error.type) == (None, "RemoteProtocolError")
    assert answer.error.partial == answer.record
    assert (answer.text, answer.record.text, answer.record.outcome) == ("one two", "one two", Outcome.ERROR)
    assert answer.record.error is not None
    assert answer.record.error.type == "RemoteProtocolError"
    assert "tail" not in answer.record.extras


def test_half_a_frame_and_a_cut_connection(ask: Asker, provider: FakeProvider) -> None:
    """The incomplete event of a broken transport is kept."""
    provider.enqueue(SHORT.cut(TO_TWO + 20))
    answer = ask("stream_chat", "m", HELLO)
    assert isinstance(answer.error, ProviderError)
    assert (answer.record.extras["tail"], answer.record.outcome) == (SHORT.body[TO_TWO:][:20].decode(), Outcome.ERROR)


def test_half_a_frame(ask: Asker, provider: FakeProvider) -> None:
    """A body that ends regularly inside an event is truncated."""
    provider.enqueue(SHORT.cut(TO_TWO + 20, clean=True))
    answer = ask("stream_chat", "m", HELLO)
    assert isinstance(answer.error, StreamTruncated)
    assert answer.error.partial == answer.record
    assert (answer.record.outcome, answer.record.text, answer.record.error) == (Outcome.TRUNCATED, "one two", None)
    assert answer.record.extras["tail"] == SHORT.body[TO_TWO:][:20].decode()


@pytest.mark.parametrize(
    ("method", "args", "scenario"),
    [
        ("stream_chat", HELLO, SHORT.cut(TO_TWO, clean=True)),
        ("stream_chat", HELLO, Scenario((*SHORT.frames[:3], b"data: [DONE]\n\n"))),
        ("stream_chat", HELLO, Scenario()),
        ("stream_completion", "Once", Scenario(scenarios.completions().frames[:2])),
        ("stream_responses", "Hello", Scenario(scenarios.responses().frames[:-1])),
        ("stream_transcription", b"ID3", Scenario(scenarios.transcription().frames[:3])),
        ("stream_image", "A cat", Scenario(scenarios.images().frames[:1])),
        ("stream_speech", "Hello", Scenario(scenarios.speech(sse=True).frames[:2])),
        ("stream_speech", "Hello", Scenario(content_type="audio/mpeg")),
    ],
)
def test_truncated(ask: Asker, provider: FakeProvider, method: str, args: Any, scenario: Scenario) -> None:
    """A stream that ends before its finish raises, unless the caller disables it; the record is truncated."""
    params: dict[str, Any] = {"voice": "x"} if method == "stream_speech" else {}
    provider.enqueue(scenario, scenario)
    answer = ask(method, "m", args, **params)
    assert isinstance(answer.error, StreamTruncated)
    assert (answer.record.outcome, answer.error.partial) == (Outcome.TRUNCATED, answer.record)
    quiet = ask(method, "m", args, client={"raise_truncated": False}, **params)
    assert (quiet.error, quiet.record.outcome) == (None, Outcome.TRUNCATED)


def test_truncated_audio(ask: Asker, provider: FakeProvider) -> None:
    """Audio with a cut connection is truncated."""
    provider.enqueue(scenarios.speech(b"\xff" * 3000).cut(2000))
    answer = ask("stream_speech", "m", "Hello", voice="x")
    assert isinstance(answer.error, ProviderError)
    assert answer.record.audio is not None
    assert (answer.record.audio.size, answer.record.outcome) == (2000, Outcome.ERROR)


def test_without_the_last_blank_line(ask: Asker, provider: FakeProvider) -> None:
    """A last event without its blank line counts."""
    provider.enqueue(SHORT.cut(-1, clean=True), scenarios.chat("one", done=False).cut(-2, clean=True))
    assert ask("stream_chat", "m", HELLO).record.outcome is Outcome.COMPLETED
    answer = ask("stream_chat", "m", HELLO)
    assert (answer.error, answer.record.outcome, answer.record.extras.get("tail")) == (None, Outcome.COMPLETED, None)


@pytest.mark.parametrize("kind", ["chat", "responses"])
def test_the_end_marker_ends_the_stream(ask: Asker, provider: FakeProvider, kind: str) -> None:
    """The stream ends at the end marker even if the server keeps the connection open."""
    scenario = SHORT if kind == "chat" else scenarios.responses("one two three")
    delays = (*[0.0] * len(scenario.frames), LONG)
    provider.enqueue(replace(scenario, frames=(*scenario.frames, b": still here\n\n"), delays=delays))
    answer = ask("stream_chat" if kind == "chat" else "stream_responses", "m", HELLO)
    assert (answer.error, answer.record.outcome, answer.text) == (None, Outcome.COMPLETED, "one two three")
    assert provider.wait_closed_early()


def test_endless_data_after_the_end_marker(ask: Asker, provider: FakeProvider) -> None:
    """Data after the end marker is neither counted nor read for long."""
    scenario = Scenario((*SHORT.frames, *[b": more\n\n"] * 1000), (*[0.0] * len(SHORT.frames), *[0.005] * 1000))
    provider.enqueue(scenario)
    answer = ask("stream_chat", "m", HELLO)
    assert (answer.record.outcome, answer.record.chunk_count) == (Outcome.COMPLETED, len(SHORT.frames))
    assert provider.wait_closed_early()


@pytest.mark.parametrize("write", [10, 1 << 20])
def test_connections_are_used_again(provider: FakeProvider, monkeypatch: pytest.MonkeyPatch, write: int) -> None:
    """After a complete stream the connection is reused, however the end arrives."""
    monkeypatch.setattr(transport, "_DRAIN_SECONDS", 5.0)
    scenario = SHORT.rechunked(write)

    def port(stream: Any) -> int:
        next(stream)
        address: tuple[str, int] = stream.response.extensions["network_stream"].get_extra_info("client_addr")
        assert len(list(stream)) == len(SHORT.frames) - 1
        return address[1]

    provider.enqueue(scenario, scenario)
    with Client(provider.base_url) as client:
        assert port(client.stream_chat("m", HELLO)) == port(client.stream_chat("m", HELLO))


def test_connections_are_used_again_async(provider: FakeProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a complete async stream the connection is reused."""
    monkeypatch.setattr(transport, "_DRAIN_SECONDS", 5.0)

    async def ports() -> set[int]:
        found = set()
        async with AsyncClient(provider.base_url) as client:
            for _ in range(2):
                stream = client.stream_chat("m", HELLO)
                await anext(stream)
                found.add(stream.response.extensions["network_stream"].get_extra_info("client_addr")[1])
                assert [chunk async for chunk in stream][-1].terminal
        return found

    assert len(asyncio.run(ports())) == 1


@pytest.mark.parametrize("version", [b"HTTP/1.1", b"HTTP/2"])
def test_a_transport_without_a_network(version: bytes) -> None:
    """Any httpx2 transport works; over HTTP/2 closing a stream keeps the connection."""

    class Bytes(httpx2.SyncByteStream):
        closed = 0

        def __iter__(self) -> Iterator[bytes]:
            yield SHORT.body
            raise AssertionError("read on")

        def close(self) -> None:
            self.closed += 1

    body = Bytes()
    response = httpx2.Response(200, stream=body, extensions={"http_version": version, "network_stream": object()})
    if version == b"HTTP/1.1":
        del response.extensions["network_stream"]
    with httpx2.Client(transport=httpx2.MockTransport(lambda _: response)) as http:
        stream = Client("http://x/v1", http_client=http).stream_chat("m", HELLO)
        assert "".join(chunk.text for chunk in stream) == "one two three"
    assert (stream.record.outcome, body.closed) == (Outcome.COMPLETED, 1)


def test_closing_before_entering(ask: Asker) -> None:
    """A stream that is closed before it is entered makes no request."""

    async def close_async() -> Any:
        async with AsyncClient(ask.base_url) as client:
            stream = client.stream_chat("m", HELLO)
            await stream.aclose()
            return stream

    if ask.kind == "sync":
        with Client(ask.base_url) as client:
            stream = client.stream_chat("m", HELLO)
            stream.close()
            assert list(stream) == []
    else:
        stream = asyncio.run(close_async())
    assert (stream.record.outcome, stream.record.chunk_count) == (Outcome.CANCELLED, 0)


def test_leaving_early_frees_the_server(ask: Asker, provider: FakeProvider) -> None:
    """Leaving a stream closes it at once and keeps the partial content."""
    provider.enqueue(SHORT.stalled(3, LONG))
    answer = ask("stream_chat", "m", HELLO, only=3)
    assert provider.wait_closed_early()
    assert (answer.error, answer.record.outcome, answer.record.text) == (None, Outcome.CANCELLED, "one two")


def test_leaving_before_the_first_chunk(provider: FakeProvider) -> None:
    """A stream that is entered and not read is cancelled, and the connection is closed."""
    provider.enqueue(SHORT.delayed(LONG))
    with Client(provider.base_url) as client, client.stream_chat("m", HELLO) as stream:
        pass
    assert (stream.record.outcome, provider.wait_closed_early()) == (Outcome.CANCELLED, True)


def test_a_stream_that_is_never_entered(provider: FakeProvider) -> None:
    """A stream that is not entered makes no request."""
    exported: list[Any] = []
    with Tally(exporters=[exported.append]) as tally, Client(provider.base_url, tally=tally) as client:
        stream = client.stream_chat("m", HELLO)
        del stream
        tally.flush()
    assert [record.outcome for record in exported] == [Outcome.ABANDONED]
    assert provider.requests == []


def test_a_stream_that_is_dropped(provider: FakeProvider) -> None:
    """A stream without references ends as abandoned, and its connection is closed."""
    exported: list[Any] = []
    provider.enqueue(SHORT.stalled(3, LONG))
    with Tally(exporters=[exported.append]) as tally, Client(provider.base_url, tally=tally) as client:
        stream = client.stream_chat("m", HELLO)
        next(stream)
        del stream
        gc.collect()
        tally.flush()
        assert provider.wait_closed_early()
    assert [record.outcome for record in exported] == [Outcome.ABANDONED]


def test_a_break_only_pauses(provider: FakeProvider) -> None:
    """A second loop continues where the first one stopped."""
    with Client(provider.base_url) as client:
        stream = client.stream_chat("m", HELLO)
        first = next(iter(stream))
        assert [first, *stream][-1].terminal
        assert stream.record.outcome is Outcome.COMPLETED


def test_cancelled_task(provider: FakeProvider) -> None:
    """Cancelling the task raises its cancellation, the record is cancelled, and the connection is closed."""
    provider.enqueue(SHORT.stalled(2, LONG))

    async def main() -> Any:
        async with AsyncClient(provider.base_url) as client:
            stream = client.stream_chat("m", HELLO)
            await anext(stream)
            await anext(stream)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(stream), 0.05)
            return stream.record

    record = asyncio.run(main())
    assert (record.outcome, record.text, record.error) == (Outcome.CANCELLED, "one", None)
    assert provider.wait_closed_early()


async def cancelled_once_asked(waiting: Coroutine[Any, Any, Any], provider: FakeProvider) -> None:
    """Cancel what waits for the provider, as soon as that has the request."""
    task = asyncio.ensure_future(waiting)
    await asyncio.to_thread(eventually, lambda: provider.requests or None, "the request")
    task.cancel()
    await task


def test_cancelled_before_the_answer(provider: FakeProvider) -> None:
    """Cancelling works while waiting for the response."""
    provider.enqueue(SHORT.delayed(headers=LONG))

    async def main() -> Any:
        async with AsyncClient(provider.base_url) as client:
            stream = client.stream_chat("m", HELLO)
            with pytest.raises(asyncio.CancelledError):
                await cancelled_once_asked(stream.__aenter__(), provider)
            return stream.record

    assert asyncio.run(main()).outcome is Outcome.CANCELLED
    assert provider.wait_closed_early()


@pytest.mark.parametrize("scenario", [SHORT.stalled(2, LONG), SHORT.delayed(headers=LONG)])
def test_timeout(ask: Asker, provider: FakeProvider, scenario: Scenario) -> None:
    """A read time-out raises an error that is a `TimeoutError` and a `ProviderError`, and the outcome is timeout."""
    provider.enqueue(scenario)
    answer = ask("stream_chat", "m", HELLO, client={"timeout": httpx2.Timeout(PATIENCE, read=0.1)})
    assert isinstance(answer.error, ProviderTimeout)
    assert isinstance(answer.error, TimeoutError)
    assert isinstance(answer.error.__cause__, httpx2.ReadTimeout)
    assert (answer.error.status, answer.error.type, answer.error.partial) == (None, "timeout", answer.record)
    assert answer.record.error is not None
    assert (answer.record.outcome, answer.record.error.type) == (Outcome.TIMEOUT, "timeout")
    assert answer.text == answer.record.text
    assert provider.wait_closed_early()


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_pings_keep_the_connection_alive(kind: Kind) -> None:
    """The time-out is between bytes, so a longer stream with pings is not cut."""
    clock, timeout = FakeClock(), PATIENCE
    with FakeProvider(sleep=clock.sleep) as provider:
        provider.enqueue(SHORT.pings(8, timeout / 2))
        tally = Tally(clock=clock)
        answer = Asker(kind, provider.base_url)("stream_chat", "m", HELLO, client={"timeout": timeout, "tally": tally})
    record = answer.stream.record
    assert record.timing.duration == 4 * timeout
    assert (answer.error, record.outcome, record.chunk_count) == (None, Outcome.COMPLETED, len(SHORT.frames))


def test_nobody_there(ask: Asker) -> None:
    """An unreachable server gives an error and a record with its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    answer = ask("stream_chat", "m", HELLO, client={"base_url": f"http://127.0.0.1:{port}/v1"})
    assert isinstance(answer.error, ProviderError)
    assert isinstance(answer.error.__cause__, httpx2.ConnectError)
    assert not isinstance(answer.error, TimeoutError)
    record = answer.record
    assert record.error is not None
    assert (record.outcome, record.error.type) == (Outcome.ERROR, "ConnectError")
    assert (record.server_address, record.server_port) == ("127.0.0.1", port)


def test_no_answer(ask: Asker, provider: FakeProvider) -> None:
    """A connection closed without a status is an error."""
    provider.enqueue(SHORT.unanswered())
    answer = ask("stream_chat", "m", HELLO)
    assert isinstance(answer.error, ProviderError)
    assert (answer.error.type, answer.record.outcome) == ("RemoteProtocolError", Outcome.ERROR)


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_the_time_to_the_headers_counts(kind: Kind) -> None:
    """Timing starts with the request."""
    clock = FakeClock()
    with FakeProvider(sleep=clock.sleep) as provider:
        provider.enqueue(SHORT.delayed(headers=0.05))
        answer = Asker(kind, provider.base_url)("stream_chat", "m", HELLO, client={"tally": Tally(clock=clock)})
    timing = answer.stream.record.timing
    assert (timing.started_from, timing.time_to_first_token, timing.duration) == ("request", 0.05, 0.05)


def test_the_time_before_the_request_does_not(provider: FakeProvider) -> None:
    """Timing starts when the stream is entered, not when it is created."""
    clock = FakeClock()
    with Client(provider.base_url, tally=Tally(clock=clock)) as client:
        stream = client.stream_chat("m", HELLO)
        clock.advance(0.05)
        assert list(stream)
    assert stream.record.timing.duration == 0.0


def test_closing_from_another_thread(provider: FakeProvider) -> None:
    """Any thread may close a stream that is not being read, more than once."""
    provider.enqueue(SHORT.stalled(2, LONG))
    with Client(provider.base_url) as client:
        stream = client.stream_chat("m", HELLO)
        next(stream)
        stream.close()
        stream.close()
        assert list(stream) == []
    assert stream.record.outcome is Outcome.CANCELLED
    assert provider.wait_closed_early()


def test_an_error_of_the_callers_own(provider: FakeProvider) -> None:
    """The caller's own exception leaves the stream unchanged."""
    provider.enqueue(SHORT.stalled(3, LONG))
    with Client(provider.base_url) as client:
        stream = client.stream_chat("m", HELLO)

        def read_badly() -> None:
            with stream:
                for _ in stream:
                    raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            read_badly()
    assert stream.record.outcome is Outcome.CANCELLED
    assert provider.wait_closed_early()


def test_many_at_once(provider: FakeProvider) -> None:
    """Concurrent streams have separate records."""
    provider.enqueue(*[scenarios.chat(f"stream {number}").delayed(0.005) for number in range(20)])

    async def one(client: AsyncClient) -> tuple[str, str]:
        async with client.stream_chat("m", HELLO) as stream:
            return "".join([chunk.text async for chunk in stream]), stream.record.text

    async def main() -> list[tuple[str, str]]:
        async with AsyncClient(provider.base_url) as client:
            return await asyncio.gather(*[one(client) for _ in range(20)])

    texts = asyncio.run(main())
    assert all(received == recorded for received, recorded in texts)
    assert {received for received, _ in texts} == {f"stream {number}" for number in range(20)}
