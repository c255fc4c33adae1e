"""What the answers of one stream used: of each answer, and of all of them together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..dialects import Dialect
from ..records import Choice, ErrorDetails, Part, Usage
from ..usage_reports import summed_usage
from .folding import Answer, has_content, usage_report


def usage_of(answer: Answer, dialect: Dialect, model: str | None, provider: str | None) -> Usage | None:
    """What the provider reported for one answer; None if it reported nothing.

    Zeros beside generated content are placeholders: all of them are no report, and one for the input or the output is no count.
    What the end of the answer states is no placeholder.
    """
    report = usage_report(answer)
    if not report:
        return None
    fields = dialect.adjust(dialect.usage(report), report, (answer.meta or {}).get("model") or model, provider)
    if has_content(answer) and not answer.usage_is_final:
        if not any(value for name, value in fields.items() if name != "cost_stated_by"):
            return None
        empty = {name for name in ("input_tokens", "output_tokens") if fields.get(name) == 0}
        fields = {name: value for name, value in fields.items() if not (empty and name in {*empty, "total_tokens"})}
    return Usage(**fields, raw=report)


def part_of(answer: Answer, usage: Usage | None, choices: tuple[Choice, ...]) -> Part:
    """The entry of one of several answers in the record."""
    meta, first = answer.meta or {}, choices[0] if choices else None
    error = answer.error
    return Part(
        response_id=meta.get("response_id"),
        model=meta.get("model"),
        finish_reason=first.finish_reason if first else None,
        finish_reason_raw=first.finish_reason_raw if first else None,
        usage=usage,
        error=None if error is None else ErrorDetails(**{"type": "provider_error", **error}),
    )


def total_usage(usages: Iterable[Usage | None]) -> Usage | None:
    """The sum of what several answers used; partial if one of them reported nothing."""
    known = list(usages)
    stated = [usage for usage in known if usage is not None]
    if not stated:
        return None
    fields: dict[str, Any] = {}
    for usage in stated:
        for name, value in usage:
            if name not in _NOT_COUNTS and value is not None:
                fields[name] = value if isinstance(value, str) else fields.get(name, 0) + value
    if any(usage.cost_stated_by == "gateway" for usage in stated):
        fields["cost_stated_by"] = "gateway"
    return Usage(**fields, partial=len(stated) < len(known), raw=summed_usage(usage.raw for usage in stated))


_NOT_COUNTS: frozenset[str] = frozenset({"source", "partial", "raw", "cost_stated_by"})
