"""The table of metrics is consistent, and agrees with the conventions."""

import re

import pytest

from streamtally.exporters import instruments
from streamtally.exporters.instruments import Instrument
from streamtally.exporters.profiles import PROFILES

STANDARD = {
    "gen_ai.client.operation.duration": ("histogram", "s", instruments.SECONDS, ("error.type",)),
    "gen_ai.client.operation.time_to_first_chunk": ("histogram", "s", instruments.SECONDS, ()),
    "gen_ai.client.operation.time_per_output_chunk": ("histogram", "s", instruments.SECONDS, ()),
    "gen_ai.client.token.usage": ("histogram", "{token}", instruments.TOKENS, ("gen_ai.token.type",)),
}
LATEST = {
    "gen_ai.client.inference.duration": ("histogram", "s", instruments.SECONDS, ("error.type",)),
    "gen_ai.client.inference.time_to_first_chunk": ("histogram", "s", instruments.SECONDS, ()),
    "gen_ai.client.inference.time_per_output_chunk": ("histogram", "s", instruments.SECONDS, ()),
    "gen_ai.client.inference.operation.input_tokens": ("histogram", "{token}", instruments.TOKENS, ("error.type",)),
    "gen_ai.client.inference.operation.output_tokens": ("histogram", "{token}", instruments.TOKENS, ("error.type",)),
    **{
        f"gen_ai.client.inference.usage.{name}": ("counter", "{token}", (), ("gen_ai.token.modality",))
        for name in (
            "input_tokens",
            "output_tokens",
            "cache_read.input_tokens",
            "cache_write.input_tokens",
            "reasoning.output_tokens",
        )
    },
}
"""The metrics of the two versions of the conventions: kind, unit, buckets, and labels beyond those that all have."""


@pytest.mark.parametrize("profile", PROFILES)
def test_names_are_unique_in_both_worlds(profile: str) -> None:
    """No two instruments have the same name; in one version of the conventions no two have the same ID."""
    for attribute in ("name", "prometheus_name", "metric_id"):
        found = [getattr(one, attribute) for one in PROFILES[profile]]
        assert len(set(found)) == len(found) or (attribute, profile) == ("metric_id", "both")


@pytest.mark.parametrize(("profile", "standard"), [("1.41", STANDARD), ("latest", LATEST), ("both", STANDARD | LATEST)])
def test_the_standard_metrics_of_each_version(
    profile: str, standard: dict[str, tuple[str, str, tuple[float, ...], tuple[str, ...]]]
) -> None:
    """By name, kind, unit, buckets and labels; all others have the prefix `streamtally.`, and are the same in each version."""
    found = {one.name: (one.kind, one.unit, one.buckets, one.labels) for one in PROFILES[profile]}
    assert {name: one for name, one in found.items() if name.startswith("gen_ai.")} == standard
    assert _ours(profile) == _ours("1.41")


def test_only_released_names_have_a_schema() -> None:
    """A schema is published for 1.41 only."""
    assert {name: profile.schema_url for name, profile in PROFILES.items()} == {
        "1.41": "https://opentelemetry.io/schemas/1.41.1",
        "latest": None,
        "both": None,
    }


def test_metrics_beyond_the_conventions_have_the_prefix() -> None:
    """Only standard metrics have other names."""
    standard = {
        "gen_ai.client.operation.duration",
        "gen_ai.client.operation.time_to_first_chunk",
        "gen_ai.client.operation.time_per_output_chunk",
        "gen_ai.client.token.usage",
    }
    assert {one.name for one in PROFILES["1.41"] if not one.name.startswith("streamtally.")} == standard


def test_prometheus_names() -> None:
    """Dots become underscores, the unit is a suffix, counters end in total."""
    by_id = {one.metric_id: one.prometheus_name for one in PROFILES["1.41"]}
    assert by_id["duration"] == "gen_ai_client_operation_duration_seconds"
    assert by_id["time_per_output_chunk"] == "gen_ai_client_operation_time_per_output_chunk_seconds"
    assert by_id["token_usage"] == "gen_ai_client_token_usage"
    assert by_id["cost"] == "streamtally_cost_USD_total"
    assert by_id["streams"] == "streamtally_streams_total"
    assert by_id["active_streams"] == "streamtally_active_streams"
    assert by_id["tokens_per_second"] == "streamtally_tokens_per_second"


def test_every_instrument_is_whole() -> None:
    """A unit and a sentence for each; buckets in order, for histograms and for nothing else; values for each label."""
    for one in PROFILES["1.41"]:
        assert one.unit
        assert re.fullmatch(r"[A-Z].*\.", one.description)
        assert bool(one.buckets) == (one.kind == "histogram")
        assert list(one.buckets) == sorted(set(one.buckets))
        assert one.values is None or len(one.values) == len(one.labels)
        assert one.kind != "counter" or one.values is not None or not one.of_streams
        assert one.kind == "counter" or not one.from_zero


def _ours(profile: str) -> list[Instrument]:
    return [one for one in PROFILES[profile] if one.name.startswith("streamtally.")]
