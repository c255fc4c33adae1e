from decimal import Decimal
from typing import Any

import pytest

from streamtally.records import Usage

from .lists import catalog, price, row

CLAUDE = {"input": "3", "output": "15", "cache_read": "0.3", "cache_write": "3.75", "cache_write_1h": "6"}


@pytest.mark.parametrize(
    ("rates", "usage", "expected", "lines"),
    [
        (
            {"input": "1", "cache_write": "2", "cache_write_12h": "8"},
            {"input_tokens": 100, "cache_write_tokens": 50, "cache_write_12h_tokens": 30},
            "0.00033",
            {"input": 50, "cache_write": 20, "cache_write_12h": 30},
        ),
        ({"input": "1"}, {"input_tokens": 100, "cache_write_12h_tokens": 30}, "0.0001", {"input": 100}),
        (
            {"input": "1", "input_audio": "10", "cache_read": "0.1"},
            {"input_tokens": 100, "cache_read_tokens": 50, "cache_read_audio_tokens": 20, "audio_input_tokens": 30},
            "0.000343",
            {"input": 40, "cache_read": 30, "input_audio": 30},
        ),
        (
            {"input": "1", "cache_write": "2", "input_audio": "10", "cache_audio_write": "12"},
            {"input_tokens": 100, "cache_write_tokens": 50, "cache_write_audio_tokens": 20, "audio_input_tokens": 30},
            "0.00044",
            {"input": 40, "cache_write": 30, "input_audio": 10, "cache_audio_write": 20},
        ),
        (
            {"input": "1", "input_video": "3", "output": "5", "output_video": "9"},
            {"input_tokens": 100, "video_input_tokens": 60, "output_tokens": 50, "video_output_tokens": 50},
            "0.00067",
            {"input": 40, "input_video": 60, "output_video": 50},
        ),
        (
            {"output": "8", "citations": "2"},
            {"output_tokens": 10, "citation_tokens": 10},
            "0.0001",
            {"output": 10, "citations": 10},
        ),
        (
            {"pages": "2", "annotated_pages": "3"},
            {"pages": 10, "annotated_pages": 4},
            "0.024",
            {"pages": 6, "annotated_pages": 4},
        ),
        ({"pages": "2", "annotated_pages": "3"}, {"annotated_pages": 4}, "0.012", {"annotated_pages": 4}),
        ({"pages": "2"}, {"pages": 10, "annotated_pages": 4}, "0.02", {"pages": 10}),
        ({"video_seconds": "0.4"}, {"video_seconds": 8}, "3.2", {"video_seconds": 8}),
        ({"images": "0.02", "megapixels": "0.03"}, {"images": 1, "megapixels": 1.5}, "0.045", {"megapixels": Decimal("1.5")}),
        ({"images": "0.01", "input_images": "0.05"}, {"images": 3, "input_images": 2}, "0.13", {"images": 3, "input_images": 2}),
        (
            {"input": "1", "input_images": "1"},
            {"input_tokens": 9, "image_input_tokens": 5, "input_images": 1},
            "0.000009",
            {"input": 9},
        ),
        ({"grounded_queries": "14"}, {"grounded_queries": 3, "grounded_prompts": 1}, "0.042", {"grounded_queries": 3}),
        ({"grounded_prompts": "35"}, {"grounded_queries": 3, "grounded_prompts": 1}, "0.035", {"grounded_prompts": 1}),
        ({"grounded_prompts": "35"}, {"searches": 3}, "0.035", {"grounded_prompts": 1}),
        ({"web_searches": "10"}, {"grounded_queries": 3}, "0.03", {"web_searches": 3}),
        ({"maps_queries": "25", "file_searches": "2.5"}, {"maps_queries": 1, "file_searches": 2}, "0.03", None),
        ({"code_sessions": "0.03"}, {"code_sessions": 2}, "0.06", {"code_sessions": 2}),
        ({"search_units": "2"}, {"search_units": 1, "input_tokens": 900}, "0.002", {"search_units": 1}),
        ({"input": "1"}, {"search_units": 1, "input_tokens": 900}, "0.0009", {"input": 900}),
    ],
)
def test_every_unit(rates: dict[str, str], usage: dict[str, Any], expected: str, lines: dict[str, Any] | None) -> None:
    """Each unit has the expected cost and lines; nothing is charged twice or missed."""
    cost = price(catalog(row(rates)), Usage(**usage))
    assert (cost.usd, cost.status, cost.unpriced, cost.inconsistent) == (Decimal(expected), "priced", (), False)
    assert lines is None or {line.unit: line.count for line in cost.breakdown} == lines


