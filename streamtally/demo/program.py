"""The demo from beginning to end: what is shown in which order, and whether all of it was as promised."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isclose
from pathlib import Path
from threading import Event

from ..records import Outcome, StreamRecord
from ..tally import Tally
from ..testing import FakeProvider
from . import comparison, corpus, endtoend
from .metrics import MetricsServer, Sample, scrape, total
from .streams import Scene, end_to_end
from .view import View, view_of_terminal

HINT = (
    "import streamtally",
    "with streamtally.wrap(lambda: client.chat.completions.create(..., stream=True)) as stream:",
    "    for chunk in stream: ...  # the SDK's own chunks, unchanged; stream.record has the figures",
)

_STREAMS = "streamtally_streams_total"
_COST = "streamtally_cost_USD_total"
_SHOWN = (
    (_STREAMS, {"gen_ai_response_model": "gpt-5-mini", "streamtally_outcome": "completed"}),
    (_STREAMS, {"gen_ai_response_model": "gpt-4.1", "streamtally_outcome": "cancelled"}),
    ("streamtally_time_to_first_token_seconds_sum", {"gen_ai_response_model": "gpt-4.1-mini"}),
    ("gen_ai_client_token_usage_sum", {"gen_ai_response_model": "gpt-4.1-mini", "gen_ai_token_type": "output"}),
    (_COST, {"gen_ai_request_model": "gpt-image-1"}),
)
"""The samples of the scrape that are shown: the metric, and the labels by which it is found."""


def run(*, recordings: Path | None = None, serve: bool = False, pace: float = 1.0) -> bool:
    """Show the demo; returns whether everything was as promised.

    Args:
        recordings: a folder of recorded streams (see `FakeProvider`), to play in the place of our own.
        serve: whether to serve the metrics until the program is interrupted.
        pace: how many times as long all waits are.

    Raises:
        MissingExtra: something that the demo needs is not installed.
    """
    view = view_of_terminal()
    if recordings is not None:
        return _report(corpus.play(recordings, view), view)
    return _play_ours(view, serve, pace)


def _play_ours(view: View, serve: bool, pace: float) -> bool:
    scenes = end_to_end()
    with FakeProvider({scene.model: scene.played(pace) for scene in scenes}) as provider, MetricsServer() as server:
        broken = [*_compare(comparison.Stage(provider, Tally(), pace), view), *_stream(scenes, provider, server, view)]
        view.heading("How to use it")
        view.lines(*HINT, style="cyan")
        is_good = _report(broken, view)
        if serve:
            _serve(server, view)
    return is_good


def _compare(stage: comparison.Stage, view: View) -> Iterator[str]:
    """Part one; yields what was not as promised."""
    view.heading("The same chunks, read by a naive loop and by streamtally")
    rows = [comparison.Row(title) for title in comparison.CASES]
    with view.board(comparison.COLUMNS, rows) as board:
        for row, compare in zip(rows, comparison.CASES.values(), strict=True):
            row.comparison = compare(stage)
            board.settled(row)
            if not row.comparison.holds:
                yield f"“{row.title}”, see above"


def _stream(scenes: Sequence[Scene], provider: FakeProvider, server: MetricsServer, view: View) -> Iterator[str]:
    """Part two; yields what was not as promised."""
    faulty = sum(scene.expected is not Outcome.COMPLETED for scene in scenes)
    view.heading(f"Six kinds of stream over HTTP from {provider.base_url}, {len(scenes)} at once, {faulty} with faults")
    records: list[StreamRecord] = []
    with Tally(exporters=[server.exporter, records.append]) as tally:
        played = endtoend.play_all(scenes, provider, tally, view)
    view.lines(endtoend.summary(records))
    yield from (f"“{one.scene.name}” is not the record of what was played" for one in played if not one.is_as_promised)
    if sorted(record.request_id for record in records) != sorted(one.record.request_id for one in played):
        yield "a stream has no record, or more than one"
    if not provider.wait_closed_early(1 + sum(scene.leaves_after is not None for scene in scenes)):  # one left in part one
        yield "the provider still plays to a reader who has left"
    samples = scrape(server.url)
    _show(samples, server, view)
    if not _agree(samples, records):
        yield "the metrics do not agree with the records"


def _show(samples: Sequence[Sample], server: MetricsServer, view: View) -> None:
    view.heading(f"From a scrape of {server.url}: {len(samples)} samples, among them")
    for name, labels in _SHOWN:
        found = next((one for one in samples if one.name == name and labels.items() <= one.labels.items()), None)
        view.lines(found.showing(*labels) if found else f"{name}: not there")


def _agree(samples: Sequence[Sample], records: Sequence[StreamRecord]) -> bool:
    usd = sum(float(record.cost.usd or 0) for record in records)
    return total(samples, _STREAMS) == len(records) and isclose(total(samples, _COST), usd)


def _report(broken: Sequence[str], view: View) -> bool:
    """Print what was not as promised; return True if there was nothing."""
    for what in broken:
        view.lines(f"not as promised: {what}", style="bold red")
    return not broken


def _serve(server: MetricsServer, view: View) -> None:
    view.lines("", f"The metrics stay at {server.url} until Ctrl-C.")
    try:
        Event().wait()
    except KeyboardInterrupt:
        view.lines("")
