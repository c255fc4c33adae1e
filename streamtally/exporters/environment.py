"""The environment variables of OpenTelemetry's generative AI instrumentations that the exporters follow."""

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


def semconv_of(asked: Semconv | None, environ: Mapping[str, str] | None = None) -> Semconv:
    """The version of the conventions: the argument, else that of `OTEL_SEMCONV_STABILITY_OPT_IN`, else "1.41".

    Raises:
        ValueError: the version is unknown; the message lists the known ones.

    Example:
        >>> semconv_of(None, {"OTEL_SEMCONV_STABILITY_OPT_IN": "http, gen_ai_latest_experimental"})
        'latest'
    """
    if asked is None:
        opted = (os.environ if environ is None else environ).get(STABILITY, "").split(",")
        return "latest" if "gen_ai_latest_experimental" in map(str.strip, opted) else "1.41"
    if asked not in PROFILES:
        raise ValueError(f"semconv must be one of {', '.join(PROFILES)}, not {asked!r}")
    return asked


def capture_of(asked: bool | Capture | None, environ: Mapping[str, str] | None = None) -> Capture:
    """Where content is exported: True means on the span, False nowhere; None reads the standard variable.

    The older values of the variable, true and false, have the same meaning. An invalid value is logged and means nowhere.

    Raises:
        ValueError: `asked` is not one of the values.

    Example:
        >>> capture_of(None, {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "span_and_event"})
        'SPAN_AND_EVENT'
    """
    if isinstance(asked, bool):
        return "SPAN_ONLY" if asked else "NO_CONTENT"
    if asked is not None:
        if (known := _capture(asked)) is None:
            raise ValueError(f"content must be a bool or one of {', '.join(get_args(Capture))}, not {asked!r}")
        return known
    word = (os.environ if environ is None else environ).get(CAPTURE, "")
    if (known := _capture(word)) is None:
        logger.warning("%s is none of %s: no content is captured", CAPTURE, ", ".join(get_args(Capture)))
        return "NO_CONTENT"
    return known


def emits_event(capture: Capture, environ: Mapping[str, str] | None = None) -> bool:
    """Whether the details of each stream are exported as an event: by the variable, else if `capture` includes events."""
    word = (os.environ if environ is None else environ).get(EMIT_EVENT, "").strip().casefold()
    return word == "true" if word in ("true", "false") else capture in ("EVENT_ONLY", "SPAN_AND_EVENT")


def _capture(word: str) -> Capture | None:
    name = word.strip().upper()
    for known in get_args(Capture):
        if name == known:
            return known  # type: ignore[no-any-return]
    return _LEGACY.get(name)
