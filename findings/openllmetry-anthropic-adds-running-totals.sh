#!/usr/bin/env bash
# opentelemetry-instrumentation-anthropic 0.62.4 (OpenLLMetry): a stream's output tokens are too high by those of
# message_start.
# Expected: Anthropic's documentation of streaming states that the counts in message_delta are cumulative. 15 in the
# last message_delta is the number of output tokens, and the SDK's own message has 15.
# Observed: the instrumentation adds it to the count in message_start, which is part of it. The span has 16, and the
# total is wrong too. Reported in https://github.com/traceloop/openllmetry/pull/4377.
# Why it matters: every streamed Anthropic span has too many tokens, and so has the cost calculated from them, without
# an error.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip -qq install --no-compile --disable-pip-version-check \
    anthropic==2.14.0 \
    opentelemetry-instrumentation-anthropic==0.62.4 \
    opentelemetry-sdk==1.45.2
"$work/venv/bin/python" - <<'PYTHON'
import json

import anthropic
import httpx2
from opentelemetry.instrumentation.anthropic import AnthropicInstrumentor
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
AnthropicInstrumentor().instrument(tracer_provider=provider)

client = anthropic.Anthropic(api_key="none", base_url="http://localhost", http_client=httpx2.Client(transport=transport))
with client.messages.stream(model="m", max_tokens=100, messages=[{"role": "user", "content": "Hi"}]) as stream:
    message = stream.get_final_message()
[span] = exporter.get_finished_spans()
recorded = {key: value for key, value in span.attributes.items() if key.startswith("gen_ai.usage.") and value}

print("anthropic", anthropic.__version__)
print("output tokens of the message:", message.usage.output_tokens)
print("span:", recorded)
assert message.usage.output_tokens == 15
assert recorded["gen_ai.usage.output_tokens"] == 16
assert recorded["gen_ai.usage.total_tokens"] == 25 + 16
PYTHON