@pytest.mark.parametrize(
    ("usage", "unpriced"),
    [
        ({"input_tokens": 1, "citation_tokens": 5}, ("citations",)),
        ({"input_tokens": 1, "video_seconds": 5}, ("video_seconds",)),
        ({"input_tokens": 1, "pages": 5}, ("pages",)),
        ({"input_tokens": 1, "grounded_queries": 2}, ("grounded_queries",)),
        (
            {"input_tokens": 1, "file_searches": 1, "code_sessions": 1, "maps_queries": 1},
            ("maps_queries", "file_searches", "code_sessions"),
        ),
        ({"input_tokens": 1, "images": 1}, ("images",)),
    ],
)
def test_units_without_a_rate_are_listed(usage: dict[str, Any], unpriced: tuple[str, ...]) -> None:
    """Units without a rate are listed in `unpriced`, and the rest is charged."""
    cost = price(catalog(row({"input": "1"})), Usage(**usage))
    assert (cost.usd, cost.status, cost.unpriced) == (Decimal("0.000001"), "unpriced_unit", unpriced)


@pytest.mark.parametrize(
    ("usage", "inconsistent"),
    [
        ({"input_tokens": 100, "cache_read_tokens": 60, "cache_write_tokens": 40}, False),
        ({"input_tokens": 100, "cache_read_tokens": 61, "cache_write_tokens": 40}, True),
        ({"output_tokens": 100, "reasoning_tokens": 101}, True),
        ({"input_tokens": 100, "output_tokens": 20, "total_tokens": 120}, False),
        ({"input_tokens": 100, "output_tokens": 20, "total_tokens": 119}, False),
        ({"input_tokens": 100, "output_tokens": 20, "total_tokens": 121}, True),
        ({"input_tokens": 100, "output_tokens": 20, "citation_tokens": 5, "total_tokens": 125}, False),
        ({"input_tokens": 100, "total_tokens": 120}, True),
        ({"input_tokens": 100, "reasoning_tokens": 20, "total_tokens": 120}, False),
        ({"input_tokens": -1}, True),
        ({"input_tokens": 5, "cache_read_tokens": -1}, True),
        ({"cache_write_tokens": 5, "cache_write_1h_tokens": 6}, True),
        ({"cache_write_1h_tokens": 6}, False),
        ({"input_tokens": 9, "audio_input_tokens": 3, "cache_read_audio_tokens": 4, "cache_read_tokens": 4}, True),
        ({"pages": 3, "annotated_pages": 4}, True),
        ({"seconds": -1.0}, True),
        ({"seconds": float("nan")}, True),
        ({"images": -1}, True),
    ],
)
def test_inconsistent_counts_are_flagged(usage: dict[str, Any], inconsistent: bool) -> None:
    """Parts that exceed their whole are cut; for these, and for a total that exceeds its parts, the cost is not complete."""
    rates = {**CLAUDE, "pages": "1", "seconds": "1", "images": "1"}
    cost = price(catalog(row(rates)), Usage(**usage))
    assert cost.inconsistent is inconsistent
    assert cost.complete is (cost.status == "priced" and not inconsistent)
    assert cost.usd is not None
    assert cost.usd >= 0


def test_gemini_audio_with_an_implicit_cache_hit() -> None:
    """A modality missing from the cache breakdown counts as zero, not as an inconsistency."""
    prices = catalog(row({"input": "0.3", "input_audio": "1", "cache_read": "0.03", "output": "2.5"}))
    usage = Usage(input_tokens=10_000, audio_input_tokens=4_000, cache_read_tokens=5_000, output_tokens=100)
    cost = price(prices, usage)
    assert (cost.usd, cost.inconsistent) == (Decimal("0.0047"), False)


@pytest.mark.parametrize("how", ["override", "call"])
def test_user_rates_give_the_cost_of_equal_catalog_rates(how: str) -> None:
    """Equal rates give equal costs, from the catalog or from the user."""
    usage = Usage(
        input_tokens=10_000, cache_read_tokens=6_000, cache_write_tokens=3_000, cache_write_1h_tokens=500, output_tokens=100
    )
    listed = price(catalog(row(CLAUDE)), usage)
    empty = catalog(row({"input": "99", "output": "99"}))
    own = price(empty.override("m", CLAUDE), usage) if how == "override" else price(empty, usage, rates=CLAUDE)
    assert own.usd == listed.usd == Decimal("0.018675")
    assert own.breakdown == listed.breakdown
