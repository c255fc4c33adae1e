"""Base classes and field types of all results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict

from ..json_values import json_object, json_value, mend_surrogates

Text = Annotated[str, BeforeValidator(mend_surrogates)]
JsonValue = Annotated[Any, BeforeValidator(json_value)]
JsonObject = Annotated[dict[str, Any], BeforeValidator(json_object)]


def _redacted(value: object) -> str:
    """The text that `repr` shows in place of content: its size."""
    if value is None or isinstance(value, int | float | bool):
        return repr(value)
    return f"<{len(value)}>" if isinstance(value, str | bytes | tuple | Mapping) else "<…>"


class Frozen(BaseModel):
    """Base class of all results: immutable, and strict about unknown fields."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        ser_json_bytes="base64",
        val_json_bytes="base64",
        ser_json_inf_nan="strings",
        defer_build=True,
        protected_namespaces=(),
    )


class Private(Frozen):
    """Base class of results that hold content. Their `repr` shows sizes instead of content."""

    def __repr_args__(self) -> Any:
        for name, value in super().__repr_args__():
            yield name, _Unquoted(value) if name in _PLAIN_FIELDS or isinstance(value, BaseModel) else _Unquoted(_redacted(value))


class _Unquoted(str):
    """A text that `repr` prints without quotes."""

    __slots__ = ()

    def __new__(cls, value: object) -> _Unquoted:
        return super().__new__(cls, value if isinstance(value, str) else repr(value))

    def __repr__(self) -> str:
        return str(self)


_PLAIN_FIELDS = frozenset(
    {"index", "role", "finish_reason", "finish_reason_raw", "id", "name", "type", "complete", "mime_type", "size",
     "request_id", "stream_type", "dialect", "provider", "requested_model", "model", "response_id", "outcome", "status",
     "missing", "ordering", "exception", "service_tier", "language", "code", "retryable", "server_address", "conversation_id"}
)  # fmt: skip
"""Fields that are not content, which `repr` shows as they are. Fields that are not listed count as content."""


_Model = TypeVar("_Model", bound=Frozen)
_put_fields, _put_given, _put_extra, _put_private = (
    BaseModel.__dict__[slot].__set__
    for slot in ("__dict__", "__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__")
)


def constructed(kind: type[_Model], fields: dict[str, Any], given: set[str]) -> _Model:
    """An instance with these fields, unvalidated: what `model_construct` returns, when all fields are given."""
    result = object.__new__(kind)
    _put_fields(result, fields)
    _put_given(result, given)
    _put_extra(result, None)
    _put_private(result, None)
    return result
