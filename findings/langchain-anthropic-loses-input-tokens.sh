#!/usr/bin/env bash
# langchain-anthropic 1.7.10: a stream whose `message_delta` counts the output alone has 0 input tokens.
# Expected: the usage of a message is in `message_start` (input, cache) and is completed by `message_delta`, whose documented
# example has `{"output_tokens": 15}` and nothing else (https://docs.anthropic.com/en/docs/build-with-claude/streaming); the
# SDK's type has all other counts of it as optional.
# Observed: the counts of `message_start` are never read. The chunk of `message_delta` has `input_tokens: 0`, no cache counts,
# and a total of the output alone; the sum of all chunks has the same. The anthropic SDK's own helper reads 18, 7 and 15 of the same bytes.
# Why it matters: the larger part of the bill is 0, which looks like a count and not like a missing one.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip -qq install --no-compile --disable-pip-version-check \
    langchain-anthropic==1.7.10 langchain-core==1.8.3 anthropic==2.14.0
"$work/venv/bin/python" - <<'PYTHON'
import importlib.metadata
import json
import threading
from functools import reduce
from http.server import BaseHTTPRequestHandler, HTTPServer
from operator import add

import anthropic
from langchain_anthropic import ChatAnthropic

START = {"input_tokens": 18, "cache_read_input_tokens": 7, "cache_creation_input_tokens": 0, "output_tokens": 1}
message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5", "content": [], "usage": START}
events = [
    {"type": "message_start", "message": {**message, "stop_reason": None, "stop_sequence": None}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hello"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": {"output_tokens": 15}},
    {"type": "message_stop"},
]
body = "".join(f"event: {each['type']}\ndata: {json.dumps(each)}\n\n" for each in events).encode()


class Server(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = HTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}"

request = {"model": "claude-sonnet-4-5", "max_tokens": 100, "messages": [{"role": "user", "content": "Hi"}]}
with anthropic.Anthropic(api_key="none", base_url=url).messages.stream(**request) as stream:
    direct = stream.get_final_message().usage
model = ChatAnthropic(model="claude-sonnet-4-5", api_key="none", base_url=url, max_tokens=100)
whole = reduce(add, model.stream("Hi"))
server.shutdown()

print("langchain-anthropic", importlib.metadata.version("langchain-anthropic"))
print("the anthropic SDK:", direct.input_tokens, "input,", direct.cache_read_input_tokens, "cached,", direct.output_tokens, "output")
print("LangChain:", whole.usage_metadata)
assert (direct.input_tokens, direct.cache_read_input_tokens, direct.output_tokens) == (18, 7, 15)
assert whole.content == "Hello" or whole.text == "Hello"
assert whole.usage_metadata["input_tokens"] == 0
assert whole.usage_metadata["total_tokens"] == 15
assert "cache_read" not in whole.usage_metadata.get("input_token_details", {})
PYTHON
