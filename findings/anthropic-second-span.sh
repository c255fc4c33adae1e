#!/usr/bin/env bash
# anthropic 2.14.0: with a global tracer provider, the SDK makes a span of its own for each call, with the token counts.
# Expected: one span with usage per call once an instrumentation is installed, and none inside
# suppress_instrumentation() of opentelemetry-instrumentation, which is meant to keep calls within it from being traced.
# Observed: the SDK's own span is on unless it is switched off (ANTHROPIC_OPEN_TELEMETRY=false). It comes beside the
# span of openinference-instrumentation-anthropic 3.1.0, as a second LLM span with the same tokens, and it comes inside
# suppress_instrumentation().
# Why it matters: summing tokens over spans counts each call twice, from the day on which the SDK was upgraded.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip -qq install --no-compile --disable-pip-version-check \
    anthropic==2.14.0 \
    openinference-instrumentation-anthropic==3.1.0 \
    opentelemetry-sdk==1.45.2
"$work/venv/bin/python" - <<'PYTHON'
import json

import anthropic
import httpx2
from openinference.instrumentation.anthropic import AnthropicInstrumentor
from opentelemetry import trace
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

start = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": [], "stop_reason": None}
events = [
    {"type": "message_start", "message": {**start, "stop_sequence": None, "usage": {"input_tokens": 25, "output_tokens": 1}}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hello"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": {"output_tokens": 15}},
    {"type": "message_stop"},
]
body = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events)
headers = {"content-type": "text/event-stream"}
transport = httpx2.MockTransport(lambda _: httpx2.Response(200, headers=headers, text=body))
exporter = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(provider)
AnthropicInstrumentor().instrument()
OUTPUT_TOKENS = ("gen_ai.usage.output_tokens", "llm.token_count.completion")


def spans_of_one_call():
    exporter.clear()
    client = anthropic.Anthropic(api_key="none", base_url="http://localhost", http_client=httpx2.Client(transport=transport))
    with client.messages.stream(model="m", max_tokens=100, messages=[{"role": "user", "content": "Hi"}]) as stream:
        stream.get_final_message()
    counts = {}
    for span in exporter.get_finished_spans():
        found = [span.attributes[key] for key in OUTPUT_TOKENS if key in span.attributes]
        counts[span.instrumentation_scope.name] = found
    return counts


print("anthropic", anthropic.__version__)
traced = spans_of_one_call()
print("spans of one call, with their output tokens:", traced)
with suppress_instrumentation():
    suppressed = spans_of_one_call()
print("inside suppress_instrumentation():", suppressed)
assert traced == {"com.anthropic.sdk.python": [15], "openinference.instrumentation.anthropic": [15]}
assert suppressed == {"com.anthropic.sdk.python": [15]}
PYTHON
