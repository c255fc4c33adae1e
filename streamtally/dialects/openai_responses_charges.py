"""What the Responses API charges besides the tokens of an answer: its tools, and the image model that one of them calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..json_readers import count_of, mapping_of, mappings_of, name_of
from ..records import Outcome, StreamRecord, Usage
from .charges import ChargeRules, Counts, SubCall, raw_usage
from .openai_chat_charges import xai_tools
from .openai_usage import usage_fields


def tool_counts(record: StreamRecord) -> Counts:
    """Tool calls among the output items. Opening a page and finding text in it are not searches; failed calls are free."""
    calls = [item for item in record.output_items if item.get("status") != "failed"]
    kinds = [item.get("type") for item in calls]
    searches = [item for item in calls if item.get("type") == "web_search_call"]
    yield "searches", sum(mapping_of(item.get("action")).get("type", "search") == "search" for item in searches) or None
    yield "file_searches", kinds.count("file_search_call") or None
    containers = {str(item.get("container_id")) for item in calls if item.get("type") == "code_interpreter_call"}
    yield "code_sessions", len(containers) or None
    if "server_side_tool_usage_details" in raw_usage(record):
        yield from xai_tools(raw_usage(record))


def sub_calls(record: StreamRecord) -> Iterator[SubCall]:
    """The image generation tool calls an image model, whose tokens are reported apart from the answer's."""
    calls = (item for item in record.output_items if item.get("type") == "image_generation_call")
    ended = record.outcome is Outcome.COMPLETED
    made = [item for item in calls if item.get("status") != "failed" and (ended or _has_image(item))]
    if not made:
        return
    tool = next((tool for tool in mappings_of(record.extras.get("tools")) if tool.get("type") == "image_generation"), {})
    report = mapping_of(mapping_of(record.extras.get("tool_usage")).get("image_gen"))
    model = name_of(tool.get("model"))
    if count_of(report.get("total_tokens")):
        yield SubCall(model, Usage(**usage_fields(report)))
        return
    for item in made:
        yield SubCall(model, Usage(images=1, image_size=name_of(item.get("size")), image_quality=name_of(item.get("quality"))))


def _has_image(item: Mapping[str, Any]) -> bool:
    """Whether an image call delivered its image; some finished calls keep the status "generating"."""
    return bool(item.get("result")) or item.get("status") == "completed"


CHARGES = ChargeRules(tool_counts, sub_calls=sub_calls, picture_tools=frozenset({"image_generation_call"}))
