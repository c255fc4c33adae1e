"""Every name that leaves the process: attributes, metrics, units, buckets, descriptions.

Names under `gen_ai.`, `openai.`, `server.` and `error.` are those of the OpenTelemetry semantic conventions for generative
AI: version 1.41.1, the last one inside open-telemetry/semantic-conventions, and "latest", the main branch of
open-telemetry/semantic-conventions-genai as of autumn 2026, which has no release yet. What the conventions have no name for
is ours and begins with `streamtally.`. All that differs between the versions is in `PROFILES`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal, get_args

from ..records import CostStatus, FinishReason, Outcome

SCOPE = "streamtally"
SCHEMA_URL = "https://opentelemetry.io/schemas/1.41.1"

# ------------------------------------------------------------------------------------- attributes of the conventions

OPERATION = "gen_ai.operation.name"
PROVIDER = "gen_ai.provider.name"
CONVERSATION_ID = "gen_ai.conversation.id"
OUTPUT_TYPE = "gen_ai.output.type"
INPUT_MESSAGES = "gen_ai.input.messages"
OUTPUT_MESSAGES = "gen_ai.output.messages"
SYSTEM_INSTRUCTIONS = "gen_ai.system_instructions"
TOOL_DEFINITIONS = "gen_ai.tool.definitions"
TOKEN_TYPE = "gen_ai.token.type"
TOKEN_MODALITY = "gen_ai.token.modality"

REQUEST_MODEL = "gen_ai.request.model"
REQUEST_STREAM = "gen_ai.request.stream"
REQUEST_CHOICE_COUNT = "gen_ai.request.choice.count"
REQUEST_STOP_SEQUENCES = "gen_ai.request.stop_sequences"
REQUEST_REASONING_LEVEL = "gen_ai.request.reasoning.level"
REQUEST_PREVIOUS_RESPONSE_ID = "gen_ai.request.previous_response.id"

RESPONSE_ID = "gen_ai.response.id"
RESPONSE_MODEL = "gen_ai.response.model"
RESPONSE_FINISH_REASONS = "gen_ai.response.finish_reasons"
RESPONSE_TIME_TO_FIRST_CHUNK = "gen_ai.response.time_to_first_chunk"

SERVER_ADDRESS = "server.address"
SERVER_PORT = "server.port"
ERROR_TYPE = "error.type"
EXCEPTION_TYPE = "exception.type"
EXCEPTION_MESSAGE = "exception.message"

DETAILS_EVENT = "gen_ai.client.inference.operation.details"
EXCEPTION_EVENT = "gen_ai.client.operation.exception"

OPENAI_API_TYPE = "openai.api.type"
OPENAI_RESPONSE_SERVICE_TIER = "openai.response.service_tier"
OPENAI_RESPONSE_FINGERPRINT = "openai.response.system_fingerprint"

MAX_TOKENS = "gen_ai.request.max_tokens"
TEMPERATURE = "gen_ai.request.temperature"
TOP_P = "gen_ai.request.top_p"
TOP_K = "gen_ai.request.top_k"
FREQUENCY_PENALTY = "gen_ai.request.frequency_penalty"
PRESENCE_PENALTY = "gen_ai.request.presence_penalty"
SEED = "gen_ai.request.seed"

NUMBER_PARAMETERS: Mapping[str, str] = {
    "max_completion_tokens": MAX_TOKENS,
    "max_output_tokens": MAX_TOKENS,
    "max_tokens": MAX_TOKENS,
    "max_tokens_to_sample": MAX_TOKENS,
    "maxOutputTokens": MAX_TOKENS,
    "maxTokens": MAX_TOKENS,
    "num_predict": MAX_TOKENS,
    "temperature": TEMPERATURE,
    "top_p": TOP_P,
    "topP": TOP_P,
    "p": TOP_P,
    "top_k": TOP_K,
    "topK": TOP_K,
    "k": TOP_K,
    "frequency_penalty": FREQUENCY_PENALTY,
    "frequencyPenalty": FREQUENCY_PENALTY,
    "presence_penalty": PRESENCE_PENALTY,
    "presencePenalty": PRESENCE_PENALTY,
    "seed": SEED,
    "random_seed": SEED,
    "n": REQUEST_CHOICE_COUNT,
    "candidate_count": REQUEST_CHOICE_COUNT,
    "candidateCount": REQUEST_CHOICE_COUNT,
    "num_generations": REQUEST_CHOICE_COUNT,
}
"""Request parameters that are numbers, by the words that providers have for them."""

STOP_PARAMETERS = ("stop", "stop_sequences", "stopSequences")
"""Where requests say at which texts to stop."""

NESTED_PARAMETERS = ("generation_config", "generationConfig", "config", "inferenceConfig", "options")
"""Objects in which Gemini, Bedrock and Ollama take their parameters."""

REASONING_LEVELS = frozenset({"none", "minimal", "low", "medium", "high", "xhigh", "max"})
SERVICE_TIERS = frozenset({"auto", "default", "flex", "priority", "scale", "standard_only"})
"""Of request parameters that are words only the words listed go out: anything else could be the user's own text."""

