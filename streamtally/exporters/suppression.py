"""How OpenTelemetry instrumentations of one call tell each other to stand back, so that it is measured once."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import context

_INFERENCE = "opentelemetry.genai.client.inference.context"
"""Under this key opentelemetry-util-genai, and with it each opentelemetry-instrumentation-genai-*, finds the call around it."""

_LANGUAGE_MODEL = "suppress_language_model_instrumentation"
"""The key of OpenLLMetry."""

_ALL = (_INFERENCE, _LANGUAGE_MODEL, "suppress_instrumentation", context._SUPPRESS_INSTRUMENTATION_KEY)


@contextmanager
def alone() -> Iterator[None]:
    """Inside the block, other instrumentations leave calls of language models alone.

    What silences all of them (`suppress_instrumentation`) is not set: the spans of the HTTP request are the user's.
    """
    current = context.set_value(_LANGUAGE_MODEL, True)
    believed = getattr(sys.modules.get("opentelemetry.util.genai.invocation"), "InferenceData", None)
    if believed is not None:  # only an object of this class is
        current = context.set_value(_INFERENCE, believed(), current)
    token = context.attach(current)
    try:
        yield
    finally:
        context.detach(token)


def suppressed() -> bool:
    """Whether somebody asked that this call be left alone: another instrumentation that measures it already, or the user."""
    return any(context.get_value(key) for key in _ALL)
