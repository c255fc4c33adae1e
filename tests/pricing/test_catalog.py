import gzip
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from streamtally.errors import CatalogError
from streamtally.pricing import UNITS, ModelCatalog, snapshot
from streamtally.records import Usage
from tests.waiting import run_python

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
CACHED = {"input_tokens": 10_000, "cache_read_tokens": 8_000, "output_tokens": 1_000, "reasoning_tokens": 600}


@pytest.fixture(scope="module")
def bundled() -> ModelCatalog:
    """The catalog that ships with the package."""
    return ModelCatalog.bundled()


@pytest.mark.parametrize(
    ("model", "usage", "options", "expected"),
    [
        ("gpt-4o", {"input_tokens": 1000, "output_tokens": 500}, {}, "0.0075"),
        ("gpt-4o", CACHED, {}, "0.025"),
        ("gpt-4o-mini", CACHED, {}, "0.0015"),
        ("gpt-5", CACHED, {}, "0.0135"),
        ("gpt-5-mini", CACHED, {}, "0.0027"),
        ("gpt-5", CACHED, {"tier": "flex"}, "0.00675"),
        ("gpt-5", CACHED, {"tier": "priority"}, "0.027"),
        ("gpt-5.4", {"input_tokens": 272_000, "output_tokens": 1000}, {}, "0.695"),
        ("gpt-5.4", {"input_tokens": 272_001, "output_tokens": 1000}, {}, "1.382505"),
        ("gpt-5.6-sol", {"input_tokens": 10_000, "cache_write_tokens": 8_000, "output_tokens": 100}, {}, "0.05"),
        ("gpt-5.4-pro", CACHED, {}, "0.48"),
        (
            "claude-opus-4-5",
            {"input_tokens": 159_223, "cache_write_tokens": 159_217, "output_tokens": 2_745},
            {},
            "1.06376125",
        ),
        (
            "claude-opus-4-5",
            {"input_tokens": 10_000, "cache_write_tokens": 8_000, "cache_write_1h_tokens": 5_000, "cache_read_tokens": 1_000},
            {},
            "0.07425",
        ),
        ("claude-haiku-4-5", {"input_tokens": 1000, "output_tokens": 100, "searches": 2}, {}, "0.0215"),
        ("gemini-2.5-pro", {"input_tokens": 200_000, "output_tokens": 1000}, {}, "0.26"),
        ("gemini-2.5-pro", {"input_tokens": 200_001, "output_tokens": 1000}, {}, "0.5150025"),
        ("gemini-2.5-pro", {"input_tokens": 0, "searches": 3}, {}, "0.035"),
        ("gemini-3.1-pro-preview", {"input_tokens": 0, "searches": 3}, {}, "0.042"),
        ("gemini-2.5-flash", {"input_tokens": 1000, "audio_input_tokens": 400, "output_tokens": 10}, {}, "0.000605"),
        ("grok-4.5", {"input_tokens": 199_999}, {}, "0.399998"),
        ("grok-4.5", {"input_tokens": 200_000}, {}, "0.8"),
        ("gpt-4o-transcribe", {"input_tokens": 1000, "audio_input_tokens": 990, "output_tokens": 100}, {}, "0.0035"),
        ("gpt-4o-mini-transcribe", {"input_tokens": 1000, "audio_input_tokens": 990, "output_tokens": 100}, {}, "0.00175"),
        ("gpt-4o-transcribe", {"seconds": 60}, {}, "0.006"),
        ("whisper-1", {"seconds": 61.5}, {}, "0.00615"),
        ("whisper-large-v3", {"seconds": 3}, {"provider": "groq"}, "0.000308333333333"),
        (
            "gpt-4o-audio-preview",
            {"input_tokens": 1000, "audio_input_tokens": 900, "output_tokens": 500, "audio_output_tokens": 400},
            {},
            "0.06925",
        ),
        ("gpt-4o-mini-tts", {"input_tokens": 100, "output_tokens": 1000}, {}, "0.01206"),
        ("tts-1", {"characters": 1000}, {}, "0.015"),
        ("tts-1-hd", {"characters": 1000}, {}, "0.03"),
        ("gpt-image-1", {"input_tokens": 100, "image_input_tokens": 60, "output_tokens": 4160, "images": 1}, {}, "0.1672"),
        ("gpt-image-1.5", {"input_tokens": 50, "output_tokens": 1000, "images": 1}, {}, "0.03225"),
        ("gpt-image-1", {"images": 2, "image_quality": "high", "image_size": "1024x1536"}, {}, "0.5"),
        ("dall-e-3", {"images": 1}, {}, "0.04"),
        ("dall-e-3", {"images": 1, "image_quality": "hd", "image_size": "1792x1024"}, {}, "0.12"),
        ("gpt-4o-mini-search-preview", {"input_tokens": 1000, "cache_read_tokens": 500, "searches": 1}, {}, "0.02515"),
        ("deepseek-v4-pro", {"input_tokens": 1_000_000}, {"at": datetime(2026, 11, 2, 2, tzinfo=UTC)}, "1.32"),
        ("deepseek-v4-pro", {"input_tokens": 1_000_000}, {"at": datetime(2026, 11, 2, 5, tzinfo=UTC)}, "0.66"),
        ("deepseek-v4-pro", {"input_tokens": 1_000_000}, {"at": datetime(2026, 11, 1, 2, tzinfo=UTC)}, "0.66"),
        ("deepseek-v4-pro", {"input_tokens": 1_000_000}, {"at": datetime(2026, 8, 1, 2, tzinfo=UTC)}, "0.435"),
        ("us-gov.anthropic.claude-haiku-5-5-v1:0", {"input_tokens": 1000}, {"provider": "aws"}, "0.00012"),
        ("o3", {"input_tokens": 1000}, {"at": datetime(2025, 6, 9, tzinfo=UTC)}, "0.01"),
        ("o3", {"input_tokens": 1000}, {"at": datetime(2025, 6, 10, tzinfo=UTC)}, "0.002"),
        ("omni-moderation-latest", {"input_tokens": 1000}, {}, "0"),
    ],
)
def test_real_price(bundled: ModelCatalog, model: str, usage: dict[str, Any], options: dict[str, Any], expected: str) -> None:
    """The bundled catalog gives the published prices."""
    cost = bundled.price(model, Usage(**usage), **{"at": NOW, **options})
    assert cost.usd == Decimal(expected)
    assert (cost.status, cost.complete, cost.catalog_revision) == ("priced", True, bundled.revision)
    assert sum(line.usd for line in cost.breakdown) == cost.usd


