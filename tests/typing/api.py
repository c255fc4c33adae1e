"""Typical uses of the public names, as users write and annotate them: type-checked, never run."""

from collections.abc import AsyncIterable, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, assert_type

import streamtally
from streamtally import (
    Accumulator,
    Choice,
    Cost,
    ModelCatalog,
    Outcome,
    StreamRecord,
    StreamTruncated,
    Tally,
    ToolCall,
    Usage,
)


def a_stream_is_wrapped(chunks: Iterable[str]) -> StreamRecord:
    with streamtally.wrap(chunks, request_id="r1", params={"model": "gpt-4o-mini"}) as stream:
        for chunk in stream:
            print(chunk)
    record: StreamRecord = stream.record
    return record


async def an_async_stream_is_wrapped(chunks: AsyncIterable[dict[str, Any]]) -> Outcome | None:
    async with streamtally.wrap(chunks, dialect="openai.chat", attributes={"team": "search"}) as stream:
        async for chunk in stream:
            print(chunk)
    record: StreamRecord = stream.record
    return record.outcome


def a_record_is_read(record: StreamRecord) -> None:
    assert_type(record.text, str)
    assert_type(record.choices, tuple[Choice, ...])
    assert_type(record.tool_calls, tuple[ToolCall, ...])
    assert_type(record.usage, Usage | None)
    assert_type(record.cost, Cost)
    assert_type(record.cost.usd, Decimal | None)
    assert_type(record.timing.time_to_first_token, float | None)
    assert_type(record.timing.started_at, datetime | None)
    if record.usage is not None:
        assert_type(record.usage.input_tokens, int | None)


def chunks_are_added(tally: Tally, messages: Iterable[tuple[str, dict[str, Any], int]]) -> list[StreamRecord]:
    done = []
    with tally.open("r1", stream_type="chat.completion", started_at=datetime(2026, 1, 1, tzinfo=UTC)):
        for request_id, payload, index in messages:
            if record := tally.add(request_id, payload, index=index, at=12.5):
                done.append(record)
    done.append(tally.finish("r1", Outcome.COMPLETED))
    assert_type(tally.snapshot("r1"), StreamRecord)
    return done


def partial_states_are_merged(here: Accumulator, state: bytes) -> bytes:
    here.merge("r1", state)
    assert_type(len(here), int)
    return here.dump("r1")


def a_callable_exports() -> Tally:
    records: list[StreamRecord] = []

    def keep(record: StreamRecord) -> None:
        records.append(record)

    tally = streamtally.configure(exporters=["otel", "prometheus", keep])
    assert_type(tally, Tally)
    return tally


def usage_is_priced(usage: Usage) -> Decimal | None:
    cost = ModelCatalog.bundled().price("gpt-4o-mini", usage, provider="openai", at=datetime(2026, 1, 1, tzinfo=UTC))
    assert_type(cost, Cost)
    return cost.usd


def a_body_is_replayed(body: bytes) -> dict[str, Any]:
    record = streamtally.replay(body, dialect="openai.chat")
    assert_type(record, StreamRecord)
    return streamtally.to_response(record)


def errors_have_the_partial_record(error: StreamTruncated) -> StreamRecord | None:
    return error.partial
