"""Output items are told apart by whatever a server states of them."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamtally import StreamRecord, replay
from tests.strategies import interleaved

Event = dict[str, Any]

FAMILIES = {
    "message": ("output_text", {"content_index": 0}),
    "reasoning": ("reasoning_summary_text", {"summary_index": 0}),
    "function_call": ("function_call_arguments", {}),
    "custom_tool_call": ("custom_tool_call_input", {}),
}
WORDS = st.text("ab {", min_size=1, max_size=3)


def item_events(number: int, kind: str, pieces: list[str]) -> list[Event]:
    """The events of one item, with all that identifies it."""
    family, place = FAMILIES[kind]
    call = {"call_id": f"call_{number}", "name": f"f{number}"} if kind.endswith("_call") else {}
    item = {"id": f"item_{number}", "type": kind, "status": "in_progress", **call}
    where = {"item_id": f"item_{number}", "output_index": number}
    return [
        {"type": "response.output_item.added", "output_index": number, "item": item},
        *({"type": f"response.{family}.delta", **where, **place, "delta": piece} for piece in pieces),
        {"type": "response.output_item.done", "output_index": number, "item": {**item, "status": "completed"}},
    ]


def answer(events: list[Event]) -> StreamRecord:
    """The record of the events between those of a response."""
    whole = {"id": "resp", "object": "response", "model": "m", "output": []}
    return replay(
        [
            {"type": "response.created", "response": {**whole, "status": "in_progress"}},
            *events,
            {"type": "response.completed", "response": {**whole, "status": "completed"}},
        ]
    )


def said(record: StreamRecord) -> Any:
    """What each item says. Without an index their order is that in which they began."""
    return sorted((item["type"], item.get("call_id", ""), item.get("name", ""), _words(item)) for item in record.output_items)


def _words(item: Mapping[str, Any]) -> str:
    parts = [*item.get("content", ()), *item.get("summary", ())]
    return "".join(part["text"] for part in parts) + str(item.get("arguments", "")) + str(item.get("input", ""))


def _with_ids(event: Event, name: Callable[[str], str | None]) -> Event:
    """The event with another item ID, or none."""
    if "item" in event:
        item_id = name(event["item"]["id"])
        item = {key: value for key, value in event["item"].items() if key != "id"}
        return {**event, "item": item if item_id is None else {"id": item_id, **item}}
    item_id = name(event["item_id"])
    rest = {key: value for key, value in event.items() if key != "item_id"}
    return rest if item_id is None else {**rest, "item_id": item_id}


def _without_index(event: Event) -> Event:
    return {key: value for key, value in event.items() if key != "output_index"}


def _without_ids(event: Event) -> Event:
    return _with_ids(event, lambda _: None)


def _call_instead(event: Event) -> Event:
    """A converter that names the call of an arguments delta, and nothing else."""
    if "item" in event:
        return _without_index(_without_ids(event))
    if "content_index" in event or "summary_index" in event:
        return _without_index(event)
    return {**_without_index(_without_ids(event)), "call_id": event["item_id"].replace("item", "call")}


def _fresh(event: Event) -> Event:
    """An event whose ID no other one has."""
    return _with_ids(event, lambda item_id: f"{item_id}/{event['number']}")


SIDE_BY_SIDE: Mapping[str, Callable[[Event], Event]] = {
    "all": lambda event: event,
    "no index": _without_index,
    "no ID": _without_ids,
    "one ID for all": lambda event: _with_ids(event, lambda _: "fake"),
    "one index for all": lambda event: {**event, "output_index": 0},
    "an ID for each event": _fresh,
    "an index that is one too high for the end": lambda event: (
        {**event, "output_index": event["output_index"] + 1} if event["type"].endswith("item.done") else event
    ),
}
"""What servers state of items that stream at the same time."""

ONE_AFTER_ANOTHER: Mapping[str, Callable[[Event], Event]] = {
    **SIDE_BY_SIDE,
    "nothing": lambda event: _without_index(_without_ids(event)),
    "one ID for all, no index": lambda event: _without_index(_with_ids(event, lambda _: "fake")),
    "an ID for each event, no index": lambda event: _without_index(_fresh(event)),
    "one index for all, an ID for each event": lambda event: {**_fresh(event), "output_index": 0},
    "one index for all, no ID": lambda event: {**_without_ids(event), "output_index": 0},
    "one index and one ID for all": lambda event: {**_with_ids(event, lambda _: "fake"), "output_index": 0},
}
"""What servers state of items of which each ends before the next begins."""

ITEMS = st.lists(st.tuples(st.sampled_from(sorted(FAMILIES)), st.lists(WORDS, min_size=1, max_size=3)), min_size=1, max_size=4)


@st.composite
def side_by_side(draw: st.DrawFn, streams: list[list[Event]]) -> list[Event]:
    """The events of several items, those of each in order."""
    return interleaved(draw, streams)


def check(events: list[Event], habit: Callable[[Event], Event]) -> None:
    """The events say the same, whatever identifies their items."""
    numbered = [{**event, "number": number} for number, event in enumerate(events)]
    changed = [{key: value for key, value in habit(event).items() if key != "number"} for event in numbered]
    assert said(answer(changed)) == said(answer(events)), json.dumps(changed)


@pytest.mark.parametrize("habit", SIDE_BY_SIDE)
@given(data=st.data(), items=ITEMS)
def test_items_side_by_side(habit: str, data: st.DataObject, items: list[tuple[str, list[str]]]) -> None:
    """Index or ID is enough, if it is right."""
    streams = [item_events(number, *item) for number, item in enumerate(items)]
    check(data.draw(side_by_side(streams)), SIDE_BY_SIDE[habit])


@pytest.mark.parametrize("habit", ONE_AFTER_ANOTHER)
@given(items=ITEMS)
def test_items_one_after_another(habit: str, items: list[tuple[str, list[str]]]) -> None:
    """The order is enough."""
    events = [event for number, item in enumerate(items) for event in item_events(number, *item)]
    check(events, ONE_AFTER_ANOTHER[habit])


@given(data=st.data(), calls=st.lists(st.lists(WORDS, min_size=1, max_size=3), min_size=1, max_size=3))
def test_calls_by_the_id_of_the_call(data: st.DataObject, calls: list[list[str]]) -> None:
    """A delta may name the call, and neither item nor index."""
    streams = [item_events(number, "function_call", pieces) for number, pieces in enumerate(calls)]
    check(data.draw(side_by_side(streams)), _call_instead)


NEVER_OPENED = {name: SIDE_BY_SIDE[name] for name in ("all", "no index", "no ID", "an ID for each event", "one ID for all")}


@pytest.mark.parametrize("habit", NEVER_OPENED)
@given(data=st.data(), items=ITEMS)
def test_items_that_were_never_opened(habit: str, data: st.DataObject, items: list[tuple[str, list[str]]]) -> None:
    """The pieces of an item tell its type, and what it says."""
    streams = [item_events(number, *item)[1:-1] for number, item in enumerate(items)]
    if habit == "one ID for all":  # two of one type cannot be told from one whose index changes
        streams = [item_events(n, kind, pieces)[1:-1] for n, (kind, pieces) in enumerate(dict(items).items())]
    check(data.draw(side_by_side(streams)), NEVER_OPENED[habit])
