"""DSPy: pieces of the fields for which there are listeners, or else chunks in OpenAI's format; then the prediction.

Source: https://dspy.ai/tutorials/streaming/
"""

from __future__ import annotations

from typing import Any

from ..chunks import Chunk
from ..dialects import openai_chat
from ..json_readers import mapping_of
from ..json_values import json_value
from ..usage_reports import summed_usage
from .base import Row, Source
from .extract import Extract
from .readable import no_content


def _prediction(prediction: Any) -> Chunk:
    """The fields of a prediction, which repeat the answers, and its usage, where that is tracked."""
    by_model = mapping_of(prediction.get_lm_usage())
    fields = json_value(mapping_of(prediction.toDict()))
    model = {"model": next(iter(by_model)).partition("/")[2]} if len(by_model) == 1 else {}
    return Chunk(
        meta={name: value for name, value in model.items() if value},
        extras={"prediction": fields} if fields else {},
        usage=summed_usage(json_value(mapping_of(report)) for report in by_model.values()) or None,
    )


SOURCE = Source(
    "dspy",
    rows={
        "StreamResponse": Row(extract=Extract(text="chunk", cumulative=False)),
        "EngineChunk": Row(openai_chat.DIALECT.name),
        "Prediction": Row(chunk=_prediction),
        "StatusMessage": Row(chunk=no_content),
    },
    is_framework=True,
)
