"""The cases of an SDK whose chat API is like OpenAI's: an answer with reasoning, sync and async, a tool call, an error."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .bodies import CALL, call_deltas, chat_chunks, sse, words
from .case import Case, Far, Truth

REPORT = {
    "prompt_tokens": 12,
    "completion_tokens": 5,
    "total_tokens": 17,
    "prompt_tokens_details": {"cached_tokens": 4},
    "completion_tokens_details": {"reasoning_tokens": 2},
}
COUNTS = {"input_tokens": 12, "output_tokens": 5, "total_tokens": 17, "cache_read_tokens": 4, "reasoning_tokens": 2}
"""What `REPORT` says, by the names of `Usage`."""

MESSAGES = [{"role": "user", "content": "Hi"}]
_ERROR = {"error": {"message": "out of coats", "type": "server_error", "code": "overloaded"}}


@dataclass(frozen=True, slots=True)
class Chat:
    """An SDK with a chat API like OpenAI's.

    Args:
        provider: the provider that its package stands for.
        model: the model that the server says answers.
        path: the end of the path of its requests.
        ask: opens a stream, with a client for the server's address.
        aask: the same with an asynchronous client; None if there is none.
        reasoning: the field of a delta that has reasoning; None if the API has none.
        report: the usage report.
        counts: what it says.
        apart: whether the usage comes in a chunk of its own; else beside the finish reason.
        beside: further fields of the last chunk.
        done: whether `[DONE]` ends the body.
    """

    provider: str
    model: str
    path: str
    ask: Callable[[str], Any]
    aask: Callable[[str], Any] | None = None
    reasoning: str | None = "reasoning_content"
    report: Mapping[str, Any] = field(default_factory=lambda: REPORT)
    counts: Mapping[str, int] = field(default_factory=lambda: COUNTS)
    apart: bool = True
    beside: Mapping[str, Any] = field(default_factory=dict)
    done: bool = True

    @property
    def cases(self) -> tuple[Case, ...]:
        """An answer, sync and async, and an error."""
        thoughts = [] if self.reasoning is None else words("Rain ", "over ", field=self.reasoning)
        body = {self.path: sse(self._chunks(*thoughts, *words("Bring a ", "coat.")), done=self.done)}
        truth = Truth(self.provider, "Bring a coat.", "Rain over " if thoughts else None, usage=self.counts, model=self.model)
        found = [Case("chat", self._read, body, truth)]
        return (*found, Case("chat, async", self._aread, body, truth)) if self.aask else tuple(found)

    @property
    def call(self) -> Case:
        """A tool call, in pieces."""
        truth = Truth(self.provider, tool_calls=[CALL], finish_reason="tool_calls", usage=self.counts, model=self.model)
        return Case(
            "tool call", self._read, {self.path: sse(self._chunks(*call_deltas(), finish="tool_calls"), done=self.done)}, truth
        )

    def failure(self, error: str = "out of coats", *, event: bool = False, **lacks: str) -> Case:
        """An error after the first piece of the text. `event`: it is an event of the name "error"."""
        first = self._chunks(*words("Bring "))[0]
        truth = Truth(self.provider, "Bring ", finish_reason=None, model=self.model, outcome="error", error=error)
        reply = sse([first, _ERROR], done=self.done, names=[None, "error"] if event else [])
        return Case("error in the stream", self._read, {self.path: reply}, truth, lacks)

    def _chunks(self, *deltas: Mapping[str, Any], finish: str = "stop") -> list[dict[str, Any]]:
        if self.apart:
            return chat_chunks(*deltas, finish=finish, usage=self.report, last=self.beside, model=self.model)
        return chat_chunks(*deltas, finish=finish, last={"usage": self.report, **self.beside}, model=self.model)

    def _read(self, far: Far) -> None:
        far.read(lambda: self.ask(far.url))

    async def _aread(self, far: Far) -> None:
        assert self.aask is not None
        await far.aread(await self.aask(far.url))


def completion(provider: str, model: str, path: str, ask: Callable[[str], Any], **last: Any) -> Case:
    """A text completion in OpenAI's form, cut off by a bound. `last`: fields of the last chunk in place of its finish reason."""
    head = {"id": "c-1", "object": "text_completion", "created": 1_790_000_000, "model": model}
    pieces = [{**head, "choices": [{"index": 0, "text": words, "finish_reason": None}]} for words in ("Bring a ", "coat")]
    reason = None if last else "length"
    end = {**head, "choices": [{"index": 0, "text": "", "finish_reason": reason}], "usage": REPORT, **last}
    truth = Truth(provider, "Bring a coat", finish_reason="length", usage=COUNTS, model=model)
    return Case("completion", lambda far: far.read(lambda: ask(far.url)), {path: sse([*pieces, end])}, truth)
