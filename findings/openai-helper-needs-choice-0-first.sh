#!/usr/bin/env bash
# openai 3.57.0: chat.completions.stream() with n=2 raises IndexError when the first chunk belongs to choice 1.
# Expected: the API reference gives each choice of a chunk an `index`, and promises no order between the choices. A
# server that generates both at once may have the first token of choice 1 earlier.
# Observed: the helper takes `index` as a place in the list of the one chunk that it has, and raises "list assignment
# index out of range" before the first event. The same bytes are fine for create(stream=True).
# Why it matters: whether a request with n > 1 can be read depends on which of its choices is faster.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip -qq install --no-compile --disable-pip-version-check openai==3.57.0
"$work/venv/bin/python" - <<'PYTHON'
import json

import httpx2
import openai


def chunk(index, text, finish_reason=None):
    choice = {"index": index, "delta": {"role": "assistant", "content": text} if text else {}, "finish_reason": finish_reason}
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}


def client_for(chunks):
    body = "".join(f"data: {json.dumps(each)}\n\n" for each in chunks) + "data: [DONE]\n\n"
    headers = {"content-type": "text/event-stream"}
    transport = httpx2.MockTransport(lambda _: httpx2.Response(200, headers=headers, text=body))
    return openai.OpenAI(api_key="none", base_url="http://localhost/v1", http_client=httpx2.Client(transport=transport))


request = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "n": 2}
chunks = [chunk(1, "Two"), chunk(0, "One"), chunk(0, "", "stop"), chunk(1, "", "stop")]
raw = [each.choices[0].delta.content for each in client_for(chunks).chat.completions.create(**request, stream=True)]
try:
    with client_for(chunks).chat.completions.stream(**request) as stream:
        outcome = [choice.message.content for choice in stream.get_final_completion().choices]
except IndexError as error:
    outcome = f"IndexError: {error}"

print("openai", openai.__version__)
print("create(stream=True):", raw)
print("stream():", outcome)
assert raw == ["Two", "One", None, None]
assert outcome == "IndexError: list assignment index out of range"
PYTHON
