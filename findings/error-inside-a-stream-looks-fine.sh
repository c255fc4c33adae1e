#!/usr/bin/env bash
# opentelemetry-instrumentation-openai 0.62.4 (OpenLLMetry) and langfuse 5.0.4: an error inside a stream is not recorded
# as one.
# Expected: the openai SDK raises APIError for an `error` object inside a stream with HTTP status 200. The OpenTelemetry
# conventions for GenAI spans require `error.type` when an operation ended with an error, and Langfuse has the level
# ERROR for it.
# Observed: OpenLLMetry gives the span the status OK, no error.type and no exception. Langfuse leaves status and level
# unset. Both record the same error correctly when it comes as an HTTP status before the stream.
# Why it matters: providers report overload inside the stream once its headers are sent, so error rates of streamed
# calls are too low.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip -qq install --no-compile --disable-pip-version-check \
    openai==3.57.0 \
    opentelemetry-instrumentation-openai==0.62.4 \
    langfuse==5.0.4 \
    opentelemetry-sdk==1.45.2
"$work/venv/bin/python" - <<'PYTHON'
import importlib.metadata
import json
import os
import subprocess
import sys

PROGRAM = '''
import json, sys
import httpx2
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

peer, place = sys.argv[1:]
exporter, provider = InMemorySpanExporter(), TracerProvider()
if peer == "langfuse":
    from langfuse import Langfuse
    keys = {"public_key": "pk", "secret_key": "sk", "host": "http://127.0.0.1:9"}
    Langfuse(**keys, tracer_provider=provider, span_exporter=exporter)
    from langfuse.openai import openai
else:
    import openai
    from opentelemetry.instrumentation.openai import OpenAIInstrumentor
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    OpenAIInstrumentor().instrument(tracer_provider=provider)

error = {"error": {"message": "Overloaded", "type": "overloaded", "code": "overloaded"}}
choice = {"index": 0, "delta": {"role": "assistant", "content": "Hel"}, "finish_reason": None}
chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
if place == "inside":
    body = "".join(f"data: {json.dumps(each)}\\n\\n" for each in (chunk, error))
    answer = httpx2.Response(200, headers={"content-type": "text/event-stream"}, text=body)
else:
    answer = httpx2.Response(503, json=error)
http_client = httpx2.Client(transport=httpx2.MockTransport(lambda _: answer))
client = openai.OpenAI(api_key="none", base_url="http://localhost/v1", max_retries=0, http_client=http_client)
raised = None
try:
    list(client.chat.completions.create(model="m", messages=[{"role": "user", "content": "Hi"}], stream=True))
except openai.APIError as caught:
    raised = type(caught).__name__
provider.force_flush()
[span] = exporter.get_finished_spans()
exceptions = sum(event.name == "exception" for event in span.events)
found = {"raised": raised, "status": span.status.status_code.name, "exceptions": exceptions}
found["error.type"] = span.attributes.get("error.type")
found["level"] = span.attributes.get("langfuse.observation.level")
print(json.dumps(found))
'''


def run(peer, place):
    environment = {**os.environ, "LANGFUSE_TRACING_ENABLED": "true"}
    command = [sys.executable, "-c", PROGRAM, peer, place]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
    return json.loads(done.stdout.splitlines()[-1])


for name in ("openai", "opentelemetry-instrumentation-openai", "langfuse"):
    print(name, importlib.metadata.version(name))
results = {(peer, place): run(peer, place) for peer in ("openllmetry", "langfuse") for place in ("before", "inside")}
for (peer, place), found in results.items():
    print(f"{peer}, error {place} the stream: {found}")
assert results["openllmetry", "before"]["status"] == "ERROR"
assert results["langfuse", "before"]["level"] == "ERROR"
nothing = {"raised": "APIError", "exceptions": 0, "error.type": None, "level": None}
assert results["openllmetry", "inside"] == {**nothing, "status": "OK"}
assert results["langfuse", "inside"] == {**nothing, "status": "UNSET"}
PYTHON
