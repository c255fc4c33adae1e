"""`streamtally`: the record of a recorded body, the price of a request, the demo."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

from .demo.wording import NOTHING, call_in_words, cost_in_words, dollars, shortened, tokens_in_words
from .errors import MissingExtra, UnknownDialect
from .records import Cost, StreamRecord, Usage
from .tally import replay

if TYPE_CHECKING:
    import typer
else:
    try:
        import typer
    except ImportError:  # `main` says which extra brings it
        typer = None

_EXCERPT = 60
_UNUSABLE = 2
"""The exit code of a call that cannot be carried out, which is that of typer too."""


def main() -> None:
    """The program. It exits with 2 where something is not installed, and says what to install."""
    try:
        program()()
    except MissingExtra as error:
        sys.stderr.write(f"streamtally: {error}\n")
        sys.exit(_UNUSABLE)


def program() -> typer.Typer:
    """The commands.

    Raises:
        MissingExtra: typer is not installed.
    """
    if typer is None:
        raise MissingExtra("cli", "typer")
    app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
    app.callback()(_streamtally)
    app.command("replay")(_replay)
    app.command("price")(_price)
    app.command("demo")(_demo)
    return app


def _show_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(version("streamtally"))
        raise typer.Exit


def _streamtally(
    version: Annotated[bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")] = False,
) -> None:
    """One truthful record of any stream of LLM chunks."""


def _replay(
    file: Annotated[str, typer.Argument(help="A recorded response body; - for standard input.")],
    dialect: Annotated[str | None, typer.Option(help="The wire format; told from the body if not given.")] = None,
    model: Annotated[str | None, typer.Option(help="The model that was asked for, where the body does not say.")] = None,
    provider: Annotated[str | None, typer.Option(help="Who served it; it decides the price.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The whole record as JSON.")] = False,
) -> None:
    """Show the record of a recorded stream: server-sent events, JSON lines or sound."""
    params = {name: value for name, value in (("model", model), ("provider", provider)) if value}
    try:
        record = replay(_body(file), dialect=dialect, params=params)
    except UnknownDialect as error:
        _refuse(str(error))
    if as_json:
        typer.echo(record.model_dump_json(indent=2))
    else:
        for name, text in _summary(record):
            typer.echo(f"{name:<11}{text}")


def _price(
    model: Annotated[str, typer.Argument(help="The model's name.")],
    input_tokens: Annotated[int, typer.Option("--input", min=0, help="Tokens in, those from the cache included.")],
    output_tokens: Annotated[int, typer.Option("--output", min=0, help="Tokens out, reasoning included.")],
    cached: Annotated[int | None, typer.Option(min=0, help="Tokens read from the cache.")] = None,
    provider: Annotated[str | None, typer.Option(help="Who serves it; the model's maker if not given.")] = None,
) -> None:
    """Show what a request costs, from the bundled catalog."""
    from .pricing import ModelCatalog

    if cached is not None and cached > input_tokens:
        _refuse(f"--input includes --cached: {cached} of {input_tokens} tokens cannot come from the cache")
    usage = Usage(input_tokens=input_tokens, output_tokens=output_tokens, cache_read_tokens=cached)
    catalog = ModelCatalog.bundled()
    cost = catalog.price(model, usage, provider=provider)
    for line in _bill(cost):
        typer.echo(line)
    if cost.usd is None:
        typer.echo(f"{model}: {cost_in_words(cost)} in the prices of {catalog.generated_at}", err=True)
        raise typer.Exit(1)
    typer.echo(f"{cost.model_matched} of {cost.provider_matched} ({cost.match_rule}), prices of {catalog.generated_at}")


def _demo(
    corpus: Annotated[Path | None, typer.Option(help="A folder of recorded streams to play instead.")] = None,
    serve: Annotated[bool, typer.Option("--serve", help="Keep /metrics up until Ctrl-C.")] = False,
    pace: Annotated[float, typer.Option(min=0, hidden=True)] = 1.0,
) -> None:
    """Show what streamtally does, without a key and without the network."""
    from .demo.program import run

    if corpus is not None and not corpus.is_dir():
        _refuse(f"{corpus} is no folder")
    if not run(recordings=corpus, serve=serve, pace=pace):
        raise typer.Exit(1)


def _body(file: str) -> bytes:
    """What is in a file, or comes from standard input."""
    if file == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(file).read_bytes()
    except OSError as error:
        _refuse(f"{file} cannot be read: {error.strerror}")


def _refuse(why: str) -> NoReturn:
    typer.echo(f"streamtally: {why}", err=True)
    raise typer.Exit(_UNUSABLE)


def _summary(record: StreamRecord) -> Iterator[tuple[str, str]]:
    """The record for people: what it has nothing to say about is left out."""
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


def _bill(cost: Cost) -> Iterator[str]:
    """A line for each unit, and the sum."""
    from .pricing import UNITS

    for line in cost.breakdown:
        rate = f"{dollars(line.rate)} per {UNITS[line.unit].label}"
        yield f"{line.unit:<18}{line.count:>12} × {rate:<30}{dollars(line.usd):>14}"
    if cost.usd is not None:
        yield f"{'total':<63}{cost_in_words(cost):>14}"
