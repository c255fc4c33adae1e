"""LangChain: a callback handler that records each streaming run of a model."""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter
from typing import Any, NamedTuple
from uuid import UUID

try:
    from langchain_core.callbacks import BaseCallbackHandler
except ImportError as error:
    raise ImportError("streamtally.integrations.langchain needs langchain-core: pip install langchain-core") from error

from ..default import default_tally
from ..dialects import langchain
from ..json_readers import mapping_of
from ..json_values import Json, deep_fields
from ..records import Outcome
from ..tally import Tally


class _Run(NamedTuple):
    """A run of a model: the `perf_counter` at its start, and its parameters."""

    started: float
    params: Mapping[str, Any]


class TallyHandler(BaseCallbackHandler):  # type: ignore[misc]  # the package need not be installed
    """A callback handler for a model, a chain or a call: `model.stream(…, config={"callbacks": [handler]})`.

    Each streaming run of a model makes one record, whose `request_id` is the run's ID; other runs make none. The record has
    what LangChain passes to its handlers: tokens in order, finish reason, usage, and the outcome. If `streamtally.instrument`
    wraps the SDK that the model uses, the stream is recorded twice: use one of the two.

    Args:
        tally: where the runs are recorded; the default tally if not given.
    """

    raise_error = False
    run_inline = True  # keeps the tokens in order, and in the context of the call

    def __init__(self, tally: Tally | None = None) -> None:
        super().__init__()
        self._given = tally
        self._runs: dict[UUID, _Run] = {}

    @property
    def _tally(self) -> Tally:
        return self._given or default_tally()

    def on_chat_model_start(self, serialized: Any, messages: Any, *, run_id: UUID, **options: Any) -> None:  # noqa: ARG002
        """A run begins; its first token shows that it streams."""
        self._runs[run_id] = _Run(perf_counter(), _params(options))

    def on_llm_start(self, serialized: Any, prompts: Any, *, run_id: UUID, **options: Any) -> None:  # noqa: ARG002
        """A run of a text completion model begins."""
        self._runs[run_id] = _Run(perf_counter(), _params(options))

    def on_llm_new_token(self, token: Any, *, run_id: UUID, chunk: Any = None, **_: Any) -> None:
        """A chunk; the first one opens the stream."""
        run = self._runs.get(run_id)
        request_id = str(run_id)
        if run is not None and request_id not in self._tally.accumulator:
            self._tally.open(request_id, dialect=langchain.DIALECT, started_at=run.started, params=run.params)
        if run is not None:
            self._tally.add(request_id, _payload(token, getattr(chunk, "message", None), getattr(chunk, "generation_info", None)))

    def on_llm_end(self, response: Any, *, run_id: UUID, **_: Any) -> None:  # noqa: ARG002
        """The run has ended."""
        self._end(run_id, None)

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **_: Any) -> None:
        """The run failed, or its stream was not read to the end."""
        self._end(run_id, error)

    def _end(self, run_id: UUID, error: BaseException | None) -> None:
        tally, request_id = self._tally, str(run_id)
        if self._runs.pop(run_id, None) is None or request_id not in tally.accumulator:
            return
        if isinstance(error, Exception):
            tally.fail(request_id, error)
        else:  # GeneratorExit, a cancelled task, or no error
            tally.finish(request_id, None if error is None else Outcome.CANCELLED)
        tally.discard(request_id)


def _params(options: Mapping[str, Any]) -> dict[str, Any]:
    """The request's parameters, as LangChain passes them to tracers."""
    metadata = options.get("metadata") or {}
    params = {name: value for name, value in (options.get("invocation_params") or {}).items() if not name.startswith("_")}
    stated = {"model": metadata.get("ls_model_name"), "provider": metadata.get("ls_provider")}
    return {**params, **{name: value for name, value in stated.items() if isinstance(value, str)}}


def _payload(token: Any, message: Any, info: Any) -> Json:
    """The message of a chunk as a mapping, with what LangChain states beside it; a text model has no message."""
    fields = {} if message is None else deep_fields(message) or {}
    metadata = {**(info or {}), **mapping_of(fields.get("response_metadata"))}
    return {"type": "AIMessageChunk", "content": token, **fields, "response_metadata": metadata}
