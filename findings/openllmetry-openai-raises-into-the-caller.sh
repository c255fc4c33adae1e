#!/usr/bin/env bash
# opentelemetry-instrumentation-openai 0.62.4 (OpenLLMetry): reading a valid stream raises IndexError in the caller's
# own loop.
# Expected: the OpenTelemetry specification (Error handling) does not allow instrumentation to throw exceptions into the
# application.
# Observed: the instrumentation files choices and tool calls by their `index`, and adds one place at a time. It raises
# when choice 1 has the first chunk of a request with n=2, and when tool calls are numbered from 1, as a gateway does
# that keeps the number of an upstream's content block
# (https://github.com/aws-samples/bedrock-access-gateway/issues/134). The program without instrumentation reads both.
# Why it matters: switching on telemetry ends streams that worked, and the span has the status OK.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip -qq install --no-compile --disable-pip-version-check \
    openai==3.57.0 \
    opentelemetry-instrumentation-openai==0.62.4 \
    opentelemetry-sdk==1.45.2
"$work/venv/bin/python" - <<'PYTHON'
import json

import httpx2
import openai
from opentelemetry.instrumentation.openai import OpenAIInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter


def chunk(delta, finish_reason=None, index=0):
    choice = {"index": index, "delta": delta, "finish_reason": finish_reason}
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}


call = {"index": 1, "id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
streams = {
    "choice 1 first": [chunk({"content": "Two"}, index=1), chunk({"content": "One"}), chunk({}, "stop"), chunk({}, "stop", 1)],
    "tool calls from 1": [chunk({"content": "Let me see."}), chunk({"tool_calls": [call]}), chunk({}, "tool_calls")],
}
exporter = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))


def read(chunks):
    body = "".join(f"data: {json.dumps(each)}\n\n" for each in chunks) + "data: [DONE]\n\n"
    headers = {"content-type": "text/event-stream"}
    transport = httpx2.MockTransport(lambda _: httpx2.Response(200, headers=headers, text=body))
    client = openai.OpenAI(api_key="none", base_url="http://localhost/v1", http_client=httpx2.Client(transport=transport))
    count = 0
    try:
        for _ in client.chat.completions.create(model="m", messages=[{"role": "user", "content": "Hi"}], stream=True):
            count += 1
    except IndexError as error:
        return f"{count} chunks, then IndexError: {error}"
    return f"{count} chunks"


print("openai", openai.__version__)
plain = {name: read(chunks) for name, chunks in streams.items()}
print("without instrumentation:", plain)
OpenAIInstrumentor().instrument(tracer_provider=provider)
traced = {name: read(chunks) for name, chunks in streams.items()}
print("with instrumentation:", traced)
statuses = [span.status.status_code.name for span in exporter.get_finished_spans()]
print("status of the spans:", statuses)
assert plain == {"choice 1 first": "4 chunks", "tool calls from 1": "3 chunks"}
assert traced["choice 1 first"] == "0 chunks, then IndexError: list index out of range"
assert traced["tool calls from 1"] == "1 chunks, then IndexError: list index out of range"
assert statuses == ["OK", "OK"]
PYTHON
