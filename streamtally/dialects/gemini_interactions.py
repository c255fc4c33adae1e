"""`gemini.interactions`: the events of Gemini's Interactions API; an answer is a list of steps that stream by index.

Terminal rule: `interaction.completed`, whatever the status in it, which stands for the finish reason that the API does not have.
Usage rule: a report is of the whole interaction, so a later one replaces an earlier one; as a rule the terminal has the only one.

The events of the API's first beta (`interaction.start`, `content.delta`, …) are read too, as those that took their place.

Sources: https://ai.google.dev/gemini-api/docs/interactions, https://ai.google.dev/api/interactions-api
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..chunks import LAST, AudioDelta, Channel, Chunk, Delta, FinishDelta, ImageDelta, ItemDelta, PayloadDelta
from ..json_readers import count_of, is_list, json_text, mapping_of, mappings_of, name_of, text_of, unnamed
from ..json_values import Json, json_value
from ..records import StreamType
from .base import Dialect, ItemRules, Vocabulary
from .gemini_interactions_response import response
from .gemini_interactions_steps import MEDIA, assemble, present, step_of_content, to_deltas
from .gemini_interactions_usage import CHARGES, usage
from .openai_common import error_fields, unknown_event

FINISH_REASONS: Vocabulary = {
    "completed": None,
    "requires_action": "tool_calls",
    "incomplete": "length",
    "budget_exceeded": "length",
    "requires_continuation": "length",
    "failed": "error",
    "cancelled": "cancelled",
}
"""What the status of an interaction means. Any other one states that it has not ended."""

_BETA: Mapping[str, str] = {
    "interaction.start": "interaction.created",
    "interaction.complete": "interaction.completed",
    "content.start": "step.start",
    "content.delta": "step.delta",
    "content.stop": "step.stop",
}
"""The events of the first beta: the one that took their place."""

_ENDS = frozenset({"interaction.completed", "interaction.cancelled"})
_EVENT_FIELDS = frozenset({"type", "event_type", "event_id", "interaction", "interaction_id", "status", "usage"})
_INTERACTION_FIELDS = frozenset({"id", "object", "status", "model", "usage", "service_tier", "steps", "outputs", "errors"})


def chunk(payload: Mapping[str, Any]) -> Chunk:
    """One event, or a whole interaction."""
    event = _wire(payload)
    kind = _kind_of(event)
    if kind == "step.delta":
        return _step_delta(event)
    if kind == "error" or (not kind and (event.get("error") or event.get("type") == "error")):
        return _error(event)
    if kind in _EVENTS:
        return _EVENTS[kind](event)
    if event.get("object") == "interaction":
        return _interaction(event, {}, ends=name_of(event.get("status")) in FINISH_REASONS)
    return unknown_event(kind, _unnamed(event))


def _kind_of(event: Mapping[str, Any]) -> str:
    kind = text_of(event.get("event_type"))
    return _BETA.get(kind, kind)


def _wire(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the server sent, in place of the SDK's object for what it does not know."""
    raw = value.get("raw")
    is_unknown = "UNKNOWN" in (value.get("event_type"), value.get("type"))
    return raw if is_unknown and isinstance(raw, Mapping) else value


