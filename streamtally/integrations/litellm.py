"""LiteLLM: a callback that records each streaming call."""

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
from ..dialects.stated_costs import GATEWAY, STATED_BY
from ..json_readers import number_of
from ..json_values import Json, json_value
from ..sources.litellm import with_estimate
from ..tally import Tally

_DIALECT = openai_chat.DIALECT
"""LiteLLM converts every provider's answer to this dialect."""

_MAX_REMEMBERED = 10_000
"""The number of recorded calls that are remembered, which is more than are open at a time."""

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
    """`litellm.callbacks = [TallyLogger()]`: one record for each streaming call, made when LiteLLM reports its end.

    LiteLLM passes chunks to its callbacks from several threads and in no order, and does not report a stream that is not read
    to the end. So the record is made of the whole answer, the time of its first chunk, and the start and end of the call;
    latencies between chunks are absent. In LiteLLM's proxy the stream itself is wrapped, and the record is complete, as it is
    where the caller wraps the call: `streamtally.wrap(lambda: litellm.completion(..., stream=True))`. Such a call is not
    recorded twice.

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
        """Wraps a stream that the proxy is about to send."""
        del user_api_key_dict
        call_id = request_data.get("litellm_call_id")
        self._is_new(call_id)
        async with self._tally.wrap(response, dialect=_DIALECT, params=_proxy_params(request_data)) as stream:
            async for chunk in stream:
                yield chunk

    def log_pre_api_call(self, model: Any, messages: Any, kwargs: Mapping[str, Any]) -> None:  # noqa: ARG002
        """A call is about to be made; one inside a wrapped request is recorded already."""
        if is_nested():
            self._is_new(kwargs.get("litellm_call_id"))

    def log_success_event(self, kwargs: Mapping[str, Any], response_obj: Any, start_time: Any, end_time: Any) -> None:
        """A call has ended, with the whole answer."""
        self._record(kwargs, response_obj, start_time, end_time)

    def log_failure_event(self, kwargs: Mapping[str, Any], response_obj: Any, start_time: Any, end_time: Any) -> None:
        """A call failed."""
        self._record(kwargs, response_obj, start_time, end_time)

    async def async_log_success_event(self, kwargs: Mapping[str, Any], response_obj: Any, start_time: Any, end_time: Any) -> None:
        """An async call has ended, with the whole answer."""
        self.log_success_event(kwargs, response_obj, start_time, end_time)

    async def async_log_failure_event(self, kwargs: Mapping[str, Any], response_obj: Any, start_time: Any, end_time: Any) -> None:
        """An async call failed."""
        self.log_failure_event(kwargs, response_obj, start_time, end_time)

    def _is_new(self, key: Any) -> bool:
        """Whether a key is new; remembers it, and forgets the oldest beyond the limit."""
        if key in self._seen:
            return False
        self._seen[key] = None
        if len(self._seen) > _MAX_REMEMBERED:
            del self._seen[next(iter(self._seen))]
        return True

    def _record(self, kwargs: Mapping[str, Any], answer: Any, start: Any, end: Any) -> None:
        call_id = kwargs.get("litellm_call_id")
        if kwargs.get("stream") is not True or call_id in self._seen or not self._is_new((call_id, str(start))):
            return
        request_id = str(call_id)
        dialect, first, last = _payloads(_fields_of(answer, kwargs))
        with self._tally.open(request_id, dialect=dialect, started_at=_aware(start), params=_params(kwargs)):
            if first is not None:
                self._tally.add(request_id, first, index=0, at=_aware(kwargs.get("completion_start_time")))
                self._tally.add(request_id, last, index=1, at=_aware(end))
                self._tally.finish(request_id)
            else:
                self._tally.fail(request_id, kwargs.get("exception") or "the call failed")


def _aware(time: Any) -> datetime | None:
    """A time of LiteLLM, which has no time zone and is local, with the local time zone."""
    return time.astimezone() if isinstance(time, datetime) else None


def _params(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    params = {name: value for name, value in (kwargs.get("optional_params") or {}).items() if name not in _NOT_PARAMETERS}
    return {**params, "model": kwargs.get("model"), "provider": kwargs.get("custom_llm_provider")}


def _proxy_params(request: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a request to the proxy, without the fields that the proxy adds."""
    return {name: request[name] for name in _PROXIED if name in request}


def _fields_of(answer: Any, kwargs: Mapping[str, Any]) -> Json:
    """The fields of an answer, with what LiteLLM reckons that it costs."""
    fields = json_value(answer)
    if not isinstance(fields, Mapping):
        return fields
    amended = with_estimate(answer, fields)
    usage, estimate = amended.get("usage"), number_of(kwargs.get("response_cost"))
    if estimate is None or not isinstance(usage, Mapping) or usage.get("cost") is not None:
        return dict(amended)
    return {**amended, "usage": {**usage, "cost": estimate, STATED_BY: GATEWAY}}


def _payloads(answer: Json) -> tuple[Dialect, Json, Json]:
    """The dialect of a whole answer, and two chunks of it: the content, and the end with finish reason and usage."""
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
    content = [
        {"index": choice.get("index", 0), "text": choice.get("text"), "delta": _delta(choice.get("message"))}
        for choice in choices
    ]
    end = [
        {"index": choice.get("index", 0), "delta": {}, "text": "", "finish_reason": choice.get("finish_reason")}
        for choice in choices
    ]
    return dialect, {**common, "choices": content, "usage": None}, {**common, "choices": end}


def _delta(message: Any) -> Json:
    if not isinstance(message, Mapping):
        return {}
    calls = [{**call, "index": place} for place, call in enumerate(message.get("tool_calls") or ())]
    return {**message, "tool_calls": calls or None}
