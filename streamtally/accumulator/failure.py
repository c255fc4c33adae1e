"""The fields of an `ErrorDetails` for an exception, read by duck typing, so that no SDK is imported."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import RETRYABLE_STATUS
from ..json_values import Json, json_value

_MAX_MESSAGE = 10_000


def is_timeout(error: BaseException) -> bool:
    """Whether an exception is a time-out: the builtin, or a class of an HTTP library or SDK with "Timeout" in its name."""
    return isinstance(error, TimeoutError) or any("Timeout" in kind.__name__ for kind in type(error).__mro__)


def failure_fields(error: BaseException | str) -> dict[str, Json]:
    """The fields of an `ErrorDetails`. `type` is "timeout", else the class name: few values, safe as a label.

    Raises nothing, whatever the exception's own attributes do.
    """
    if isinstance(error, str):
        return {"type": "error", "message": error}
    status = _status(error)
    code = _attribute(error, "code")
    return {
        "type": "timeout" if is_timeout(error) else type(error).__qualname__,
        "message": _message(error),
        "code": code if isinstance(code, str) else None,
        "status": status,
        "retryable": None if status is None else status in RETRYABLE_STATUS,
        "body": _body(error),
    }


def _attribute(error: BaseException, name: str) -> Any:
    try:
        return getattr(error, name, None)
    except Exception:  # a property of a foreign exception
        return None


def _message(error: BaseException) -> str | None:
    try:
        return str(error)[:_MAX_MESSAGE] or None
    except Exception:  # as above
        return None


def _status(error: BaseException) -> int | None:
    for name in ("status_code", "status", "code"):
        status = _attribute(error, name)
        if isinstance(status, int) and not isinstance(status, bool) and 100 <= status < 600:
            return int(status)
    return None


def _body(error: BaseException) -> Json:
    body = _attribute(error, "body") or _attribute(error, "json_data")  # the second in Z.ai's SDK
    try:
        return json_value(body) if isinstance(body, Mapping | list | str) else None
    except Exception:  # as above
        return None
