"""`Row` and `Case`: what is installed, what the server answers, how the SDK reads it, and what the record should have."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer of the server.

    Args:
        body: the body, in the pieces in which it is sent; or a function that makes it of the server's address.
        content_type: the header of this name.
        status: the HTTP status.
        headers: further headers.
        socket: the messages that are sent over a WebSocket instead of a body, one after another: text, or bytes.
        awaits: how many messages of the client are read ahead of the first message that is sent over a WebSocket.
    """

    body: Sequence[bytes] | Callable[[str], bytes] = ()
    content_type: str = "text/event-stream"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    socket: Sequence[str | bytes] | None = None
    awaits: int = 1


Replies: TypeAlias = Mapping[str, "Reply | Sequence[Reply]"]
"""The answers of the server by the end of the path of the request (without its query); of several the first request gets the
first one, and the last one is repeated."""


class Far(Protocol):
    """What a case is given: the server, and a tally that has no exporters."""

    url: str
    """The address of the server, without a slash at its end."""
    host: str
    port: int
    tally: Any
    """The `Tally`, for cases that are not read by iterating."""

    def read(self, source: Any, **options: Any) -> list[Any]:
        """Wrap a stream, or a callable that opens one, read it to its end, and return its items. Takes the options of `wrap`. An
        error that iterating raises is noted, and not raised."""

    async def aread(self, source: Any, **options: Any) -> list[Any]:
        """`read` of an asynchronous stream."""

    def take(self, record: Any) -> None:
        """Note the record of a case that `read` does not read."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What the answer says, and thus what its record should have; the names are those of the record.

    Args:
        provider: the provider.
        text: the text of the first choice.
        reasoning: the reasoning of the first choice.
        tool_calls: name and arguments (parsed) of each call.
        finish_reason: the finish reason in our vocabulary.
        usage: all counts that the answer states, by the names of `Usage`.
        model: the model that answers.
        outcome: how the stream ends.
        error: a part of the error's type, code or message.
        audio: the size of the audio, in bytes.
    """

    provider: str | None = None
    text: str = ""
    reasoning: str | None = None
    tool_calls: Sequence[tuple[str, Any]] = ()
    finish_reason: str | None = "stop"
    usage: Mapping[str, int | float] = field(default_factory=dict)
    model: str | None = None
    outcome: str = "completed"
    error: str | None = None
    audio: int = 0


@dataclass(frozen=True, slots=True)
class Case:
    """One way to read one answer.

    Args:
        name: what is read, such as "chat".
        drive: makes the request and reads the answer, sync or async. It imports the SDK.
        replies: what the server answers.
        truth: what the answer says.
        lacks: what the record cannot have, though the answer says it, and why: by the names of `Truth`, and "usage.input_tokens"
            for a single count.
    """

    name: str
    drive: Callable[[Any], Any]
    replies: Replies
    truth: Truth
    lacks: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Row:
    """One SDK or framework: the `ROW` of a module, whose name it has on the command line.

    Args:
        package: its name on the package index.
        version: the release.
        cases: what is read with it.
        beside: further requirements, with their versions.
        variables: environment variables of its process.
    """

    package: str
    version: str
    cases: Sequence[Case]
    beside: Sequence[str] = ()
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def requirements(self) -> list[str]:
        """What is installed."""
        return [f"{self.package}=={self.version}", *self.beside]
