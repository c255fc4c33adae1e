"""Charges of a request besides its own tokens: searches, containers, calls of other models.

Providers charge their tools per call, but few report the number of calls. Where the usage report lacks a count, it is computed
from the content of the record, by the rules of the record's dialect; counts of tools that the answer does not show stay as
reported.

Pure functions of the record.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..dialects import SubCall, known_dialect
from ..json_readers import mapping_of, name_of
from ..records import StreamRecord, Usage


def usage_with_tools(record: StreamRecord) -> Usage | None:
    """The record's usage with the counts of tool calls added; None if neither usage nor tool calls are known."""
    counts = known_dialect(record.dialect).charges.tool_counts(record)
    fields = {name: value for name, value in (*_search_context(record), *counts) if value is not None}
    if not fields:
        return record.usage
    return Usage(**fields) if record.usage is None else record.usage.model_copy(update=fields)


def billed_usage(record: StreamRecord) -> Usage | None:
    """The usage that the provider bills; the record's own where it bills all tokens that the model processed."""
    return None if record.usage is None else known_dialect(record.dialect).charges.billed(record.usage)


def sub_calls(record: StreamRecord) -> Iterable[SubCall]:
    """The calls inside the request whose usage is not part of the record's usage."""
    return known_dialect(record.dialect).charges.sub_calls(record)


def _search_context(record: StreamRecord) -> Iterable[tuple[str, str | None]]:
    """The size of the search context, on which the price of a search depends: as reported, else as requested."""
    reported = None if record.usage is None else name_of(record.usage.raw.get("search_context_size"))
    if reported is None and "web_search_options" in record.params:
        reported = name_of(mapping_of(record.params["web_search_options"]).get("search_context_size"))
    return (("search_context", reported),)
