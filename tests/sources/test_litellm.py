"""What LiteLLM's objects state outside of their fields: the provider, and whether a cost is its own estimate."""

from types import SimpleNamespace
from typing import Any

import pytest

from streamtally.sources import origin_of
from streamtally.sources.litellm import SOURCE, with_estimate

COUNTS = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}
MARKED = {**COUNTS, "cost": 0.25, "cost_stated_by": "gateway"}


def item(**hidden: Any) -> Any:
    """An object with these hidden parameters."""
    return SimpleNamespace(_hidden_params=hidden)


@pytest.mark.parametrize(
    ("hidden", "usage", "expected"),
    [
        ({"upstream_usage_cost": None}, {**COUNTS, "cost": 0.25}, MARKED),
        ({"response_cost": 0.25}, COUNTS, MARKED),
        ({"response_cost": 0.25, "upstream_usage_cost": None}, {**COUNTS, "cost": None}, MARKED),
        ({"response_cost": 0.25, "upstream_usage_cost": 0.25}, {**COUNTS, "cost": 0.25}, {**COUNTS, "cost": 0.25}),
        ({"response_cost": None}, {**COUNTS, "cost": 0.25}, {**COUNTS, "cost": 0.25}),
        ({}, COUNTS, COUNTS),
        ({"response_cost": "unknown"}, COUNTS, COUNTS),
    ],
)
def test_an_estimate_is_marked(hidden: dict[str, Any], usage: dict[str, Any], expected: dict[str, Any]) -> None:
    """Of chunks, and of the response inside an event; what the provider stated stays."""
    assert with_estimate(item(**hidden), {"usage": usage}) == {"usage": expected}
    event = SimpleNamespace(response=item(**hidden))
    assert with_estimate(event, {"response": {"usage": usage}}) == {"response": {"usage": expected}}


@pytest.mark.parametrize("fields", [{}, {"usage": None}, {"usage": 3}, {"response": {}}, {"response": None}])
def test_items_without_usage_stay(fields: dict[str, Any]) -> None:
    """Whatever they are."""
    assert with_estimate(item(response_cost=1.0), fields) == fields
    assert with_estimate(object(), fields) == fields


def test_the_provider() -> None:
    """A stream's log wins over its attribute, which has the client that it is read with."""
    log = SimpleNamespace(model_call_details={"custom_llm_provider": "perplexity"})
    assert SOURCE.stated_provider(SimpleNamespace(custom_llm_provider="openai", logging_obj=log)) == "perplexity"
    assert SOURCE.stated_provider(SimpleNamespace(custom_llm_provider="groq", logging_obj=None)) == "groq"
    assert SOURCE.stated_provider(item(custom_llm_provider="groq")) == "groq"
    assert SOURCE.stated_provider(object()) is None


@pytest.mark.parametrize("name", SOURCE.rows)
def test_every_kind_of_item_is_asked(name: str) -> None:
    """Classes by their name, with no reader but the dialect, so that text takes the short way."""
    kind = type(name, (), {"__module__": "litellm.types.utils"})
    origin = origin_of(kind())
    assert origin.amend is with_estimate
    assert (origin.reads_fields, origin.dialect) == (True, None)
