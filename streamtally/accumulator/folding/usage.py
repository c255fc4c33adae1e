"""The fold of usage reports. Those of the whole answer are merged; those of its choices, and increments, are summed."""

from __future__ import annotations

from ...chunks import UsageDelta
from ...json_values import Json
from ...usage_reports import merged_usage, summed_usage
from .answer import Answer

_INCREMENT = "+"


def fold_usage(answer: Answer, delta: UsageDelta) -> None:
    """Merge a report into that of its scope, or add an increment to the increments before it."""
    if answer.scoped_usage is None:
        answer.scoped_usage = {}
    known = answer.scoped_usage.get(delta.scope)
    reports = (known or {}, delta.report)
    answer.scoped_usage[delta.scope] = summed_usage(reports) if delta.scope == _INCREMENT else merged_usage(*reports)


def usage_report(answer: Answer) -> dict[str, Json] | None:
    """The report of the answer: the one that it has as a whole, else the sum of those of its scopes."""
    if answer.usage or not answer.scoped_usage:
        return answer.usage
    return summed_usage(answer.scoped_usage.values())
