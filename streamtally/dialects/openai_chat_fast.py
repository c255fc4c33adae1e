"""The fast path of `openai.chat`: an SDK's chunk objects that bring words, or arguments of the tool call that is open.

It takes a chunk only if all else on it was said before, so that nothing said is lost. Fields are read from `__dict__`, where
pydantic has them: to ask a model for an attribute that is not set would cost two microseconds. A payload of any other kind
raises here, and is folded the general way.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter
from typing import Any

from .base import FastPath, TextSinks

_SAID = itemgetter("id", "created", "model", "service_tier", "system_fingerprint")
_OTHERS = itemgetter("role", "refusal", "function_call", "audio")


def fast_path(writers: TextSinks) -> FastPath:
    """The fast path onto one stream's fold."""
    write: Callable[[str], object] | None = None
    response_id = created = model = tier = fingerprint = extra = role = None

    def decline(chunk: Any) -> bool:
        # What is declined is folded the general way, and so from here on it has been said.
        nonlocal write, response_id, created, model, tier, fingerprint, extra, role
        fields = chunk.__dict__
        response_id, created, model, tier, fingerprint = _SAID(fields)
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
            or ((more := choice.__pydantic_extra__) and _speaks(more))
            or ((more := delta.__pydantic_extra__) and _speaks(more))
        ):
            return decline(chunk)
        words = delta.content
        if type(words) is not str or not words:
            return arguments.take(delta.__dict__, role) or decline(chunk)
        if len(delta.__pydantic_fields_set__) > 1 and not _is_silent(delta.__dict__, role):
            return decline(chunk)
        if write is None and (write := writers.text_writer()) is None:
            return decline(chunk)
        write(words)
        return True

    arguments = _Arguments(writers)
    return take


def _speaks(extra: dict[str, Any]) -> bool:
    """Whether any further field says something: many servers send theirs as null on every chunk."""
    return any(value is not None for value in extra.values())


def _is_silent(delta: dict[str, Any], role: str | None) -> bool:
    """Whether a delta brings nothing besides its words that was not said before."""
    return not delta["tool_calls"] and _is_plain(delta, role)


def _is_plain(delta: dict[str, Any], role: str | None) -> bool:
    speaker, refusal, legacy, audio = _OTHERS(delta)
    return (speaker is None or speaker == role) and not (refusal or legacy or audio)


class _Arguments:
    """Takes deltas that go on with the arguments of the tool call that is open."""

    __slots__ = ("_position", "_write", "_writers")

    def __init__(self, writers: TextSinks) -> None:
        self._writers = writers
        self._position: int | None = None
        self._write: Callable[[str], object] | None = None

    def forget(self) -> None:
        """The general way folded something: which call is open must be asked again."""
        self._write = None

    def take(self, delta: dict[str, Any], role: str | None) -> bool:
        calls = delta["tool_calls"]
        if not calls or len(calls) > 1 or not _is_plain(delta, role):
            self._write = None
            return False
        call = calls[0]
        function = call.function
        if (
            call.id
            or call.type
            or _speaks(call.__pydantic_extra__)
            or function is None
            or function.name
            or type(function.arguments) is not str
            or not function.arguments
        ):
            self._write = None
            return False
        if self._write is None or call.index != self._position:
            self._position = call.index
            self._write = self._writers.arguments_writer(call.index)
            if self._write is None:
                return False
        self._write(function.arguments)
        return True
