"""The fields of an `ErrorDetails` for an exception, read by duck typing, so that no SDK is imported."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..dialects import OPAQUE, Dialect
from ..errors import RETRYABLE_STATUS
from ..json_values import Json, json_value

_MAX_MESSAGE = 10_000


def is_timeout(error: BaseException) -> bool:
    """Whether an exception is a time-out: the builtin, or a class of an HTTP library or SDK with "Timeout" in its name."""
    return isinstance(error, TimeoutError) or any("Timeout" in kind.__name__ for kind in type(error).__mro__)


def failure_fields(error: BaseException | str, dialect: Dialect = OPAQUE) -> dict[str, Json]:
    """The fields of an `ErrorDetails`.

    An exception of an SDK carries the provider's payload, which `dialect` reads as it reads an error in the stream: so live
    and replay say the same. Without one `type` is "timeout", else the class name: few values, safe as a label. A status of 400 or
    more that the exception has wins over that of the payload. Raises nothing, whatever the exception's own attributes do.
    """
    if isinstance(error, str):
        return {"type": "error", "message": error}
    status = _status(error)
    code = _attribute(error, "code")
    fields: dict[str, Json] = {
        "type": type(error).__qualname__,
        "message": _message(error),
        "code": code if isinstance(code, str) else None,
        "status": status,
        "exception": type(error).__qualname__,
        "body": _body(error),
    }
    reported = _reported(error, dialect)
    if status is not None and status >= 400:
        reported.pop("status", None)
    fields = {**fields, **reported}
    if is_timeout(error):
        fields["type"] = "timeout"
    stated = fields["status"]
    return {**fields, "retryable": None if stated is None else stated in RETRYABLE_STATUS}


def _reported(error: BaseException, dialect: Dialect) -> dict[str, Json]:
    """What the payload that an exception carries states of the error; nothing where it carries none."""
    payload = _payload(error)
    if payload is None:
        return {}
    try:
        found = dialect.chunk(payload).error or {}
    except Exception:  # a user's dialect, or an exception of another SDK than the dialect's
        return {}
    return {name: value for name, value in found.items() if value is not None and name not in ("retryable", "body")}


def _payload(error: BaseException) -> Mapping[str, Any] | None:
    """The provider's payload, by the names that the exceptions of OpenAI, Anthropic, Google and botocore have for it."""
    for name in ("body", "json_data", "details"):
        body = _attribute(error, name)
        if isinstance(body, Mapping) and body:
            return body if "error" in body or body.get("type") == "error" else {"error": body}
    response = _attribute(error, "response")
    reason = response.get("Error") if isinstance(response, Mapping) else None
    if isinstance(reason, Mapping) and isinstance(reason.get("Code"), str):
        return {reason["Code"]: {"message": reason.get("Message")}}
    return None


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
