#!/usr/bin/env bash
# ibm-watsonx-ai 1.8.1: an error in a stream is dropped, and a cut-off text looks complete, if there is no space after "event:".
# Expected: one space after the colon may be there or not (HTML standard, section 9.2.6, "If value starts with a U+0020 SPACE
# character, remove it from value").
# Observed: the SDK compares the line with "event: error". With "event:error" the data of the event is read as a chunk;
# generate_text_stream skips it, because it has no "generated_text", and ends like a stream without an error.
# Why it matters: a proxy or server that writes events without the space turns failures into short answers.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip -qq install --no-compile --disable-pip-version-check ibm-watsonx-ai==1.8.1
"$work/venv/bin/python" - <<'PYTHON'
import importlib.metadata
import json

import httpx
from ibm_watsonx_ai import APIClient, Credentials
from ibm_watsonx_ai.foundation_models import ModelInference
from ibm_watsonx_ai.wml_client_error import WMLClientError

RESULT = {"generated_text": "one two", "generated_token_count": 2, "input_token_count": 3, "stop_reason": "not_finished"}
CHUNK = {"model_id": "m", "created_at": "2026-01-01T00:00:00Z", "results": [RESULT]}
ERROR = {"errors": [{"code": "overloaded", "message": "out of memory"}]}


def seen(name_of_event):
    body = f"event: message\ndata: {json.dumps(CHUNK)}\n\n{name_of_event}\ndata: {json.dumps(ERROR)}\n\n"
    transport = httpx.MockTransport(lambda _: httpx.Response(200, headers={"content-type": "text/event-stream"}, text=body))
    credentials = Credentials(url="https://us-south.ml.cloud.ibm.com", token="none")
    client = APIClient(credentials, httpx_client=httpx.Client(transport=transport))
    client.default_project_id = "p"
    words = []
    try:
        for text in ModelInference(model_id="m", api_client=client, validate=False).generate_text_stream("Hi"):
            words.append(text)
    except WMLClientError as error:
        return words, type(error).__name__
    return words, None


print("ibm-watsonx-ai", importlib.metadata.version("ibm-watsonx-ai"))
for line, raised in (("event: error", "WMLClientError"), ("event:error", None)):
    found = seen(line)
    print(f"    {line!r}: {found[0]}, then {found[1]}")
    assert found == (["one two"], raised)
PYTHON