def _unnamed(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """An event without the name of the server-sent event that it came in."""
    return {name: value for name, value in event.items() if name != "type" or value != event.get("event_type")}


def _lifecycle(event: Mapping[str, Any]) -> Chunk:
    """An event about the whole interaction. Those of a live session have the fields of the interaction beside the type."""
    kind = _kind_of(event)
    whole = mapping_of(event.get("interaction"))
    state = {name: event[name] for name in ("status", "usage") if event.get(name) is not None}
    state["id"] = event.get("interaction_id")
    if kind == "interaction.cancelled":
        state["status"] = "cancelled"
    found = _interaction({**state, **whole}, event, ends=kind in _ENDS)
    if kind != "interaction.created":
        return found
    # Each continuation is an interaction of its own, with steps from 0 on.
    restart = ItemDelta("restart", found.meta.get("response_id"), None)
    return found._replace(deltas=(restart, *found.deltas), starts=True)


def _interaction(whole: Mapping[str, Any], event: Mapping[str, Any], *, ends: bool) -> Chunk:
    """What an interaction states of itself. Its steps, which only its end may have, complete those that streamed."""
    status = name_of(whole.get("status"))
    deltas: list[Delta] = []
    if ends and (steps := list(_all_steps(whole))):
        deltas.append(ItemDelta("replace", None, None, (), steps))
    if ends or status in FINISH_REASONS:
        deltas.append(FinishDelta(status or "completed"))
    failure = next(mappings_of(whole.get("errors")), None)
    return Chunk(
        tuple(deltas),
        meta={
            "response_id": name_of(whole.get("id")),
            "model": name_of(whole.get("model")),
            "service_tier": name_of(whole.get("service_tier")),
        },
        extras={**unnamed(whole, _INTERACTION_FIELDS), **unnamed(event, _EVENT_FIELDS)},
        usage=json_value(whole["usage"]) if isinstance(whole.get("usage"), Mapping) else None,
        error=_error_fields(failure) if failure is not None and status == "failed" else None,
        terminal=ends,
    )


def _all_steps(whole: Mapping[str, Any]) -> Iterator[Json]:
    """The steps of a whole interaction without the input that it repeats."""
    for step in map(_wire, mappings_of(whole.get("steps"))):
        if step.get("type") != "user_input":
            yield json_value(step)
    for content in map(_wire, mappings_of(whole.get("outputs"))):
        yield json_value(step_of_content(content))


def _step_start(event: Mapping[str, Any]) -> Chunk:
    step = _wire(mapping_of(event.get("step")))
    if "step" not in event:
        step = step_of_content(_wire(mapping_of(event.get("content"))))
    if step.get("type") == "user_input":  # the input, if the request asks for it
        return Chunk((PayloadDelta(json_value(_unnamed(event)), event="step.start"),))
    return Chunk(tuple(_opened(step, count_of(event.get("index")))))


def _opened(step: Mapping[str, Any], index: int | None) -> Iterator[Delta]:
    """A step as it starts. The text that it has already is its first piece, which the first delta may repeat."""
    fields = {name: value for name, value in step.items() if name not in ("content", "summary")}
    generates = text_of(step.get("type")).endswith("_call")
    yield ItemDelta("add", None, index, (), json_value(fields), "other" if generates else None)
    for field in ("content", "summary"):
        for position, part in enumerate(map(_wire, mappings_of(step.get(field)))):
            yield from _part_deltas(part, (field, position), index, starts=True)


def _step_delta(event: Mapping[str, Any]) -> Chunk:
    delta, index = _wire(mapping_of(event.get("delta"))), count_of(event.get("index"))
    report = mapping_of(event.get("metadata")).get("total_usage")
    kind = text_of(delta.get("type"))
    deltas = _DELTAS.get(kind, _other_delta)(delta, index)
    return Chunk(tuple(deltas), usage=json_value(report) if isinstance(report, Mapping) else None)


def _part_delta(delta: Mapping[str, Any], index: int | None) -> Iterator[Delta]:
    yield from _part_deltas(delta, ("content", LAST), index)


def _summary_delta(delta: Mapping[str, Any], index: int | None) -> Iterator[Delta]:
    yield from _part_deltas(_wire(mapping_of(delta.get("content"))), ("summary", LAST), index)


def _part_deltas(part: Mapping[str, Any], place: tuple[str, int], index: int | None, *, starts: bool = False) -> Iterator[Delta]:
    """A piece of the content or of the summary of a step. Texts and sound go on, other media are whole."""
    kind = name_of(part.get("type")) or "text"
    if kind == "text":
        yield from _text_deltas(part, place, index, starts=starts)
    elif kind == "audio":
        rest = unnamed(part, frozenset({"type", "data"}))
        yield AudioDelta(text_of(part.get("data")), fields=rest)
        for name, value in rest.items():
            yield ItemDelta("set", None, index, (*place, kind, name), value)
    else:
        yield ItemDelta("set", None, index, (*place, kind), json_value(part), "other")
        if kind == "image":
            rest = {"url": name_of(part.get("uri")), **unnamed(part, frozenset({"type", "data", "uri"}))}
            yield ImageDelta(None, text_of(part.get("data")) or None, place[0] == "summary", rest)


def _text_deltas(part: Mapping[str, Any], place: tuple[str, int], index: int | None, *, starts: bool) -> Iterator[Delta]:
    channel: Channel = "reasoning" if place[0] == "summary" else "text"
    path = (*place, "text")
    yield ItemDelta("first" if starts else "append", None, index, (*path, "text"), text_of(part.get("text")), channel)
    for note in mappings_of(part.get("annotations")):
        yield ItemDelta("push", None, index, (*path, "annotations"), json_value(note))
    for name, value in unnamed(part, frozenset({"type", "text", "annotations"})).items():
        yield ItemDelta("set", None, index, (*path, name), value)


def _signature_delta(delta: Mapping[str, Any], index: int | None) -> Iterator[Delta]:
    yield ItemDelta("set", None, index, ("signature",), name_of(delta.get("signature")))


def _arguments_delta(delta: Mapping[str, Any], index: int | None) -> Iterator[Delta]:
    yield ItemDelta("append", None, index, ("partial_arguments",), json_text(delta.get("arguments")), "other")


def _annotation_delta(delta: Mapping[str, Any], index: int | None) -> Iterator[Delta]:
    for note in mappings_of(delta.get("annotations")):
        yield ItemDelta("push", None, index, ("content", LAST, "text", "annotations"), json_value(note))


def _other_delta(delta: Mapping[str, Any], index: int | None) -> Iterator[Delta]:
    """A call or a result, which is whole; or a delta of unknown type, whose texts are pieces."""
    kind = text_of(delta.get("type"))
    is_step = kind.endswith(("_call", "_result"))
    if is_step:
        yield ItemDelta("set", None, index, ("type",), kind)
    for name, value in unnamed(delta, frozenset({"type"})).items():
        op: Any = "append" if isinstance(value, str) and not is_step else "set"
        yield ItemDelta(op, None, index, (name,), value, "other")


_DELTAS: Mapping[str, Callable[[Mapping[str, Any], int | None], Iterator[Delta]]] = {
    **dict.fromkeys(("text", *MEDIA), _part_delta),
    "thought_summary": _summary_delta,
    "thought_signature": _signature_delta,
    "arguments_delta": _arguments_delta,
    "text_annotation_delta": _annotation_delta,
}
"""The readers of deltas that are neither calls nor results, by type."""


def _step_stop(event: Mapping[str, Any]) -> Chunk:
    used, report = event.get("step_usage"), event.get("usage")
    index = count_of(event.get("index"))
    deltas = (ItemDelta("set", None, index, ("step_usage",), json_value(used)),) if isinstance(used, Mapping) else ()
    return Chunk(deltas, usage=json_value(report) if isinstance(report, Mapping) else None)


def _error(event: Mapping[str, Any]) -> Chunk:
    error = event.get("error") or {}
    is_event = mapping_of(error).get("event_type") == "error"  # without an error, which a server-sent event then becomes
    return Chunk(error=_error_fields({} if is_event else error))


def _error_fields(error: Any) -> dict[str, Json]:
    """An error, whose code is a word, or an HTTP status as text."""
    code = mapping_of(error).get("code")
    return error_fields(error, int(code) if isinstance(code, str) and code.isascii() and code.isdigit() else None)


_EVENTS: Mapping[str, Callable[[Mapping[str, Any]], Chunk]] = {
    "interaction.created": _lifecycle,
    "interaction.connected": _lifecycle,
    "interaction.status_update": _lifecycle,
    "interaction.completed": _lifecycle,
    "interaction.cancelled": _lifecycle,
    "step.start": _step_start,
    "step.stop": _step_stop,
}
"""The readers of all events but `step.delta` and `error`."""


_CARRIED = {"step.start": ("step", "content"), "step.delta": ("delta",)}
"""What an event about a step has beside its index."""


def _is_event(payload: Mapping[str, Any]) -> bool:
    """An event of the API, with what it carries, or a whole interaction."""
    kind = _kind_of(payload)
    if kind in _CARRIED:
        return type(payload.get("index")) is int and any(isinstance(payload.get(name), Mapping) for name in _CARRIED[kind])
    if kind in _EVENTS:
        return kind.startswith("interaction.") or type(payload.get("index")) is int
    return payload.get("object") == "interaction" and is_list(payload.get("steps") or payload.get("outputs"))


def _may_be_event(payload: Mapping[str, Any]) -> bool:
    return payload.get("event_type") == "error" and isinstance(payload.get("error"), Mapping)


DIALECT = Dialect(
    "gemini.interactions",
    StreamType.RESPONSES,
    chunk,
    usage,
    FINISH_REASONS,
    provider="google",
    response=response,
    recognises=_is_event,
    resembles=_may_be_event,
    items=ItemRules(to_deltas, assemble, present),
    charges=CHARGES,
)

DIALECTS = (DIALECT,)
