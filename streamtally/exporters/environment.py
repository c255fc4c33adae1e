"""The environment variables of OpenTelemetry's generative AI instrumentations that the exporters read."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import Literal, get_args

from .profiles import PROFILES, Semconv

STABILITY = "OTEL_SEMCONV_STABILITY_OPT_IN"
CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
EMIT_EVENT = "OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT"

Capture = Literal["NO_CONTENT", "SPAN_ONLY", "EVENT_ONLY", "SPAN_AND_EVENT"]
"""Where generated content is exported."""

_LEGACY: Mapping[str, Capture] = {"TRUE": "SPAN_ONLY", "FALSE": "NO_CONTENT", "": "NO_CONTENT"}

logger = logging.getLogger("streamtally")


def semconv_of(requested: Semconv | None, environ: Mapping[str, str] | None = None) -> Semconv:
    """The version of the conventions: the argument, else that of `OTEL_SEMCONV_STABILITY_OPT_IN`, else "1.41".

    Raises:
        ValueError: the version is unknown; the message lists the known ones.

    Example:
        >>> semconv_of(None, {"OTEL_SEMCONV_STABILITY_OPT_IN": "http, gen_ai_latest_experimental"})
        'latest'
    """
    if requested is None:
        opted = (os.environ if environ is None else environ).get(STABILITY, "").split(",")
        return "latest" if "gen_ai_latest_experimental" in map(str.strip, opted) else "1.41"
    if requested not in PROFILES:
        raise ValueError(f"semconv must be one of {', '.join(PROFILES)}, not {requested!r}")
    return requested


def capture_of(requested: bool | Capture | None, environ: Mapping[str, str] | None = None) -> Capture:
    """Where content is exported: True means on the span, False nowhere; None reads the standard variable.

    The older values of the variable, true and false, have the same meaning. An invalid value is logged and means nowhere.

    Raises:
        ValueError: `requested` is not one of the values.

    Example:
        >>> capture_of(None, {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "span_and_event"})
        'SPAN_AND_EVENT'
    """
    if isinstance(requested, bool):
        return "SPAN_ONLY" if requested else "NO_CONTENT"
    if requested is not None:
        if (known := _capture(requested)) is None:
            raise ValueError(f"content must be a bool or one of {', '.join(get_args(Capture))}, not {requested!r}")
        return known
    value = (os.environ if environ is None else environ).get(CAPTURE, "")
    if (known := _capture(value)) is None:
        logger.warning("%s is none of %s: no content is captured", CAPTURE, ", ".join(get_args(Capture)))
        return "NO_CONTENT"
    return known


def emits_event(capture: Capture, environ: Mapping[str, str] | None = None) -> bool:
    """Whether the details of each stream are exported as an event: by the variable, else if `capture` includes events."""
    value = (os.environ if environ is None else environ).get(EMIT_EVENT, "").strip().casefold()
    return value == "true" if value in ("true", "false") else capture in ("EVENT_ONLY", "SPAN_AND_EVENT")


def _capture(value: str) -> Capture | None:
    name = value.strip().upper()
    for known in get_args(Capture):
        if name == known:
            return known  # type: ignore[no-any-return]
    return _LEGACY.get(name)