def test_an_image_of_unknown_size_has_no_price(bundled: ModelCatalog) -> None:
    """Only the listed combinations of size and quality have a price."""
    cost = bundled.price("dall-e-3", Usage(images=1, image_size="640x480"))
    assert (cost.usd, cost.status, cost.unpriced) == (None, "missing_rate", ("images",))


@pytest.mark.parametrize(
    ("host", "provider"),
    [
        ("api.openai.com", "openai"),
        ("API.OpenAI.com.", "openai"),
        ("eu.api.openai.com", "openai"),
        ("https://api.openai.com/v1/chat/completions", "openai"),
        ("https://key@api.openai.com:443/v1", "openai"),
        ("api.anthropic.com:443", "anthropic"),
        ("generativelanguage.googleapis.com", "google"),
        ("us-central1-aiplatform.googleapis.com", "google"),
        ("storage.googleapis.com", None),
        ("my-resource.openai.azure.com", "azure"),
        ("my-hub.services.ai.azure.com", "azure"),
        ("bedrock-runtime.us-east-1.amazonaws.com", "aws"),
        ("s3.us-east-1.amazonaws.com", None),
        ("api.groq.com", "groq"),
        ("openrouter.ai", "openrouter"),
        ("api.deepseek.com", "deepseek"),
        ("api.x.ai", "x-ai"),
        ("api.mistral.ai", "mistral"),
        ("api.together.xyz", "together"),
        ("api.fireworks.ai", "fireworks"),
        ("api.cohere.com", "cohere"),
        ("api.cerebras.ai", "cerebras"),
        ("api.perplexity.ai", "perplexity"),
        ("localhost:11434", None),
        ("api.openai.com.evil.example", None),
        ("evil-api.openai.com.example", None),
        ("", None),
        (None, None),
    ],
)
def test_provider_for_host(bundled: ModelCatalog, host: str | None, provider: str | None) -> None:
    """An API host belongs to one provider; a similar host belongs to none."""
    assert bundled.provider_for_host(host) == provider


