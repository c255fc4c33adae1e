"""What the caller states of a request: all that a record holds and no chunk brings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from ..context import current_context
from ..json_values import Json, json_value
from ..records import StreamType

if TYPE_CHECKING:
    from pydantic import TypeAdapter

Keep = Literal["content", "content+input", "counts"]
"""What is kept of a stream: its content, also what the user wrote in the request, or no content at all."""

INPUT_PARAMS = frozenset({"messages", "input", "prompt", "instructions", "system", "contents"})
"""Parameters of a request that are what the user wrote: kept only with "content+input"."""

CONTENT_PARAMS = INPUT_PARAMS | frozenset({"file", "image", "mask", "suffix", "stream", "extra_body"})
"""Parameters of a request that hold what the user gave it: they are not kept."""

_LOCAL = frozenset({"keep_input"})
"""Fields that belong to this process: they are not part of a state that travels."""


_EMPTY: Mapping[str, Any] = MappingProxyType({})
"""Shared by all requests without parameters or attributes, because an empty dict for each costs memory."""


@dataclass(slots=True)
class RequestInfo:
    """What the caller states of one request.

    Args:
        request_id: the ID of the stream.
        stream_type: what kind of stream it is, as long as no dialect is known.
        params: the request's parameters. What the user wrote there is kept only with `keep_input`, and what has no JSON form
            (an SDK's "not given") is left out.
        attributes: JSON values for the record.
        conversation_id: the conversation that the request belongs to.
        server_address: the host that answers.
        server_port: its port.
        provider: the provider, where the source shows it.
        characters: the length of a text to be spoken; taken from `params["input"]` where that is a text.
        several: whether the stream may have several answers.
        keep_input: whether what the user wrote in the request is kept.
    """

    request_id: str
    stream_type: StreamType | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    attributes: Mapping[str, Any] = field(default_factory=dict)
    conversation_id: str | None = None
    server_address: str | None = None
    server_port: int | None = None
    provider: str | None = None
    characters: int | None = None
    several: bool | None = None
    keep_input: bool = False

    def __post_init__(self) -> None:
        spoken = self.params.get("input")
        if isinstance(spoken, str):
            self.characters = len(spoken)
        left_out = CONTENT_PARAMS - INPUT_PARAMS if self.keep_input else CONTENT_PARAMS
        self.params = {
            name: json_value(value)
            for name, value in self.params.items()
            if name not in left_out and isinstance(value, str | int | float | list | tuple | dict)
        } or _EMPTY
        self.attributes = {name: json_value(value) for name, value in self.attributes.items()} or _EMPTY

    @classmethod
    def in_context(  # noqa: PLR0913 - what a caller can state, by name
        cls,
        request_id: str,
        *,
        stream_type: StreamType | None = None,
        params: Mapping[str, Any] | None = None,
        attributes: Mapping[str, Any] | None = None,
        conversation_id: str | None = None,
        several: bool | None = None,
        keep_input: bool = False,
    ) -> RequestInfo:
        """What the caller states, with the attributes and the conversation of the `context` blocks around the call."""
        surrounding = dict(current_context())
        conversation = surrounding.pop("conversation_id", None)
        return cls(
            request_id,
            stream_type,
            params or {},
            {**surrounding, **(attributes or {})},
            conversation_id or conversation,
            several=several,
            keep_input=keep_input,
        )

    def complete(self, other: RequestInfo) -> None:
        """Set what is not known here and is there; of mappings, their missing entries."""
        for each in fields(self):
            if each.name in _LOCAL:
                continue
            mine, theirs = getattr(self, each.name), getattr(other, each.name)
            if isinstance(mine, Mapping):
                setattr(self, each.name, {**theirs, **mine})
            elif mine is None:
                setattr(self, each.name, theirs)

    def state(self) -> dict[str, Json]:
        """All fields that travel, as JSON."""
        values = {each.name: getattr(self, each.name) for each in fields(self) if each.name not in _LOCAL}
        return {name: dict(value) if isinstance(value, Mapping) else value for name, value in values.items()}

    @classmethod
    def from_state(cls, state: Mapping[str, Json], *, keep_input: bool) -> RequestInfo:
        """What `state` described.

        Raises:
            ValueError: (pydantic's `ValidationError`) it is no such state.
        """
        return _validator().validate_python({**state, "keep_input": keep_input})


@cache
def _validator() -> TypeAdapter[RequestInfo]:
    """What checks states from elsewhere; made when the first one comes."""
    from pydantic import TypeAdapter

    return TypeAdapter(RequestInfo)
