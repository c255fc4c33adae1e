"""How OpenTelemetry instrumentations of one call suppress each other, so that it is measured once."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import context

_INFERENCE = "opentelemetry.genai.client.inference.context"
"""The context key of opentelemetry-util-genai, and so of each opentelemetry-instrumentation-genai-*."""

_LANGUAGE_MODEL = "suppress_language_model_instrumentation"
"""The context key of OpenLLMetry."""

_ALL = (_INFERENCE, _LANGUAGE_MODEL, "suppress_instrumentation", context._SUPPRESS_INSTRUMENTATION_KEY)


@contextmanager
def suppress_others() -> Iterator[None]:
    """Suppress other instrumentations of language models inside the block.

    `suppress_instrumentation` is not set, because it would also suppress the spans of the HTTP request.
    """
    current = context.set_value(_LANGUAGE_MODEL, True)
    inference_data = getattr(sys.modules.get("opentelemetry.util.genai.invocation"), "InferenceData", None)
    if inference_data is not None:  # the value must be an instance of this class
        current = context.set_value(_INFERENCE, inference_data(), current)
    token = context.attach(current)
    try:
        yield
    finally:
        context.detach(token)


def is_suppressed() -> bool:
    """Whether the current context suppresses instrumentation: another one measures the call already, or the user asked."""
    return any(context.get_value(key) for key in _ALL)