def test_override_wins_and_leaves_the_old_catalog(bundled: ModelCatalog) -> None:
    """Overrides win unit by unit in a new catalog with another revision; the old catalog stays."""
    usage = Usage(input_tokens=1000, output_tokens=1000)
    mine = bundled.override("gpt-4o", {"input": Decimal(1)}, provider="openai")
    cost = mine.price("gpt-4o-2024-08-06", usage, provider="openai")
    assert (cost.usd, cost.match_rule) == (Decimal("0.011"), "user: alias")
    assert mine.price("gpt-4o", usage, provider="openai", tier="priority", at=NOW).usd == Decimal("0.018")
    assert bundled.price("gpt-4o", usage, provider="openai").usd == Decimal("0.0125")
    assert mine.revision.startswith(bundled.revision + "+user.")
    assert mine.override("gpt-4o", {"input": 2}, provider="openai").price("gpt-4o", usage, provider="openai").usd == Decimal(
        "0.012"
    )


@pytest.mark.parametrize("provider", [None, "openai", "nobody"])
def test_override_of_an_unknown_model(bundled: ModelCatalog, provider: str | None) -> None:
    """An override without a provider applies at every provider."""
    mine = bundled.override("My-Model", {"input": 0.1, "output": "2", "cache_read": 0})
    cost = mine.price("my-model", Usage(input_tokens=1000, cache_read_tokens=1000, output_tokens=1000), provider=provider)
    assert (cost.usd, cost.complete, cost.match_rule) == (Decimal("0.002"), True, "user: exact")
    assert mine.has_model("MY-model")
    assert not bundled.has_model("my-model")


def test_override_at_one_provider_holds_there_only(bundled: ModelCatalog) -> None:
    """An override for a provider wins there; elsewhere the general override applies."""
    mine = bundled.override("m", {"input": "1", "output": "1"}).override("m", {"input": "2"}, provider="acme")
    usage = Usage(input_tokens=1000, output_tokens=1000)
    assert mine.price("m", usage, provider="Acme").usd == Decimal("0.003")
    assert mine.price("m", usage, provider="openai").usd == Decimal("0.002")


@pytest.mark.parametrize("rates", [{"inputs": "1"}, {"input": "-1"}, {"input": "nan"}, {"input": "dear"}])
def test_override_rejects_invalid_rates(bundled: ModelCatalog, rates: dict[str, str]) -> None:
    """An unknown unit or an invalid rate raises at once."""
    with pytest.raises(CatalogError):
        bundled.override("m", rates)


def test_has_model_and_iteration(bundled: ModelCatalog) -> None:
    """A catalog can be counted, listed and searched for a model."""
    models = list(bundled)
    assert len(models) == len(bundled) == len(set(models)) > 2000
    assert ("openai", "gpt-4o") in models
    assert all(bundled.has_model(name) for name in ("gpt-4o", "gpt-4o-2024-08-06", "llama-3.3-70b-versatile", "openai/gpt-4o"))
    assert not any(bundled.has_model(name) for name in ("gpt-4x", "", None))
    assert "2026" in repr(bundled)


