"""Every name that leaves the process: attributes, metrics, units, buckets, descriptions.

Names under `gen_ai.`, `openai.`, `server.` and `error.` are those of the OpenTelemetry semantic conventions for generative
AI, version 1.41. What the conventions have no name for is ours and begins with `streamtally.`.
A profile is the set of instruments of one version of the conventions; another version is another entry of `PROFILES`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from ..records import CostStatus, FinishReason, Outcome

SCOPE = "streamtally"
SCHEMA_URL = "https://opentelemetry.io/schemas/1.41.1"

# ------------------------------------------------------------------------------------- attributes of the conventions

OPERATION = "gen_ai.operation.name"
PROVIDER = "gen_ai.provider.name"
CONVERSATION_ID = "gen_ai.conversation.id"
OUTPUT_TYPE = "gen_ai.output.type"
OUTPUT_MESSAGES = "gen_ai.output.messages"
TOKEN_TYPE = "gen_ai.token.type"

REQUEST_MODEL = "gen_ai.request.model"
REQUEST_STREAM = "gen_ai.request.stream"
REQUEST_CHOICE_COUNT = "gen_ai.request.choice.count"
REQUEST_STOP_SEQUENCES = "gen_ai.request.stop_sequences"

RESPONSE_ID = "gen_ai.response.id"
RESPONSE_MODEL = "gen_ai.response.model"
RESPONSE_FINISH_REASONS = "gen_ai.response.finish_reasons"
RESPONSE_TIME_TO_FIRST_CHUNK = "gen_ai.response.time_to_first_chunk"

SERVER_ADDRESS = "server.address"
SERVER_PORT = "server.port"
ERROR_TYPE = "error.type"

OPENAI_API_TYPE = "openai.api.type"
OPENAI_RESPONSE_SERVICE_TIER = "openai.response.service_tier"
OPENAI_RESPONSE_FINGERPRINT = "openai.response.system_fingerprint"

NUMBER_PARAMETERS: Mapping[str, tuple[str, type[int] | type[float]]] = {
    "max_completion_tokens": ("gen_ai.request.max_tokens", int),
    "max_output_tokens": ("gen_ai.request.max_tokens", int),
    "max_tokens": ("gen_ai.request.max_tokens", int),
    "temperature": ("gen_ai.request.temperature", float),
    "top_p": ("gen_ai.request.top_p", float),
    "top_k": ("gen_ai.request.top_k", float),
    "frequency_penalty": ("gen_ai.request.frequency_penalty", float),
    "presence_penalty": ("gen_ai.request.presence_penalty", float),
    "seed": ("gen_ai.request.seed", int),
}
"""Request parameters that are numbers, by the words that providers have for them."""

WORD_PARAMETERS: Mapping[str, tuple[str, frozenset[str]]] = {
    "reasoning_effort": (
        "gen_ai.request.reasoning.level",
        frozenset({"none", "minimal", "low", "medium", "high", "xhigh", "max"}),
    ),
    "service_tier": (
        "openai.request.service_tier",
        frozenset({"auto", "default", "flex", "priority", "scale", "standard_only"}),
    ),
}
"""Request parameters that are words. Only the words listed go out: anything else could be the user's own text."""

USAGE: Mapping[str, str] = {
    "input_tokens": "gen_ai.usage.input_tokens",
    "output_tokens": "gen_ai.usage.output_tokens",
    "cache_read_tokens": "gen_ai.usage.cache_read.input_tokens",
    "cache_write_tokens": "gen_ai.usage.cache_creation.input_tokens",
    "reasoning_tokens": "gen_ai.usage.reasoning.output_tokens",
    "text_input_tokens": "gen_ai.usage.text.input_tokens",
    "text_output_tokens": "gen_ai.usage.text.output_tokens",
    "audio_input_tokens": "gen_ai.usage.audio.input_tokens",
    "audio_output_tokens": "gen_ai.usage.audio.output_tokens",
    "cache_read_audio_tokens": "gen_ai.usage.audio.cache_read.input_tokens",
    "image_input_tokens": "gen_ai.usage.image.input_tokens",
    "image_output_tokens": "gen_ai.usage.image.output_tokens",
    "cache_read_image_tokens": "gen_ai.usage.image.cache_read.input_tokens",
}
"""Fields of `Usage` and the attributes that carry them."""

