"""Where and in which tier a request was served, as far as its price depends on it: the response's word, else the request's.

Pure: a function of the record and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..json_readers import mapping_of, name_of
from ..records import StreamRecord
from .match import region_of

_HOSTS = (
    re.compile(r"bedrock[a-z-]*\.([a-z]{2}-[a-z-]+-\d)\."),
    re.compile(r"([a-z]+-[a-z]+\d+)-aiplatform\.googleapis\.com"),
    re.compile(r"aiplatform\.([a-z]+)\.rep\.googleapis\.com"),
    re.compile(r"([a-z]{2})\.api\.openai\.com"),
)
"""Hosts that belong to a region: Bedrock's, Vertex AI's, OpenAI's for data residency."""

_MAY_NAME_ONE = re.compile("[./:]")
"""Few names have room for a region, and the others need not be taken apart."""

_WORLDWIDE = "aiplatform.googleapis.com"
_NOWHERE = "not_available"
"""What Anthropic says of the place where a model has no choice of one."""

SHARED_FORMATS = ("openai.", "anthropic.")
"""How the names of dialects begin that many servers speak: of these, the format does not tell who served the request."""


def provider(record: StreamRecord) -> str | None:
    """The provider that a format tells, which no other one speaks; a host that is known tells better."""
    return None if record.dialect.startswith(SHARED_FORMATS) else record.provider


def tier(record: StreamRecord) -> str | None:
    """The service tier that was served.

    What the response says wins over what was asked for, but for a batch: its results do not say that they are one. Anthropic's
    fast mode is a tier here, as prices have it.
    """
    asked = record.params.get("service_tier", record.params.get("serviceTier"))
    wanted = name_of(mapping_of(asked).get("type")) if isinstance(asked, Mapping) else name_of(asked)
    if wanted is not None and wanted.casefold() == "batch":
        return wanted
    if _report(record).get("speed") == "fast":
        return "fast"
    return record.service_tier or wanted


def region(record: StreamRecord) -> str | None:
    """Where it was served, as prices or clouds name it: the caller's word, the response's, that of a name, or the host's."""
    if "region" in record.params:
        return name_of(record.params["region"])
    place = _report(record).get("inference_geo") or record.params.get("inference_geo")
    if place and place != _NOWHERE:
        return name_of(place)
    named = (region_of(name) for name in (record.requested_model, record.model) if name and _MAY_NAME_ONE.search(name))
    return next(filter(None, named), None) or _of_host(record.server_address)


def _of_host(host: str | None) -> str | None:
    if host is None:
        return None
    if host == _WORLDWIDE:
        return "global"
    return next((found[1] for pattern in _HOSTS if (found := pattern.match(host))), None)


def _report(record: StreamRecord) -> Mapping[str, Any]:
    return {} if record.usage is None else record.usage.raw