OPENAI_REQUEST_SERVICE_TIER = "openai.request.service_tier"

_USAGE: Mapping[str, tuple[str, ...]] = {
    "input_tokens": ("gen_ai.usage.input_tokens",),
    "output_tokens": ("gen_ai.usage.output_tokens",),
    "cache_read_tokens": ("gen_ai.usage.cache_read.input_tokens",),
    "cache_write_tokens": ("gen_ai.usage.cache_creation.input_tokens",),
    "reasoning_tokens": ("gen_ai.usage.reasoning.output_tokens",),
    "text_input_tokens": ("gen_ai.usage.text.input_tokens",),
    "text_output_tokens": ("gen_ai.usage.text.output_tokens",),
    "audio_input_tokens": ("gen_ai.usage.audio.input_tokens",),
    "audio_output_tokens": ("gen_ai.usage.audio.output_tokens",),
    "cache_read_audio_tokens": ("gen_ai.usage.audio.cache_read.input_tokens",),
    "image_input_tokens": ("gen_ai.usage.image.input_tokens",),
    "image_output_tokens": ("gen_ai.usage.image.output_tokens",),
    "cache_read_image_tokens": ("gen_ai.usage.image.cache_read.input_tokens",),
}
_CACHE_WRITE = "gen_ai.usage.cache_write.input_tokens"

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
RETRY_OF = "streamtally.retry_of"
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
EXPORTER = "streamtally.exporter"
LABEL = "streamtally.label"

BASE_LABELS = (OPERATION, PROVIDER, REQUEST_MODEL, RESPONSE_MODEL, SERVER_ADDRESS, SERVER_PORT)
"""The labels of every metric, as the conventions list them."""

# ------------------------------------------------------------------------------------------------- values of labels

OTHER = "other"
"""What stands for the names beyond a cap."""

OTHER_ERROR = "_OTHER"
"""The conventions' word for an error without a type."""

DIRECTIONS = ("input", "output")
MODALITIES = ("text", "image", "audio", "unknown")
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

GAP_SECONDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
"""Our own: most providers send the first token with the first chunk or just after it; some think in between."""

RATES = (1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 60.0, 80.0, 100.0, 150.0, 200.0, 400.0, 800.0, 1_600.0, 3_200.0)
"""Our own, in tokens per second: dense where a reader feels the difference, and wide enough for the fastest hardware."""

Kind = Literal["counter", "histogram", "up_down_counter", "gauge"]
Figure = Literal[
    "duration",
    "time_to_first_chunk",
    "time_per_output_chunk",
    "token_usage",
    "input_tokens",
    "output_tokens",
    "input_usage",
    "output_usage",
    "cache_read_usage",
    "cache_write_usage",
    "reasoning_usage",
    "time_to_first_token",
    "first_token_gap",
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
    "exporter_failures",
    "dropped_records",
    "label_overflow",
    "catalog_age",
]
"""What an instrument measures; `measurements` knows how each of them is read from a record, `upkeep` those that no record has."""

EXEMPLIFIED: frozenset[Figure] = frozenset({"duration", "time_to_first_chunk", "time_to_first_token"})
"""Histograms whose buckets lead to a trace: those that say of one stream that it was slow."""


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
        values: all values that each of `labels` takes, where they are known beforehand; None where any may come.
        buckets: upper bounds of a histogram, in `unit`.
        from_zero: whether a counter exists at 0 for each of its `values` as soon as one stream has its shared labels, for
            the sake of alerts and ratios: a rate does not see the first increase of a series that did not exist.
        of_streams: whether it measures streams, and so has `BASE_LABELS`; the others measure the package itself.
    """

    figure: Figure
    kind: Kind
    name: str
    unit: str
    description: str
    labels: tuple[str, ...] = ()
    values: tuple[tuple[str, ...], ...] | None = ()
    buckets: tuple[float, ...] = ()
    from_zero: bool = False
    of_streams: bool = True

    @property
    def prometheus_name(self) -> str:
        """The name that OpenTelemetry's own translation to Prometheus gives, so that one dashboard reads both ways.

        Dots become underscores, the unit is the suffix (annotations in braces are no unit), a counter ends in `_total`.

        >>> PROFILES["1.41"].instruments[0].prometheus_name
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
    from_zero=True,
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
        "first_token_gap",
        "histogram",
        "streamtally.first_token_gap",
        "s",
        "Time from the first chunk of any kind to the first generated content.",
        buckets=GAP_SECONDS,
    ),
    Instrument(
        "tokens_per_second",
        "histogram",
        "streamtally.tokens_per_second",
        "{token}/s",
        "Output tokens per second of one stream, from its first token to its end.",
        buckets=RATES,
    ),
    Instrument("cost", "counter", "streamtally.cost", "USD", "Cost of the streams whose price is known.", from_zero=True),
    Instrument(
        "streams",
        "counter",
        "streamtally.streams",
        "{stream}",
        "Streams that ended, by how they ended.",
        labels=(OUTCOME,),
        values=(OUTCOMES,),
        from_zero=True,
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
        from_zero=True,
    ),
    CHUNK_FAULTS,
    Instrument(
        "stalls",
        "counter",
        "streamtally.stalls",
        "{stall}",
        "Waits for a chunk that were long enough to be a stall.",
        from_zero=True,
    ),
    ACTIVE_STREAMS,
    Instrument(
        "exporter_failures",
        "counter",
        "streamtally.exporter.failures",
        "{failure}",
        "Times that an exporter raised, by the exporter.",
        labels=(EXPORTER,),
        values=None,
        of_streams=False,
    ),
    Instrument(
        "dropped_records",
        "counter",
        "streamtally.dropped_records",
        "{record}",
        "Records that an exporter did not get, because its queue was full or closed.",
        of_streams=False,
    ),
    Instrument(
        "label_overflow",
        "counter",
        "streamtally.label_overflow",
        "{value}",
        "Values of a label that were told as another, because there were too many, by the label.",
        labels=(LABEL,),
        values=None,
        of_streams=False,
    ),
    Instrument(
        "catalog_age",
        "gauge",
        "streamtally.catalog.age",
        "s",
        "Age of the source data of the price catalog.",
        of_streams=False,
    ),
)

