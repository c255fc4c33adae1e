"""The output items of the Responses API: their form, their content, and the calls among them.

Who runs a tool: the API's server runs those whose calls have no `call_id` (web and file search, code interpreter, image
generation, MCP). A call with a `call_id` waits for an output of this ID from the caller: functions, custom tools,
`apply_patch_call`, `local_shell_call`, `computer_call`, `shell_call`. Of these the server runs a shell call in a container of its
own (`environment`), a search for tools unless its `execution` is "client", and any call whose output is in the same answer.

With a call that waits for the caller the finish reason is "tool_calls". The tool calls of the record are those of the tools that
the request defined, functions and custom tools; what is to be done for OpenAI's own tools (the patch `operation`, the shell's or
the computer's `action`) is in the output item.

Sources: https://platform.openai.com/docs/guides/tools-apply-patch, https://platform.openai.com/docs/guides/tools-shell,
https://platform.openai.com/docs/guides/tools-computer-use
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ..chunks import Delta, DetailDelta, TextDelta, ToolCallDelta
from ..json_readers import is_list, json_text, mapping_of, mappings_of, name_of, text_of
from ..json_values import Json
from .base import Item
from .openai_responses_events import PART_TEXTS

NAMES = {"id": "id", "kind": "type", "call": "call_id"}
"""The fields of an item that identify it."""

_CALLS = {"function_call": ("function", "arguments"), "custom_tool_call": ("custom", "input")}
"""Item types that call tools which the caller defined: the type of the `ToolCall`, and the field with the arguments."""

_OF_THE_CALLER = frozenset({*_CALLS, "apply_patch_call", "local_shell_call", "computer_call", "shell_call"})
_OF_THE_SERVER = frozenset({"web_search_call", "file_search_call", "code_interpreter_call", "image_generation_call", "mcp_call"})
_KIND_OF_FIELD = {
    "arguments": "function_call",
    "input": "custom_tool_call",
    "code": "code_interpreter_call",
    "summary": "reasoning",
    "content": "message",
}
"""The type of an item that no event states, by a field that its pieces have."""


def assemble(item: Item) -> Item:
    """An item assembled from pieces, with the types that were not sent."""
    whole = dict(item)
    for field in ("content", "summary"):
        if is_list(item.get(field)):
            whole[field] = [_formed_part(part) if isinstance(part, dict) else part for part in item[field] if part != {}]
    kind = next((kind for name, kind in _KIND_OF_FIELD.items() if name in whole), None)
    return whole if "type" in whole or kind is None else {**whole, "type": kind}


def _formed_part(part: Item) -> Item:
    """A part in the API's form, from one whose text is under the name of its type."""
    kind = next((name for name in PART_TEXTS if name in part and (name != "refusal" or part.get("type") in (None, name))), None)
    if kind is None or kind == "refusal":
        return part if kind is None else {"type": kind, **part}
    whole = {"type": kind, **part}
    words = whole.pop(kind)
    if words and not whole.get("text"):
        whole["type"] = kind  # of a part that was announced with another type, the text tells
    whole["text"] = whole.get("text") or words
    return whole


def to_deltas(items: Sequence[Item]) -> Iterator[Delta]:
    """The deltas of all items: text, reasoning (its summary if there is one), refusal, calls of the caller's tools."""
    if role := next((item["role"] for item in items if isinstance(item.get("role"), str)), None):
        yield DetailDelta("role", role)
    answer = list(_parts(items, "content", "output_text"))
    yield from (TextDelta(text_of(part.get("text"))) for part in answer)
    thoughts = _texts(items, "summary", "summary_text") or _texts(items, "content", "reasoning_text")
    yield from (TextDelta(words, "reasoning") for words in thoughts)
    yield from (TextDelta(text_of(part.get("refusal")), "refusal") for part in _parts(items, "content", "refusal"))
    yield DetailDelta("annotations", [note for part in answer for note in mappings_of(part.get("annotations"))])
    if logprobs := [entry for part in answer if is_list(part.get("logprobs")) for entry in part["logprobs"]]:
        yield DetailDelta("logprobs", {"content": logprobs})
    calls = (item for item in items if text_of(item.get("type")) in _CALLS)
    yield from (_call(item, position) for position, item in enumerate(calls))


def _parts(items: Sequence[Item], field: str, kind: str) -> Iterator[Mapping[str, Json]]:
    return (part for item in items for part in mappings_of(item.get(field)) if part.get("type", kind) == kind)


def _texts(items: Sequence[Item], field: str, kind: str) -> list[str]:
    return [words for part in _parts(items, field, kind) if (words := text_of(part.get("text")))]


def _call(item: Item, position: int) -> ToolCallDelta:
    kind, field = _CALLS[item["type"]]
    call_id = name_of(item.get("call_id")) or name_of(item.get("id"))
    over = False if item.get("status") == "completed" else None
    return ToolCallDelta(json_text(item.get(field)), position, call_id, name_of(item.get("name")), kind, goes_on=over)


def waits(items: Sequence[Item]) -> bool:
    """Whether any of the items is a call that waits for the caller."""
    outputs = {name_of(item.get("call_id")) for item in items if text_of(item.get("type")).endswith("_call_output")} - {None}
    return any(_is_for_the_caller(item, outputs) for item in items)


def _is_for_the_caller(item: Item, outputs: set[str | None]) -> bool:
    kind, call_id = text_of(item.get("type")), name_of(item.get("call_id"))
    if kind in _OF_THE_SERVER or call_id in outputs or not (kind in _OF_THE_CALLER or (kind.endswith("_call") and call_id)):
        return False
    if kind == "tool_search_call":
        return item.get("execution") == "client"
    return not text_of(mapping_of(item.get("environment")).get("type")).startswith("container")
