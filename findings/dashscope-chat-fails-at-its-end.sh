#!/usr/bin/env bash
# dashscope 2.0.2: the OpenAI-compatible Completions.create(stream=True) ends each stream with an AttributeError.
# Expected: "data: [DONE]" ends a stream of the OpenAI format, that of DashScope's compatible mode too.
# Observed: the client parses it as JSON, and the handler of that error reads `e.message`, which a JSONDecodeError has not.
# Why it matters: every complete stream raises after its last chunk, in the caller's loop.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip -qq install --no-compile --disable-pip-version-check dashscope==2.0.2
"$work/venv/bin/python" - <<'PYTHON'
import importlib.metadata
import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import dashscope
from dashscope.aigc.chat_completion import Completions


def body(end):
    for content, finish in (("one", None), (" two", None), ("", "stop")):
        choice = {"index": 0, "delta": {"content": content}, "finish_reason": finish}
        chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
        yield f"data: {json.dumps(chunk)}\n\n"
    yield end


class Answer(BaseHTTPRequestHandler):
    end = ""

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self.wfile.write("".join(body(self.end)).encode())

    def log_message(self, *arguments):
        pass


server = HTTPServer(("127.0.0.1", 0), Answer)
Thread(target=server.serve_forever, daemon=True).start()
dashscope.base_compatible_api_url = f"http://127.0.0.1:{server.server_port}"

print("dashscope", importlib.metadata.version("dashscope"))
for end, expected in (("", None), ("data: [DONE]\n\n", "'JSONDecodeError' object has no attribute 'message'")):
    Answer.end = end
    words, raised = [], None
    try:
        for chunk in Completions.create(model="m", messages=[{"role": "user", "content": "Hi"}], stream=True, api_key="none"):
            words.append(chunk.choices[0].delta["content"])
    except AttributeError as error:
        raised = str(error)
    print(f"    ends with {end!r}: {''.join(words)!r}, then {raised}")
    assert (words, raised) == (["one", " two", ""], expected)
PYTHON
