#!/usr/bin/env bash
# ollama 0.6.3 and huggingface_hub 2.4.0: a chunk whose text has U+2028 (line separator) or U+0085 (next line) raises
# JSONDecodeError.
# Expected: RFC 8259 (section 7) lets both characters stand in a string as they are. JSON lines end with a line feed,
# and SSE lines with CR, LF or CRLF only (HTML standard, section 9.2.5).
# Observed: both SDKs read with `iter_lines` of their HTTP library, which splits where str.splitlines does, and so cut
# the JSON in two. The JSON writer of pydantic, which many Python servers use, does not escape either. The openai SDK
# reads the same body.
# Why it matters: a stream fails because of one character of its content, after its tokens were generated.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip -qq install --no-compile --disable-pip-version-check \
    ollama==0.6.3 \
    httpx==0.28.1 \
    huggingface_hub==2.4.0 \
    httpx2==2.16.2 \
    openai==3.57.0
"$work/venv/bin/python" - <<'PYTHON'
import importlib.metadata
import json

import httpx
import httpx2
import huggingface_hub
import ollama
import openai

MESSAGES = [{"role": "user", "content": "Hi"}]


def outcome(read, text):
    try:
        return "".join(read(text))
    except json.JSONDecodeError:
        return "JSONDecodeError"


def read_ollama(text):
    line = {"model": "m", "created_at": "2026-01-01T00:00:00Z", "message": {"role": "assistant", "content": text}, "done": True}
    body = json.dumps(line, ensure_ascii=False) + "\n"
    transport = httpx.MockTransport(lambda _: httpx.Response(200, text=body))
    client = ollama.Client(host="http://localhost", transport=transport)
    return [each.message.content for each in client.chat(model="m", messages=MESSAGES, stream=True)]


def openai_transport(text):
    choice = {"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
    body = f"data: {json.dumps(chunk, ensure_ascii=False)}\n\ndata: [DONE]\n\n"
    headers = {"content-type": "text/event-stream; charset=utf-8"}
    return httpx2.MockTransport(lambda _: httpx2.Response(200, headers=headers, text=body))


def read_huggingface(text):
    huggingface_hub.set_client_factory(lambda: httpx2.Client(transport=openai_transport(text)))
    client = huggingface_hub.InferenceClient(base_url="http://localhost/v1", api_key="none")
    return [each.choices[0].delta.content for each in client.chat.completions.create(messages=MESSAGES, stream=True)]


def read_openai(text):
    http_client = httpx2.Client(transport=openai_transport(text))
    client = openai.OpenAI(api_key="none", base_url="http://localhost/v1", http_client=http_client)
    chunks = client.chat.completions.create(model="m", messages=MESSAGES, stream=True)
    return [each.choices[0].delta.content for each in chunks]


for name, read in {"ollama": read_ollama, "huggingface_hub": read_huggingface, "openai": read_openai}.items():
    print(name, importlib.metadata.version(name))
    for text in ("one two", "one\u2028two", "one\u0085two"):
        seen = outcome(read, text)
        print(f"    {text!a}: {seen!a}")
        assert seen == (text if name == "openai" or text == "one two" else "JSONDecodeError")
PYTHON
