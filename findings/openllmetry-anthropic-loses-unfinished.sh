#!/usr/bin/env bash
# opentelemetry-instrumentation-anthropic 0.62.4 (OpenLLMetry): an unfinished stream, and any in a `with` block, leaves
# no span.
# Expected: the OpenTelemetry conventions for GenAI client spans want a span for each call, with `error.type` when it
# failed. A stream that the caller leaves is a call too, and so is one that ends with an error event (Anthropic
# documents `overloaded_error`).
# Observed: the span ends only after the last event. It is never exported when the caller stops early, nor when the SDK
# raises the error that the stream carries. `with stream as events` gives the stream without the instrumentation, so it
# is not even exported after the end.
# Why it matters: failed and cancelled calls are missing from traces and from error rates.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip -qq install --no-compile --disable-pip-version-check \
    anthropic==2.14.0 \
    opentelemetry-instrumentation-anthropic==0.62.4 \
    opentelemetry-sdk==1.45.2
"$work/venv/bin/python" - <<'PYTHON'
import contextlib
import gc
import json

import anthropic
import httpx2
from opentelemetry.instrumentation.anthropic import AnthropicInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

start = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": [], "stop_reason": None}
begin = [
    {"type": "message_start", "message": {**start, "stop_sequence": None, "usage": {"input_tokens": 25, "output_tokens": 1}}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hello"}},
]
end = [
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": {"output_tokens": 15}},
    {"type": "message_stop"},
]
failure = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}

exporter = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
AnthropicInstrumentor().instrument(tracer_provider=provider)


def spans_of_one_call(sent, *, stop_after=None, in_with_block=False):
    exporter.clear()
    body = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in sent)
    headers = {"content-type": "text/event-stream"}
    transport = httpx2.MockTransport(lambda _: httpx2.Response(200, headers=headers, text=body))
    client = anthropic.Anthropic(api_key="none", base_url="http://localhost", http_client=httpx2.Client(transport=transport))
    messages = [{"role": "user", "content": "Hi"}]
    raised = None
    try:
        stream = client.messages.create(model="m", max_tokens=100, messages=messages, stream=True)
        with stream if in_with_block else contextlib.nullcontext(stream) as events:
            for count, _ in enumerate(events, start=1):
                if count == stop_after:
                    break
    except anthropic.APIStatusError as error:
        raised = type(error).__name__
    del stream, events, client
    gc.collect()
    provider.force_flush()
    return raised, [span.name for span in exporter.get_finished_spans()]


results = {
    "read to its end": spans_of_one_call([*begin, *end]),
    "read to its end in a with block": spans_of_one_call([*begin, *end], in_with_block=True),
    "left after 3 events": spans_of_one_call([*begin, *end], stop_after=3),
    "error event": spans_of_one_call([*begin, failure]),
}
print("anthropic", anthropic.__version__)
for name, (raised, spans) in results.items():
    print(f"{name}: raised {raised}, spans {spans}")
assert results == {
    "read to its end": (None, ["anthropic.chat"]),
    "read to its end in a with block": (None, []),
    "left after 3 events": (None, []),
    "error event": ("APIStatusError", []),
}
PYTHON
