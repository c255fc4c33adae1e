#!/usr/bin/env bash
# google-genai 3.6.1 and huggingface_hub 2.4.0: a stream cannot be read once the client that made it is out of scope.
# Expected: a stream that a function returns keeps alive what it needs, as the streams of openai 3.57.0 do.
# Observed: the stream does not refer to the client, which closes its connections when it is collected. google-genai
# raises RuntimeError (it sends the request only at the first chunk), huggingface_hub raises StreamClosed of its HTTP
# library.
# Why it matters: code that makes a client, starts a stream and returns it, wrapped or not, fails with an error that
# looks like one of the connection.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip -qq install --no-compile --disable-pip-version-check \
    google-genai==3.6.1 \
    huggingface_hub==2.4.0 \
    openai==3.57.0 \
    httpx2==2.16.2
"$work/venv/bin/python" - <<'PYTHON'
import importlib.metadata
import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import huggingface_hub
import openai
from google import genai

os.environ.pop("GOOGLE_API_KEY", None)
MESSAGES = [{"role": "user", "content": "Hi"}]
choice = {"index": 0, "delta": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}
chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
candidate = {"index": 0, "content": {"role": "model", "parts": [{"text": "Hello"}]}, "finishReason": "STOP"}


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        gemini = "streamGenerateContent" in self.path
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        self.wfile.write(f"data: {json.dumps({'candidates': [candidate]} if gemini else chunk)}\n\n".encode())

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}"


def start_genai():
    client = genai.Client(api_key="none", http_options={"base_url": url})
    return client, client.models.generate_content_stream(model="m", contents="Hi")


def start_huggingface():
    client = huggingface_hub.InferenceClient(base_url=f"{url}/v1", api_key="none")
    return client, client.chat.completions.create(messages=MESSAGES, stream=True)


def start_openai():
    client = openai.OpenAI(api_key="none", base_url=f"{url}/v1", max_retries=0)
    return client, client.chat.completions.create(model="m", messages=MESSAGES, stream=True)


def outcome(start, *, keep):
    client, stream = start()
    if not keep:
        del client
    try:
        return f"{len(list(stream))} chunk"
    except Exception as error:
        return f"{type(error).__name__}: {error}"


expected = {
    "google-genai": "RuntimeError: Cannot send a request, as the client has been closed.",
    "huggingface_hub": "StreamClosed: Attempted to read or stream content, but the stream has been closed.",
    "openai": "1 chunk",
}
for name, start in {"google-genai": start_genai, "huggingface_hub": start_huggingface, "openai": start_openai}.items():
    kept, dropped = outcome(start, keep=True), outcome(start, keep=False)
    print(name, importlib.metadata.version(name))
    print("    client in scope:", kept)
    print("    client out of scope:", dropped)
    assert kept == "1 chunk"
    assert dropped == expected[name]
server.shutdown()
PYTHON