PROVIDERS: Mapping[str, str] = {
    "aws": "aws.bedrock",
    "azure": "azure.ai.openai",
    "azure_openai": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "gemini": "gcp.gemini",
    "google": "gcp.gemini",
    "mistral": "mistral_ai",
    "mistralai": "mistral_ai",
    "moonshot": "moonshot_ai",
    "moonshotai": "moonshot_ai",
    "vertex": "gcp.vertex_ai",
    "vertex_ai": "gcp.vertex_ai",
    "watsonx": "ibm.watsonx.ai",
    "x-ai": "x_ai",
    "xai": "x_ai",
}
"""Other names of providers to which the conventions gave a name; any other provider keeps its own."""

# --------------------------------------------------------------------------------------------- attributes of our own

REQUEST_ID = "streamtally.request.id"
DIALECT = "streamtally.dialect"
OUTCOME = "streamtally.outcome"
FINISH_REASON = "streamtally.finish_reason"
FAULT = "streamtally.fault"
USAGE_SOURCE = "streamtally.usage.source"
USAGE_PARTIAL = "streamtally.usage.partial"
COST_USD = "streamtally.cost.usd"
COST_STATUS = "streamtally.cost.status"
STARTED_FROM = "streamtally.timing.started_from"
TIME_TO_FIRST_TOKEN = "streamtally.time_to_first_token"
TOKENS_PER_SECOND = "streamtally.tokens_per_second"
CHUNKS = "streamtally.chunks"
MISSING_CHUNKS = "streamtally.chunks.missing"
DUPLICATE_CHUNKS = "streamtally.chunks.duplicate"

BASE_LABELS = (OPERATION, PROVIDER, REQUEST_MODEL, RESPONSE_MODEL, SERVER_ADDRESS, SERVER_PORT)
"""The labels of every metric, as the conventions list them."""

# ------------------------------------------------------------------------------------------------- values of labels

OTHER = "other"
"""What stands for the names beyond a cap."""

OTHER_ERROR = "_OTHER"
"""The conventions' word for an error without a type."""

DIRECTIONS = ("input", "output")
TOKEN_PARTS: Mapping[str, str] = {
    "cache_read_tokens": "cache_read",
    "cache_write_tokens": "cache_write",
    "reasoning_tokens": "reasoning",
}
FAULTS = ("duplicate", "conflict", "missing", "late", "dropped")
FINISH_REASONS: tuple[str, ...] = get_args(FinishReason)
OUTCOMES = tuple(map(str, Outcome))
UNPRICED: tuple[str, ...] = tuple(status for status in get_args(CostStatus) if status != "priced")

# ------------------------------------------------------------------------------------------------------- instruments

SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
"""Buckets of latencies, as the conventions advise."""

TOKENS = tuple(4**power for power in range(14))
"""Buckets of token counts, as the conventions advise: powers of four from 1 to 67,108,864."""

FIRST_TOKEN_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0)
"""Our own: reasoning models may think for minutes, where the conventions' buckets end at 82 seconds."""

RATES = (1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 60.0, 80.0, 100.0, 150.0, 200.0, 400.0, 800.0, 1_600.0, 3_200.0)
"""Our own, in tokens per second: dense where a reader feels the difference, and wide enough for the fastest hardware."""

Kind = Literal["counter", "histogram", "up_down_counter"]
Figure = Literal[
    "duration",
    "time_to_first_chunk",
    "time_per_output_chunk",
    "token_usage",
    "time_to_first_token",
    "tokens_per_second",
    "cost",
    "streams",
    "finish_reasons",
    "token_parts",
    "estimated_tokens",
    "unpriced",
    "chunk_faults",
    "stalls",
    "active_streams",
]
"""What an instrument measures; `measurements` knows how each of them is read from a record."""


@dataclass(frozen=True, slots=True, eq=False)
class Instrument:
    """One metric, for every exporter.

    Args:
        figure: what it measures.
        kind: how values add up.
        name: the OpenTelemetry name.
        unit: in UCUM, the conventions' notation of units.
        description: one sentence.
        labels: attributes beyond `BASE_LABELS`.
        values: all values that each of `labels` takes, where they are known beforehand: such a counter starts at 0.
        buckets: upper bounds of a histogram, in `unit`.
    """

    figure: Figure
    kind: Kind
    name: str
    unit: str
    description: str
    labels: tuple[str, ...] = ()
    values: tuple[tuple[str, ...], ...] | None = ()
    buckets: tuple[float, ...] = ()

    @property
    def prometheus_name(self) -> str:
        """The name that OpenTelemetry's own translation to Prometheus gives, so that one dashboard reads both ways.

        Dots become underscores, the unit is the suffix (annotations in braces are no unit), a counter ends in `_total`.

        >>> PROFILES["1.41"][0].prometheus_name
        'gen_ai_client_operation_duration_seconds'
        """
        suffix = {"s": "_seconds", "USD": "_USD"}.get(self.unit, "")
        return prometheus_label(self.name) + suffix + ("_total" if self.kind == "counter" else "")


