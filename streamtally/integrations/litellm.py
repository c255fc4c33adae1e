"""LiteLLM: a callback that keeps a record of each call that streams."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any

try:
    from litellm.integrations.custom_logger import CustomLogger
except ImportError as error:
    raise ImportError("streamtally.integrations.litellm needs litellm: pip install litellm") from error

from ..context import is_nested
from ..default import default_tally
from ..dialects import Dialect, openai_chat, openai_completions, openai_responses
from ..json_values import Json, json_value
from ..tally import Tally

_DIALECT = openai_chat.DIALECT
"""LiteLLM converts every provider's answer to this dialect."""

_REMEMBERED = 10_000
"""Calls of which it is remembered that they are on record: more than are open at a time."""

_NOT_PARAMETERS = ("extra_body", "extra_headers", "max_retries")

_PROXIED = (
    "model",
    "temperature",
    "top_p",
    "n",
    "max_tokens",
    "max_completion_tokens",
    "stop",
    "seed",
    "presence_penalty",
    "frequency_penalty",
    "reasoning_effort",
    "service_tier",
)


class TallyLogger(CustomLogger):  # type: ignore[misc]  # the package need not be installed
    """`litellm.callbacks = [TallyLogger()]`: one record for each call that streams, when LiteLLM says that it is over.

    LiteLLM tells its callbacks of chunks from several threads and in no order, and of a stream that is left early it tells
    nothing. So the record is made of the whole answer, the time of its first chunk, and the times of the call: what lies
    between is absent. In LiteLLM's proxy the stream itself is wrapped, and nothing is absent; and so it is where the caller
    wraps the call: `streamtally.wrap(lambda: litellm.completion(..., stream=True))`. Such a call is not recorded twice.

    Args:
        tally: where the calls are recorded; the default tally if not given.
    """

    def __init__(self, tally: Tally | None = None) -> None:
        super().__init__()
        self._given = tally
        self._seen: dict[Any, None] = {}

    @property
    def _tally(self) -> Tally:
        return self._given or default_tally()

    async def async_post_call_streaming_iterator_hook(
        self, user_api_key_dict: Any, response: Any, request_data: Mapping[str, Any]
    ) -> AsyncIterator[Any]:
        """The proxy is about to send a stream: it passes through our wrapper."""
        del user_api_key_dict
        call_id = request_data.get("litellm_call_id")
        self._is_new(call_id)
        async with self._tally.wrap(response, dialect=_DIALECT, params=_asked(request_data)) as stream:
            async for chunk in stream:
                yield chunk

    def log_pre_api_call(self, model: Any, messages: Any, kwargs: Mapping[str, Any]) -> None:  # noqa: ARG002
        """A call is about to be made; inside one of our own requests it is on record already."""
        if is_nested():
            self._is_new(kwargs.get("litellm_call_id"))

    def log_success_event(self, kwargs: Mapping[str, Any], response_obj: Any, start_time: Any, end_time: Any) -> None:
        """A call is over; the answer is whole."""
        self._record(kwargs, response_obj, start_time, end_time)

    def log_failure_event(self, kwargs: Mapping[str, Any], response_obj: Any, start_time: Any, end_time: Any) -> None:
        """A call failed."""
        self._record(kwargs, response_obj, start_time, end_time)

    async def async_log_success_event(self, kwargs: Mapping[str, Any], response_obj: Any, start_time: Any, end_time: Any) -> None:
        """The same of an async call."""
        self.log_success_event(kwargs, response_obj, start_time, end_time)

    async def async_log_failure_event(self, kwargs: Mapping[str, Any], response_obj: Any, start_time: Any, end_time: Any) -> None:
        """The same of an async call."""
        self.log_failure_event(kwargs, response_obj, start_time, end_time)

    def _is_new(self, key: Any) -> bool:
        """Whether this is seen for the first time; the oldest are forgotten."""
        if key in self._seen:
            return False
        self._seen[key] = None
        if len(self._seen) > _REMEMBERED:
            del self._seen[next(iter(self._seen))]
        return True

    def _record(self, kwargs: Mapping[str, Any], answer: Any, start: Any, end: Any) -> None:
        call_id = kwargs.get("litellm_call_id")
        if kwargs.get("stream") is not True or call_id in self._seen or not self._is_new((call_id, str(start))):
            return
        request_id = str(call_id)
        dialect, first, last = _payloads(json_value(answer))
        with self._tally.open(request_id, dialect=dialect, started_at=_aware(start), params=_params(kwargs)):
            if first is not None:
                self._tally.add(request_id, first, index=0, at=_aware(kwargs.get("completion_start_time")))
                self._tally.add(request_id, last, index=1, at=_aware(end))
                self._tally.finish(request_id)
            else:
                self._tally.fail(request_id, kwargs.get("exception") or "the call failed")


def _aware(moment: Any) -> datetime | None:
    """LiteLLM's moments have no time zone, and mean the local one."""
    return moment.astimezone() if isinstance(moment, datetime) else None


def _params(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    asked = {name: value for name, value in (kwargs.get("optional_params") or {}).items() if name not in _NOT_PARAMETERS}
    return {**asked, "model": kwargs.get("model"), "provider": kwargs.get("custom_llm_provider")}


def _asked(request: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a request to the proxy, without what the proxy added to it."""
    return {name: request[name] for name in _PROXIED if name in request}


def _payloads(answer: Json) -> tuple[Dialect, Json, Json]:
    """The dialect of a whole answer, and the answer in two chunks of it: what was said, and how it ended."""
    if not isinstance(answer, Mapping) or "object" not in answer:
        return _DIALECT, None, None
    if answer["object"] == "response":
        created = {"type": "response.created", "response": {"id": answer.get("id"), "model": answer.get("model")}}
        return openai_responses.DIALECT, created, {"type": "response.completed", "response": answer}
    dialect, kind = (
        (_DIALECT, "chat.completion.chunk")
        if answer["object"] != "text_completion"
        else (openai_completions.DIALECT, "text_completion")
    )
    common = {**answer, "object": kind}
    choices = answer.get("choices") or []
    said = [
        {"index": choice.get("index", 0), "text": choice.get("text"), "delta": _delta(choice.get("message"))}
        for choice in choices
    ]
    ended = [
        {"index": choice.get("index", 0), "delta": {}, "text": "", "finish_reason": choice.get("finish_reason")}
        for choice in choices
    ]
    return dialect, {**common, "choices": said, "usage": None}, {**common, "choices": ended}


def _delta(message: Any) -> Json:
    if not isinstance(message, Mapping):
        return {}
    calls = [{**call, "index": place} for place, call in enumerate(message.get("tool_calls") or ())]
    return {**message, "tool_calls": calls or None}
