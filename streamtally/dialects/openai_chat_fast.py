"""The fast path of `openai.chat`: the SDK's chunk objects that append to the text, or to the arguments of the open tool call.

A chunk is declined if any other field of it differs from the chunk that took the general path last, so that no value is lost.
Fields are read from `__dict__`, where pydantic stores them: reading an attribute that is not set takes two microseconds. An
object of another class raises, and takes the general path.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter
from typing import Any

from .base import FastPath, TextSinks

_REPEATED = itemgetter("id", "created", "model", "service_tier", "system_fingerprint")
_OTHERS = itemgetter("role", "refusal", "function_call", "audio")


def fast_path(writers: TextSinks) -> FastPath:
    """The fast path of one stream, which writes to its fold."""
    write: Callable[[str], object] | None = None
    response_id = created = model = tier = fingerprint = extra = role = None

    def decline(chunk: Any) -> bool:
        # The general path folds this chunk: its values are the known ones from here on.
        nonlocal write, response_id, created, model, tier, fingerprint, extra, role
        fields = chunk.__dict__
        response_id, created, model, tier, fingerprint = _REPEATED(fields)
        extra = chunk.__pydantic_extra__
        for choice in fields["choices"]:
            role = role if choice.index else choice.delta.role or role
        write = None
        arguments.forget()
        return False

    def take(chunk: Any) -> bool:
        nonlocal write
        fields = chunk.__dict__
        if (
            fields["id"] != response_id
            or fields["created"] != created
            or fields["model"] != model
            or fields["service_tier"] != tier
            or fields["system_fingerprint"] != fingerprint
            or fields["usage"] is not None
            or ((more := chunk.__pydantic_extra__) and more != extra)
        ):
            return decline(chunk)
        (choice,) = fields["choices"]
        answer = choice.__dict__
        delta = answer["delta"]
        if (
            answer["finish_reason"] is not None
            or answer["logprobs"] is not None
            or answer["index"]
            or ((more := choice.__pydantic_extra__) and _has_values(more))
            or ((more := delta.__pydantic_extra__) and _has_values(more))
        ):
            return decline(chunk)
        words = delta.content
        if type(words) is not str or not words:
            return arguments.take(delta.__dict__, role) or decline(chunk)
        if len(delta.__pydantic_fields_set__) > 1 and ((others := delta.__dict__)["tool_calls"] or not _is_plain(others, role)):
            return decline(chunk)
        if write is None and (write := writers.text_writer()) is None:
            return decline(chunk)
        write(words)
        return True

    arguments = _Arguments(writers)
    return take


def _has_values(extra: dict[str, Any]) -> bool:
    """Whether any further field has a value: many servers send theirs as null on every chunk."""
    return any(value is not None for value in extra.values())


def _is_plain(delta: dict[str, Any], role: str | None) -> bool:
    """Whether a delta has no new value besides its text and its tool calls."""
    other_role, refusal, legacy, audio = _OTHERS(delta)
    return (other_role is None or other_role == role) and not (refusal or legacy or audio)


class _Arguments:
    """The fast path of deltas that append to the arguments of the open tool call."""

    __slots__ = ("_position", "_write", "_writers")

    def __init__(self, writers: TextSinks) -> None:
        self._writers = writers
        self._position: int | None = None
        self._write: Callable[[str], object] | None = None

    def forget(self) -> None:
        """Drop the writer: the general path folded a chunk, and another call may be open."""
        self._write = None

    def take(self, delta: dict[str, Any], role: str | None) -> bool:
        calls = delta["tool_calls"]
        if not calls or len(calls) > 1 or not _is_plain(delta, role):
            self._write = None
            return False
        call = calls[0].__dict__
        function = call["function"]
        more = calls[0].__pydantic_extra__
        if call["id"] or call["type"] or (more and _has_values(more)) or function is None:
            self._write = None
            return False
        values = function.__dict__
        words = values["arguments"]
        if values["name"] or type(words) is not str or not words:
            self._write = None
            return False
        position = call["index"]
        if self._write is None or position != self._position:
            self._position = position
            self._write = self._writers.arguments_writer(position)
            if self._write is None:
                return False
        self._write(words)
        return True