def _content() -> dict[str, Any]:
    models = {"m": {"rows": [{"rates": {"input": "1"}}]}}
    return {"schema": 1, "generated_at": "2026-01-01", "sources": [], "providers": {"p": {"models": models}}}


@pytest.mark.parametrize("packed", [True, False])
def test_from_file(tmp_path: Path, packed: bool) -> None:
    """A catalog loads from gzip or plain JSON; a file without a revision gets one."""
    content = _content()
    path = tmp_path / "prices"
    path.write_bytes(snapshot.pack(content) if packed else json.dumps(content).encode())
    catalog = ModelCatalog.from_file(path)
    assert catalog.price("m", Usage(input_tokens=1_000_000), provider="p").usd == 1
    assert catalog.revision == snapshot.revision_of(content)


@pytest.mark.parametrize(
    "change",
    [
        {"schema": 2},
        {"revision": "0" * 64},
        {"providers": {"p": {"models": {"m": {"rows": [{"rates": {"tokens": "1"}}]}}}}},
        {"providers": {"p": {"models": {"m": {"rows": [{"rates": {"input": "1"}, "from": "soon"}]}}}}},
        {"providers": {"p": {"models": {"m": {"rows": [{"rates": {"input": "1"}, "above": {"input": 1, "op": "<"}}]}}}}},
        {"providers": {"p": {"models": {"m": {"rows": [{"rates": {}, "window": {"hours": ["25:00", "26:00"]}}]}}}}},
        {"providers": {"p": {"models": {"m": {"rows": [], "minimum": {"minutes": 1}}}}}},
        {"providers": {"p": {"models": {"m": {"rows": [], "maximum": {"searches": 1}}}}}},
        {"providers": {"p": {"models": {"m": {"rows": [], "undivided": "input"}}}}},
        {"providers": {"p": {"models": {"m": {"rows": [{}]}}}}},
        {"providers": {"p": {"models": {"m": []}}}},
        {"providers": {"p": {}}},
        {"providers": None},
    ],
)
def test_from_file_rejects_a_wrong_catalog(tmp_path: Path, change: dict[str, Any]) -> None:
    """A catalog with an invalid price or revision is rejected on loading."""
    path = tmp_path / "prices.json"
    path.write_text(json.dumps({**_content(), **change}))
    with pytest.raises(CatalogError):
        ModelCatalog.from_file(path)


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"\x1f\x8b", gzip.compress(b"{}", mtime=0)[:-3], gzip.compress(b"\xff", mtime=0)]
)
def test_from_file_rejects_other_files(tmp_path: Path, data: bytes) -> None:
    """Damaged and missing files are rejected."""
    path = tmp_path / "prices.json.gz"
    path.write_bytes(data)
    with pytest.raises(CatalogError):
        ModelCatalog.from_file(path)
    with pytest.raises(CatalogError, match="cannot read"):
        ModelCatalog.from_file(tmp_path / "absent")


def test_import_discipline() -> None:
    """Importing the package loads no catalog; importing the catalog module reads no file and loads no network module."""
    program = (
        "import sys, streamtally; assert not any(name.startswith('streamtally.pricing') for name in sys.modules)\n"
        "before = set(sys.modules)\n"
        "from streamtally.pricing import catalog\n"
        "assert catalog._bundled.cache_info().currsize == 0\n"
        "loaded = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "assert not loaded & {'socket', 'ssl', 'http', 'httpx', 'genai_prices', 'logging', 'asyncio'}, loaded\n"
    )
    run_python("-c", program, check=True)


def test_parents_come_before_their_units() -> None:
    """`UNITS` lists parents before their children, which the calculation relies on."""
    names = list(UNITS)
    assert all(names.index(parent) < names.index(name) for name, unit in UNITS.items() for parent in unit.parents)
