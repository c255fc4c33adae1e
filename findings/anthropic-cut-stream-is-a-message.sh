#!/usr/bin/env bash
# anthropic 2.14.0: a stream that ends before message_delta and message_stop gives a final message, with 1 as its output
# tokens.
# Expected: Anthropic's documentation of streaming has every stream end with message_delta (with the final counts) and
# message_stop, so a stream without them is incomplete, and get_final_message() has no final message to return.
# Observed: get_final_message() returns it. Its stop_reason is None, and its usage.output_tokens is the placeholder of
# message_start. The SDK's own OpenTelemetry span of the same call has the status ERROR, but the caller gets no error.
# Why it matters: a proxy that closes the connection early turns an unknown output into "1 token", and a truncated
# answer into a whole one.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip -qq install --no-compile --disable-pip-version-check anthropic==2.14.0 opentelemetry-sdk==1.45.2
"$work/venv/bin/python" - <<'PYTHON'
import json

import anthropic
import httpx2
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

start = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": [], "stop_reason": None}
events = [
    {"type": "message_start", "message": {**start, "stop_sequence": None, "usage": {"input_tokens": 25, "output_tokens": 1}}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "The answer to all of this is, as "}},
]
body = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events)
headers = {"content-type": "text/event-stream"}
transport = httpx2.MockTransport(lambda _: httpx2.Response(200, headers=headers, text=body))
exporter = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
client = anthropic.Anthropic(
    api_key="none",
    base_url="http://localhost",
    http_client=httpx2.Client(transport=transport),
    open_telemetry={"tracer_provider": provider},
)

with client.messages.stream(model="m", max_tokens=100, messages=[{"role": "user", "content": "Hi"}]) as stream:
    message = stream.get_final_message()
[span] = exporter.get_finished_spans()

print("anthropic", anthropic.__version__)
print("text:", message.content[0].text)
print("stop_reason:", message.stop_reason)
print("output_tokens:", message.usage.output_tokens)
print("status of the SDK's own span:", span.status.status_code.name)
assert message.stop_reason is None
assert message.usage.output_tokens == 1
assert span.status.status_code.name == "ERROR"
PYTHON