_OLD = (
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
        "Time that the provider took for a chunk after the first.",
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
)


def _tokens_of(figure: Figure, name: str, what: str) -> Instrument:
    return Instrument(
        figure,
        "histogram",
        f"gen_ai.client.inference.operation.{name}",
        "{token}",
        f"{what} tokens of one stream; 0 where the provider gave no count.",
        labels=(ERROR_TYPE,),
        values=None,
        buckets=TOKENS,
    )


def _usage_of(figure: Figure, name: str, what: str) -> Instrument:
    return Instrument(
        figure,
        "counter",
        f"gen_ai.client.inference.usage.{name}",
        "{token}",
        f"{what}, as the provider counted them.",
        labels=(TOKEN_MODALITY,),
        values=(MODALITIES,),
    )


_NEW = (
    replace(_OLD[0], name="gen_ai.client.inference.duration"),
    replace(_OLD[1], name="gen_ai.client.inference.time_to_first_chunk"),
    replace(_OLD[2], name="gen_ai.client.inference.time_per_output_chunk"),
    _tokens_of("input_tokens", "input_tokens", "Input"),
    _tokens_of("output_tokens", "output_tokens", "Output"),
    _usage_of("input_usage", "input_tokens", "Input tokens, cached ones included"),
    _usage_of("output_usage", "output_tokens", "Output tokens, reasoning included"),
    _usage_of("cache_read_usage", "cache_read.input_tokens", "Input tokens read from the provider's cache"),
    _usage_of("cache_write_usage", "cache_write.input_tokens", "Input tokens written to the provider's cache"),
    _usage_of("reasoning_usage", "reasoning.output_tokens", "Output tokens spent on reasoning"),
)

Semconv = Literal["1.41", "latest", "both"]
"""Versions of the conventions. "both" is for the time of a change: each standard figure goes out under both names."""


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """All that depends on the version of the conventions. Iterates over its instruments.

    Args:
        instruments: the metrics.
        schema_url: of the scope; None where no released schema describes the names.
        usage: fields of `Usage`, and the span attributes that carry each.
        whole_numbers: request parameters that are integers; all others are doubles.
        message_finish_reason: whether each output message states its finish reason.
    """

    instruments: tuple[Instrument, ...]
    schema_url: str | None
    usage: Mapping[str, tuple[str, ...]]
    whole_numbers: frozenset[str]
    message_finish_reason: bool

    def __iter__(self) -> Iterator[Instrument]:
        return iter(self.instruments)


_WHOLE = frozenset({MAX_TOKENS, SEED, REQUEST_CHOICE_COUNT})

PROFILES: Mapping[str, Profile] = {
    "1.41": Profile((*_OLD, *_OURS), SCHEMA_URL, _USAGE, _WHOLE, message_finish_reason=True),
    "latest": Profile(
        (*_NEW, *_OURS),
        None,
        {**_USAGE, "cache_write_tokens": (_CACHE_WRITE,)},
        _WHOLE | {TOP_K},
        message_finish_reason=False,
    ),
    "both": Profile(
        (*_OLD, *_NEW, *_OURS),
        None,
        {**_USAGE, "cache_write_tokens": (*_USAGE["cache_write_tokens"], _CACHE_WRITE)},
        _WHOLE,
        message_finish_reason=True,
    ),
}
"""What goes out, by version of the conventions."""

INSTRUMENTS = PROFILES["1.41"].instruments
