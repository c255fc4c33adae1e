"""Every event type of the official SDK is read."""

import typing
from typing import Any

import pytest
from openai.types.responses import ResponseStreamEvent
from pydantic import BaseModel

from streamtally.dialects import dialect_named
from tests.dialects.wire import Payload

WITHOUT_NEW_CONTENT = {"response.audio.done", "response.audio.transcript.done"}
"""Events that only end streamed content."""


def _events() -> dict[str, type[BaseModel]]:
    """The events of the installed SDK, by their type."""
    union = typing.get_args(ResponseStreamEvent)[0]
    return {typing.get_args(each.model_fields["type"].annotation)[0]: each for each in typing.get_args(union)}


def _sample(annotation: Any, name: str = "") -> Any:
    """A sample value of an annotation, so that an event has content."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _sample(arguments[0], name)
    if origin is typing.Literal:
        return arguments[0]
    if origin is list:
        return [_sample(arguments[0], name)]
    if origin is dict:
        return {}
    if arguments:
        return _sample(next(each for each in arguments if each is not type(None)), name)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _payload(annotation)
    return {int: 0, float: 0.0, bool: False}.get(annotation, "YWFh")


def _payload(model: type[BaseModel]) -> Payload:
    return {name: _sample(field.annotation, name) for name, field in model.model_fields.items() if field.is_required()}


EVENTS = _events()


def test_the_sdk_has_the_events_that_are_looked_for() -> None:
    """The list of events is not empty."""
    assert len(EVENTS) > 50
    assert EVENTS.keys() >= {"response.created", "response.output_text.delta", "error"}


@pytest.mark.parametrize("kind", sorted(EVENTS))
def test_event(kind: str) -> None:
    """Each event has content for an item, the response or an error; none is read as unknown."""
    payload = _payload(EVENTS[kind])
    if annotation := EVENTS[kind].model_fields.get("annotation"):
        payload["annotation"] = _sample(annotation.annotation)
    chunk = dialect_named("openai.responses").chunk(payload)
    assert kind not in chunk.extras
    assert chunk.sequence == 0
    has_content = bool(chunk.deltas or chunk.error or chunk.meta)
    assert has_content is (kind not in WITHOUT_NEW_CONTENT)
