#!/usr/bin/env bash
# langfuse 5.0.4: the OpenAI integration joins the texts of all choices of a stream into one output.
# Expected: with n=2 the answer has two independent texts, which their `index` separates (OpenAI's API reference for
# chat completion chunks).
# Observed: the observation's output is one string, in which the pieces of both choices stand in the order of their
# arrival.
# Why it matters: the recorded output is an answer that the model never gave, so evaluations and token estimates on it
# are wrong.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip -qq install --no-compile --disable-pip-version-check \
    langfuse==5.0.4 \
    openai==3.57.0 \
    opentelemetry-sdk==1.45.2
"$work/venv/bin/python" - <<'PYTHON'
import importlib.metadata
import json

import httpx2
from langfuse import Langfuse
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

exporter, provider = InMemorySpanExporter(), TracerProvider()
keys = {"public_key": "pk", "secret_key": "sk", "host": "http://127.0.0.1:9"}
langfuse = Langfuse(**keys, tracer_provider=provider, span_exporter=exporter)

from langfuse.openai import openai  # patches openai, so it comes after the client of langfuse


def chunk(index, text, finish_reason=None):
    choice = {"index": index, "delta": {"role": "assistant", "content": text} if text else {}, "finish_reason": finish_reason}
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}


texts = [chunk(0, "Yes, "), chunk(1, "No, "), chunk(0, "always."), chunk(1, "never.")]
chunks = [*texts, chunk(0, "", "stop"), chunk(1, "", "stop")]
body = "".join(f"data: {json.dumps(each)}\n\n" for each in chunks) + "data: [DONE]\n\n"
headers = {"content-type": "text/event-stream"}
transport = httpx2.MockTransport(lambda _: httpx2.Response(200, headers=headers, text=body))
client = openai.OpenAI(api_key="none", base_url="http://localhost/v1", http_client=httpx2.Client(transport=transport))
list(client.chat.completions.create(model="m", messages=[{"role": "user", "content": "Is it so?"}], n=2, stream=True))
provider.force_flush()
[span] = exporter.get_finished_spans()
output = span.attributes["langfuse.observation.output"]

print("langfuse", importlib.metadata.version("langfuse"))
print("output:", output)
assert output == "Yes, No, always.never."
PYTHON