def prometheus_label(attribute: str) -> str:
    """The Prometheus label of an attribute: dots and dashes become underscores."""
    return attribute.replace(".", "_").replace("-", "_")


ACTIVE_STREAMS = Instrument(
    "active_streams", "up_down_counter", "streamtally.active_streams", "{stream}", "Streams that are open now."
)
CHUNK_FAULTS = Instrument(
    "chunk_faults",
    "counter",
    "streamtally.chunk_faults",
    "{chunk}",
    "Chunks that were repeated, contradicted another, never came, came after the end, or were not kept.",
    labels=(FAULT,),
    values=(FAULTS,),
)
_OURS = (
    Instrument(
        "time_to_first_token",
        "histogram",
        "streamtally.time_to_first_token",
        "s",
        "Time from the request to the first generated content of any kind.",
        buckets=FIRST_TOKEN_SECONDS,
    ),
    Instrument(
        "tokens_per_second",
        "histogram",
        "streamtally.tokens_per_second",
        "{token}/s",
        "Output tokens per second of one stream, from its first token to its end.",
        buckets=RATES,
    ),
    Instrument("cost", "counter", "streamtally.cost", "USD", "Cost of the streams whose price is known."),
    Instrument(
        "streams",
        "counter",
        "streamtally.streams",
        "{stream}",
        "Streams that ended, by how they ended.",
        labels=(OUTCOME,),
        values=(OUTCOMES,),
    ),
    Instrument(
        "finish_reasons",
        "counter",
        "streamtally.finish_reasons",
        "{choice}",
        "Choices that the provider finished, by its reason in the normalised vocabulary.",
        labels=(FINISH_REASON,),
        values=(FINISH_REASONS,),
    ),
    Instrument(
        "token_parts",
        "counter",
        "streamtally.token_parts",
        "{token}",
        "Tokens within the input (cache_read, cache_write) and within the output (reasoning).",
        labels=(TOKEN_TYPE,),
        values=(tuple(TOKEN_PARTS.values()),),
    ),
    Instrument(
        "estimated_tokens",
        "counter",
        "streamtally.estimated_tokens",
        "{token}",
        "Tokens estimated here, where the provider gave no count.",
        labels=(TOKEN_TYPE,),
        values=(DIRECTIONS,),
    ),
    Instrument(
        "unpriced",
        "counter",
        "streamtally.unpriced_streams",
        "{stream}",
        "Streams whose cost is unknown, or known only in part, by the reason.",
        labels=(COST_STATUS,),
        values=(UNPRICED,),
    ),
    CHUNK_FAULTS,
    Instrument("stalls", "counter", "streamtally.stalls", "{stall}", "Waits for a chunk that were long enough to be a stall."),
    ACTIVE_STREAMS,
)

PROFILES: Mapping[str, tuple[Instrument, ...]] = {
    "1.41": (
        Instrument(
            "duration",
            "histogram",
            "gen_ai.client.operation.duration",
            "s",
            "Time from the request to the end of the stream.",
            labels=(ERROR_TYPE,),
            values=None,
            buckets=SECONDS,
        ),
        Instrument(
            "time_to_first_chunk",
            "histogram",
            "gen_ai.client.operation.time_to_first_chunk",
            "s",
            "Time from the request to the first chunk of any kind.",
            buckets=SECONDS,
        ),
        Instrument(
            "time_per_output_chunk",
            "histogram",
            "gen_ai.client.operation.time_per_output_chunk",
            "s",
            "Mean time per chunk after the first, of one stream.",
            buckets=SECONDS,
        ),
        Instrument(
            "token_usage",
            "histogram",
            "gen_ai.client.token.usage",
            "{token}",
            "Tokens of one stream, as the provider counted them.",
            labels=(TOKEN_TYPE,),
            values=(DIRECTIONS,),
            buckets=TOKENS,
        ),
        *_OURS,
    ),
}
"""The instruments by version of the conventions."""

INSTRUMENTS = PROFILES["1.41"]
