"""`streamtally replay`: the record of a recorded body."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from ..demo.formatting import NOTHING, call_in_words, cost_in_words, shortened, tokens_in_words
from ..errors import UnknownDialect
from ..records import Cost, StreamRecord
from ..tally import Tally
from .output import prices_of, refuse, typer

_EXCERPT = 60


def replay(
    file: Annotated[str, typer.Argument(help="A recorded response body; - for standard input.")],
    dialect: Annotated[str | None, typer.Option(help="The wire format; detected from the body if not given.")] = None,
    model: Annotated[str | None, typer.Option(help="The requested model, for a body that does not name one.")] = None,
    provider: Annotated[str | None, typer.Option(help="Who served it; it decides the price.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The whole record as JSON.")] = False,
) -> None:
    """Show the record of a recorded stream: server-sent events, JSON lines or sound."""
    params = {name: value for name, value in (("model", model), ("provider", provider)) if value}
    try:
        record = Tally(catalog=prices_of(None)).replay(_body(file), dialect=dialect, params=params)
    except UnknownDialect as error:
        refuse(str(error))
    if as_json:
        typer.echo(record.model_dump_json(indent=2))
    else:
        for name, text in _summary(record):
            typer.echo(f"{name:<11}{text}")


def _body(file: str) -> bytes:
    """What is in a file, or comes from standard input."""
    if file == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(file).read_bytes()
    except OSError as error:
        refuse(f"{file} cannot be read: {error.strerror}")


def _summary(record: StreamRecord) -> Iterator[tuple[str, str]]:
    """The record as labelled lines for people; empty fields are left out."""
    yield "outcome", str(record.outcome)
    yield "model", record.model or record.requested_model or NOTHING
    yield "stream", f"{record.stream_type}, {record.dialect}, {record.chunk_count} chunks"
    yield from _content(record)
    yield "usage", tokens_in_words(record.usage)
    yield "cost", _cost(record.cost)
    if record.finish_reasons:
        yield "finish", ", ".join(reason or NOTHING for reason in record.finish_reasons)
    if record.error:
        yield "error", f"{record.error.type}: {shortened(record.error.message or NOTHING, _EXCERPT)}"


def _content(record: StreamRecord) -> Iterator[tuple[str, str]]:
    for name, text in (("reasoning", record.reasoning), ("text", record.text), ("refusal", record.refusal)):
        if text:
            yield name, f"{len(text)} characters: {shortened(text, _EXCERPT)}"
    for call in record.tool_calls:
        yield "tool call", call_in_words(call) + ("" if call.complete else " (not whole)")
    if record.audio:
        yield "audio", f"{record.audio.size} bytes"
    for image in record.images:
        yield "image", f"{len(image.data or b'')} bytes, after {image.partials} previews"


def _cost(cost: Cost) -> str:
    row = f" ({cost.model_matched} of {cost.provider_matched}, {cost.match_rule})" if cost.model_matched else ""
    return cost_in_words(cost) + row
