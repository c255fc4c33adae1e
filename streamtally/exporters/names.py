"""The names of all attributes, labels and events that leave the process. Names of metrics are in `instruments`.

Names under `gen_ai.`, `openai.`, `server.` and `error.` are those of the OpenTelemetry semantic conventions for generative
AI: version 1.41.1, the last one inside open-telemetry/semantic-conventions, and "latest", the main branch of
open-telemetry/semantic-conventions-genai as of autumn 2026, which has no release yet. Names that the conventions do not define
begin with `streamtally.`. All differences between the versions are in `profiles`.
"""

from __future__ import annotations

from collections.abc import Mapping

SCOPE = "streamtally"
"""The name of the instrumentation scope of all spans, metrics and events."""

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
OPENAI_REQUEST_SERVICE_TIER = "openai.request.service_tier"
OPENAI_RESPONSE_SERVICE_TIER = "openai.response.service_tier"
OPENAI_RESPONSE_FINGERPRINT = "openai.response.system_fingerprint"

MAX_TOKENS = "gen_ai.request.max_tokens"
TEMPERATURE = "gen_ai.request.temperature"
TOP_P = "gen_ai.request.top_p"
TOP_K = "gen_ai.request.top_k"
FREQUENCY_PENALTY = "gen_ai.request.frequency_penalty"
PRESENCE_PENALTY = "gen_ai.request.presence_penalty"
SEED = "gen_ai.request.seed"

USAGE: Mapping[str, tuple[str, ...]] = {
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
"""Span attributes of the fields of `Usage`, in version 1.41."""

CACHE_WRITE_LATEST = "gen_ai.usage.cache_write.input_tokens"
"""What `cache_write_tokens` is called in the latest version."""

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
"""Names that the conventions define for providers, by our names. A provider that is not listed keeps its name."""

OTHER_ERROR = "_OTHER"
"""The conventions' value of `error.type` for an error of unknown type."""

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
