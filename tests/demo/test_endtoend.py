from collections.abc import Iterator

import pytest

from streamtally import Outcome, StreamRecord, StreamType, Tally
from streamtally.demo import endtoend
from streamtally.demo.endtoend import Playing
from streamtally.demo.metrics import MetricsServer, scrape, total
from streamtally.demo.streams import end_to_end
from streamtally.demo.view import Bar, PlainView
from streamtally.testing import FakeProvider, RecordingExporter

Played = tuple[dict[str, Playing], list[StreamRecord], FakeProvider]


@pytest.fixture(scope="module")
def played() -> Iterator[Played]:
    """All scenes, played once, with what was exported."""
    exporter = RecordingExporter()
    scenes = end_to_end()
    with FakeProvider({scene.model: scene.played(0.05) for scene in scenes}) as provider:
        with Tally(exporters=[exporter]) as tally:
            made = endtoend.play_all(scenes, provider, tally, PlainView())
        yield {one.scene.name: one for one in made}, exporter.records, provider


def test_every_stream_is_as_promised(played: Played) -> None:
    """Every stream has the expected outcome, and complete ones have the record of a replay."""
    assert [name for name, one in played[0].items() if not one.is_as_promised] == []


def test_all_six_kinds_complete(played: Played) -> None:
    """No kind is left out."""
    completed = {record.stream_type for record in played[1] if record.outcome is Outcome.COMPLETED}
    assert completed == set(StreamType)


def test_each_stream_is_exported_once(played: Played) -> None:
    """Well or badly ended."""
    assert sorted(record.request_id for record in played[1]) == sorted(one.record.request_id for one in played[0].values())


def test_every_whole_stream_is_priced(played: Played) -> None:
    """Every completed stream has a price, and a cut one a lower bound."""
    costs = {name: one.record.cost for name, one in played[0].items()}
    assert all(costs[name].complete for name, one in played[0].items() if one.record.outcome is Outcome.COMPLETED)
    for name in ("chat, cut short", "chat, we leave"):
        assert costs[name].usd
        assert costs[name].status == "partial"


def test_faults_are_told_apart(played: Played) -> None:
    """An error inside, a refusal, a body that ends too early, a reader who leaves."""
    records = {name: one.record for name, one in played[0].items()}
    failing, refused = records["chat, failing"].error, records["chat, refused"].error
    assert failing is not None
    assert refused is not None
    assert (failing.type, failing.status) == ("server_error", None)
    assert (refused.status, refused.retryable) == (429, True)
    assert records["chat, failing"].text
    assert records["chat, cut short"].outcome is Outcome.TRUNCATED
    assert records["chat, we leave"].outcome is Outcome.CANCELLED


def test_the_reader_who_leaves_frees_the_provider(played: Played) -> None:
    """The server sees that the client is gone."""
    assert played[2].wait_closed_early()


def test_the_table_says_what_the_record_does(played: Played) -> None:
    """A row is read off the record."""
    name, model, bar, first, rate, cost, outcome = played[0]["chat, cut short"].cells
    record = played[0]["chat, cut short"].record
    assert isinstance(bar, Bar)
    assert (name, model, bar.count) == ("chat, cut short", "gpt-4-turbo", record.chunk_count)
    assert 0 < bar.share < 1
    assert first == f"{(record.timing.time_to_first_token or 0) * 1000:.0f} ms"
    assert rate == f"{record.timing.tokens_per_second:.1f}"
    assert cost == ("≥ $0.00042", "")
    assert outcome == ("truncated", "yellow")


def test_the_summary_counts_what_was_exported(played: Played) -> None:
    """Endings, and the sum of the known costs."""
    line = endtoend.summary(played[1])
    assert line.startswith("10 records: 6 completed, 1 truncated, 1 cancelled, 2 error; $0.0")
    assert line.endswith(" known, 2 costs unknown")


def test_a_stream_that_ends_otherwise_is_noticed(played: Played) -> None:
    """The demo checks itself."""
    leaving = played[0]["chat, we leave"]
    assert leaving.is_as_promised
    leaving.scene = played[0]["chat"].scene
    try:
        assert not leaving.is_as_promised
    finally:
        leaving.scene = next(scene for scene in end_to_end() if scene.name == "chat, we leave")


def test_a_scrape_agrees_with_the_records(played: Played) -> None:
    """The metrics served over HTTP are those of the exported records."""
    with MetricsServer() as server:
        for record in played[1]:
            server.exporter.export(record)
        samples = scrape(server.url)
    assert total(samples, "streamtally_streams_total") == 10
    assert total(samples, "streamtally_streams_total", streamtally_outcome="completed") == 6
    known = sum(float(record.cost.usd or 0) for record in played[1])
    assert total(samples, "streamtally_cost_USD_total") == pytest.approx(known)
    sample = next(one for one in samples if one.name == "streamtally_cost_USD_total" and one.value > 0)
    assert sample.showing("gen_ai_operation_name").startswith("streamtally_cost_USD_total{gen_ai_operation_name=")
