"""What is kept of JSON content where content is not: the names, ids, numbers and words that a count or a price depends on."""

from __future__ import annotations

from collections.abc import Mapping

from ...json_values import Json

_IDENTIFYING = frozenset({"id", "type", "status", "call_id", "name", "role", "toolUseId", "tool_use_id"})
"""The fields that identify an output item, in any provider's words, and hold none of its content."""

_PRICED = frozenset({"container_id", "quality", "size"})
"""Fields of calls that decide what they cost; so does the type of an action."""

_DESCRIBING = frozenset(
    {"id", "mime_type", "size", "quality", "background", "output_format", "created_at", "language", "duration"}
)
"""Fields that describe a medium and hold none of its content."""


def of_item(item: Mapping[str, Json]) -> dict[str, Json]:
    """What identifies an output item and what its price depends on."""
    kept = {name: value for name, value in item.items() if name in _IDENTIFYING or (name in _PRICED and isinstance(value, str))}
    action = item.get("action")
    if isinstance(action, Mapping) and isinstance(action.get("type"), str):
        kept["action"] = {"type": action["type"]}
    return kept


def of_items(items: list[Json]) -> list[Json]:
    """`of_item` of each."""
    return [of_item(item) for item in items if isinstance(item, Mapping)]


def of_medium(fields: Mapping[str, Json]) -> dict[str, Json]:
    """The fields that describe audio, an image or a transcript."""
    return {name: value for name, value in fields.items() if name in _DESCRIBING}


def of_extras(fields: Mapping[str, Json]) -> dict[str, Json]:
    """The numbers among fields that have no name in a record."""
    return {name: value for name, value in fields.items() if isinstance(value, int | float)}


def of_error(error: Mapping[str, Json]) -> dict[str, Json]:
    """An error without the body of the response, which may hold what the provider generated until then."""
    return {name: value for name, value in error.items() if name != "body"}
