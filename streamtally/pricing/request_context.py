"""The context of a request that its price depends on: provider, service tier and region.

The response's values win over the request's. Pure functions of the record.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..dialects import Adjust, Served, as_read, known_dialect
from ..dialects.stated_costs import GATEWAY, STATED_BY
from ..json_readers import mapping_of, name_of
from ..records import StreamRecord, Usage
from .match import region_of

_HOSTS = (
    re.compile(r"bedrock[a-z-]*\.([a-z]{2}-[a-z-]+-\d)\."),
    re.compile(r"([a-z]+-[a-z]+\d+)-aiplatform\.googleapis\.com"),
    re.compile(r"aiplatform\.([a-z]+)\.rep\.googleapis\.com"),
    re.compile(r"([a-z]{2})\.api\.openai\.com"),
)
"""Hosts of one region: Bedrock's, Vertex AI's, OpenAI's for data residency."""

_REGION_SEPARATOR = re.compile("[./:]")
"""A model name without one of these cannot state a region."""

_GLOBAL_HOST = "aiplatform.googleapis.com"


_BILLERS = frozenset({"openrouter", "vercel", "perplexity", "x-ai", "deepinfra"})
"""Providers and gateways that bill the cost that they state, by the catalog's names."""


def usage_of(usage: Usage | None, dialect: str, model: str | None, provider: str | None) -> Usage | None:
    """The usage as the provider means it: its counts, and whether it bills the cost that it states.

    Args:
        usage: the usage as its dialect reads it without knowing the provider.
        dialect: the name of the dialect.
        model: the model that answered.
        provider: the catalog's name of the provider, which the host may have told.
    """
    if usage is None or provider is None:
        return usage
    changed = _as_meant(usage, known_dialect(dialect).adjust, model, provider)
    if provider in _BILLERS and usage.cost_stated_by == GATEWAY and usage.raw.get(STATED_BY) != GATEWAY:
        changed = {**changed, STATED_BY: "provider"}
    return usage.model_copy(update=changed) if changed else usage


def _as_meant(usage: Usage, adjust: Adjust, model: str | None, provider: str) -> dict[str, Any]:
    """The counts that mean something else at a provider."""
    if adjust is as_read:
        return {}
    stated = {name: getattr(usage, name) for name in usage.model_fields_set - {"raw", "source", "partial"}}
    return {name: count for name, count in adjust(stated, usage.raw, model, provider).items() if count != stated.get(name)}


def tier(record: StreamRecord) -> str | None:
    """The service tier that was served, or None.

    The response's tier wins over the requested one, except for "batch": batch results do not report it.
    """
    param = record.params.get("service_tier", record.params.get("serviceTier"))
    requested = name_of(mapping_of(param).get("type")) if isinstance(param, Mapping) else name_of(param)
    if requested is not None and requested.casefold() == "batch":
        return requested
    return _served(record).tier or record.service_tier or requested


def region(record: StreamRecord) -> str | None:
    """The region that served the request, in the catalog's or the cloud's terms, or None.

    The first that is stated: the `region` parameter, the response, the model names, the host.
    """
    if "region" in record.params:
        return name_of(record.params["region"])
    reported = _served(record).region
    if geography := name_of(record.params.get("inference_geo")) if reported is None else reported:
        return geography
    models = (record.requested_model, record.model)
    regions = (region_of(name) for name in models if name and _REGION_SEPARATOR.search(name))
    return next(filter(None, regions), None) or _region_of_host(record.server_address)


def _region_of_host(host: str | None) -> str | None:
    if host is None:
        return None
    if host == _GLOBAL_HOST:
        return "global"
    return next((match[1] for pattern in _HOSTS if (match := pattern.match(host))), None)


def _served(record: StreamRecord) -> Served:
    return Served() if record.usage is None else known_dialect(record.dialect).charges.served(record.usage.raw)
