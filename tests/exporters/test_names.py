"""The table of metrics: consistent in itself, and with the conventions."""

import re

from streamtally.exporters import names


def test_names_are_unique_in_both_worlds() -> None:
    """No two instruments share a name."""
    for attribute in ("name", "prometheus_name", "figure"):
        found = [getattr(one, attribute) for one in names.INSTRUMENTS]
        assert len(set(found)) == len(found)


def test_what_is_not_of_the_conventions_has_our_prefix() -> None:
    """Nothing of ours is named as if it were a standard."""
    standard = {
        "gen_ai.client.operation.duration",
        "gen_ai.client.operation.time_to_first_chunk",
        "gen_ai.client.operation.time_per_output_chunk",
        "gen_ai.client.token.usage",
    }
    assert {one.name for one in names.INSTRUMENTS if not one.name.startswith("streamtally.")} == standard


def test_prometheus_names() -> None:
    """Dots become underscores, the unit is a suffix, counters end in total."""
    by_figure = {one.figure: one.prometheus_name for one in names.INSTRUMENTS}
    assert by_figure["duration"] == "gen_ai_client_operation_duration_seconds"
    assert by_figure["time_per_output_chunk"] == "gen_ai_client_operation_time_per_output_chunk_seconds"
    assert by_figure["token_usage"] == "gen_ai_client_token_usage"
    assert by_figure["cost"] == "streamtally_cost_USD_total"
    assert by_figure["streams"] == "streamtally_streams_total"
    assert by_figure["active_streams"] == "streamtally_active_streams"
    assert by_figure["tokens_per_second"] == "streamtally_tokens_per_second"


def test_every_instrument_is_whole() -> None:
    """A unit and a sentence for each; buckets in order, for histograms and for nothing else; values for each label."""
    for one in names.INSTRUMENTS:
        assert one.unit
        assert re.fullmatch(r"[A-Z].*\.", one.description)
        assert bool(one.buckets) == (one.kind == "histogram")
        assert list(one.buckets) == sorted(set(one.buckets))
        assert one.values is None or len(one.values) == len(one.labels)
        assert one.kind != "counter" or one.values is not None
