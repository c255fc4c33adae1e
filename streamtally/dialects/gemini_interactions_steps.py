"""The steps of an interaction: assembled from pieces, as the record has them, and the answer that they make."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..chunks import Delta, DetailDelta, TextDelta, ToolCallDelta
from ..json_readers import is_list, json_text, mappings_of, name_of, parsed_json, text_of, unnamed
from ..json_values import Json
from .base import Item

MEDIA = ("image", "audio", "video", "document")
"""The types of content besides text."""

_CALL_FIELDS = frozenset({"type", "id", "name", "arguments", "partial_arguments", "step_usage"})


def step_of_content(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """The step that has taken the place of a content of the first beta: text and media were contents by themselves."""
    is_part = content.get("type") in ("text", *MEDIA)
    return {"type": "model_output", "content": [content]} if is_part else content


def assemble(step: Item) -> Item:
    """A step with its parts in the API's form, and with its type, which is inferred where its start is missing."""
    whole = dict(step)
    for field in ("content", "summary"):
        if is_list(step.get(field)):
            whole[field] = [_formed_part(part) for part in step[field]]
    if "type" not in whole:
        thinks = "summary" in whole or ("signature" in whole and "content" not in whole)
        whole["type"] = "function_call" if "partial_arguments" in whole else "thought" if thinks else "model_output"
    return whole


def _formed_part(part: Json) -> Json:
    """A part of which the fields are below its type, as they are folded; any other one unchanged."""
    if not isinstance(part, dict) or len(part) != 1:
        return part
    ((kind, fields),) = part.items()
    text = {"text": ""} if kind == "text" else {}
    return {"type": kind, **text, **fields} if isinstance(fields, dict) else part


def present(step: Item) -> Item:
    """A step with its arguments parsed. JSON that is cut short stays in `partial_arguments`, as text."""
    parsed = parsed_json(text_of(step.get("partial_arguments")))
    if parsed is None:
        return step
    return {**{name: value for name, value in step.items() if name != "partial_arguments"}, "arguments": parsed}


def to_deltas(steps: Sequence[Item]) -> Iterator[Delta]:
    """The deltas of all steps: text with its annotations, thoughts with their signatures, and the calls that are to be run.

    A call whose result is among the steps was run by the server, as those of its own tools are.
    """
    answer = [part for step in steps if step.get("type") == "model_output" for part in mappings_of(step.get("content"))]
    thoughts = [step for step in steps if step.get("type") == "thought"]
    yield from (TextDelta(text_of(part.get("text"))) for part in answer)
    for thought in thoughts:
        for part in mappings_of(thought.get("summary")):
            if words := text_of(part.get("text")):
                yield TextDelta(words, "reasoning")
    yield DetailDelta("reasoning_details", [thought for thought in thoughts if thought.get("signature")])
    yield DetailDelta("annotations", [note for part in answer for note in mappings_of(part.get("annotations"))])
    results = {str(step.get("call_id")) for step in steps if step.get("type") == "function_result"}
    calls = (step for step in steps if step.get("type") == "function_call" and str(step.get("id")) not in results)
    yield from (_call(step, position) for position, step in enumerate(calls))


def _call(step: Item, position: int) -> ToolCallDelta:
    """A call. The arguments in the event that starts a step count only if no text follows: `{}` there is a placeholder."""
    arguments = text_of(step.get("partial_arguments")) or json_text(step.get("arguments") or "")
    extras = unnamed(step, _CALL_FIELDS) or None
    return ToolCallDelta(arguments, position, name_of(step.get("id")), name_of(step.get("name")), "function", extras)
