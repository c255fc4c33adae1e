from streamtally.pricing import ModelCatalog
from streamtally.pricing.disputes import Dispute

from .lists import catalog, row


def test_disputes_of_the_bundled_catalog() -> None:
    """Disputes are listed for all models, or for one under any of its names, with all rates and the rule."""
    bundled = ModelCatalog.bundled()
    everything = bundled.disputed()
    assert len(everything) > 20
    assert len({item.provider for item in everything}) > 3
    fee = next(item for item in bundled.disputed("gpt-4.1-2025-04-14", provider="openai") if item.unit == "web_searches")
    assert (fee.model, dict(fee.rates), fee.picked) == ("gpt-4.1", {"genai-prices": "10", "litellm": "25"}, "10")
    assert "page" in fee.rule
    assert bundled.disputed("gpt-4o", provider="openai") == ()
    assert bundled.disputed("no-such-model") == ()


def test_sources_of_a_model() -> None:
    """The sources of a model's prices are listed."""
    bundled = ModelCatalog.bundled()
    assert bundled.sources("gpt-5", provider="openai") == ("genai-prices", "litellm", "own")
    assert bundled.sources("no-such-model") == ()


def test_a_catalog_without_disputes() -> None:
    """A catalog without disputes and sources has empty lists."""
    mine = catalog(row({"input": "1"}))
    assert (mine.disputed(), mine.sources("m", provider="p")) == ((), ())


def test_a_dispute_has_the_conditions_of_its_row() -> None:
    """A dispute carries the conditions of its row."""
    item = {"unit": "input", "when": {"tier": "batch"}, "above": 9, "rates": {"a": "1", "b": "2"}, "picked": "3", "rule": "own"}
    content = {
        "revision": "r",
        "rules": {"own": "ours"},
        "providers": {"p": {"models": {"m": {"rows": [row({"input": "1"})]}}}},
        "disputes": {"p": {"m": [item]}},
    }
    assert ModelCatalog(content).disputed("m", provider="p") == (
        Dispute("p", "m", "input", {"tier": "batch"}, 9, {"a": "1", "b": "2"}, "3", "ours"),
    )
