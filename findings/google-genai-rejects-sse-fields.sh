#!/usr/bin/env bash
# google-genai 3.6.1: a stream with a comment, an `event`, `id` or `retry` field, or no space after `data:` raises an
# error.
# Expected: the HTML standard (section 9.2.6, "Interpreting an event stream") has a client ignore lines that begin with
# a colon, know the fields event, data, id and retry, and treat the space after the colon as optional.
# Observed: only lines that begin with "data: " are read as events. Every other line is taken for JSON, and the stream
# ends with UnknownApiResponseError. Text that came before is already delivered.
# Why it matters: SSE servers and proxies send comments to keep a connection alive (sse-starlette by itself every 15
# seconds), so a proxy in front of Gemini fails just those streams that have a long pause.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip -qq install --no-compile --disable-pip-version-check google-genai==3.6.1 httpx2==2.16.2
"$work/venv/bin/python" - <<'PYTHON'
import importlib.metadata
import json
import os

import httpx2
from google import genai
from google.genai import errors

os.environ.pop("GOOGLE_API_KEY", None)


def response(text, **fields):
    return json.dumps({"candidates": [{"index": 0, "content": {"role": "model", "parts": [{"text": text}]}, **fields}]})


first, last = response("Hello"), response("!", finishReason="STOP")
bodies = {
    "plain": f"data: {first}\n\ndata: {last}\n\n",
    "comment": f"data: {first}\n\n: keep-alive\n\ndata: {last}\n\n",
    "event": f"event: message\ndata: {first}\n\nevent: message\ndata: {last}\n\n",
    "id": f"id: 1\ndata: {first}\n\nid: 2\ndata: {last}\n\n",
    "retry": f"retry: 3000\n\ndata: {first}\n\ndata: {last}\n\n",
    "no space": f"data:{first}\n\ndata:{last}\n\n",
}


def read(body):
    headers = {"content-type": "text/event-stream"}
    transport = httpx2.MockTransport(lambda _: httpx2.Response(200, headers=headers, text=body))
    options = {"base_url": "http://localhost", "httpx_client": httpx2.Client(transport=transport)}
    client = genai.Client(api_key="none", http_options=options)
    seen = []
    try:
        for each in client.models.generate_content_stream(model="m", contents="Hi"):
            seen.append(each.text)
    except errors.UnknownApiResponseError:
        seen.append("UnknownApiResponseError")
    return seen


print("google-genai", importlib.metadata.version("google-genai"))
results = {name: read(body) for name, body in bodies.items()}
for name, result in results.items():
    print(f"{name}:", result)
failed = "UnknownApiResponseError"
assert results.pop("plain") == ["Hello", "!"]
assert results.pop("comment") == ["Hello", failed]
assert all(result == [failed] for result in results.values())
PYTHON
