"""What an exception says, as the fields of an `ErrorDetails`; told by duck typing, so that no SDK is imported."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import RETRYABLE_STATUS
from ..jsonish import Json, json_value

_MAX_MESSAGE = 10_000


def is_timeout(error: BaseException) -> bool:
    """Whether an exception is a time-out: the builtin, or a class of an HTTP library or SDK that says so in its name."""
    return isinstance(error, TimeoutError) or any("Timeout" in kind.__name__ for kind in type(error).__mro__)


def failure_fields(error: BaseException | str) -> dict[str, Json]:
    """The fields of an `ErrorDetails`. `type` is "timeout", else the class name: few values, safe as a label."""
    if isinstance(error, str):
        return {"type": "error", "message": error}
    status = _status(error)
    return {
        "type": "timeout" if is_timeout(error) else type(error).__qualname__,
        "message": str(error)[:_MAX_MESSAGE] or None,
        "code": _short(getattr(error, "code", None)),
        "status": status,
        "retryable": None if status is None else status in RETRYABLE_STATUS,
        "body": _body(error),
    }


def _status(error: BaseException) -> int | None:
    for name in ("status_code", "status", "code"):
        status = getattr(error, name, None)
        if isinstance(status, int) and not isinstance(status, bool) and 100 <= status < 600:
            return status
    return None


def _short(code: Any) -> str | None:
    return code if isinstance(code, str) else None


def _body(error: BaseException) -> Json:
    body = getattr(error, "body", None)
    return json_value(body) if isinstance(body, Mapping | list | str) else None
