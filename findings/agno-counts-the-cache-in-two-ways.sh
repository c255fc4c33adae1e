#!/usr/bin/env bash
# agno 3.1.10: the input and the total of a run include the cached tokens of one provider, and not those of another.
# Expected: `metrics.input_tokens` and `metrics.total_tokens` of a run mean the same for each model, as the same field of the
# same class. Both answers below have an input of 100 tokens, of which 90 were read from a cache, and an output of 5.
# Observed: over OpenAI the run has 100 input tokens and a total of 105. Over Anthropic, whose API counts the cache beside the
# input, it has 10 and 15: the counts are copied, and the total is their sum without the cache.
# Why it matters: the total leaves out 90 of 105 tokens that were processed and billed, and totals of runs cannot be compared
# or added.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip -qq install --no-compile --disable-pip-version-check agno==3.1.10 openai==3.57.0 anthropic==2.14.0
"$work/venv/bin/python" - <<'PYTHON'
import importlib.metadata
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

from agno.agent import Agent, RunCompletedEvent
from agno.models.anthropic import Claude
from agno.models.openai import OpenAIChat

head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o"}
usage = {"prompt_tokens": 100, "completion_tokens": 5, "total_tokens": 105, "prompt_tokens_details": {"cached_tokens": 90}}
CHAT = [
    {**head, "choices": [{"index": 0, "delta": {"role": "assistant", "content": "Hello"}, "finish_reason": None}]},
    {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
    {**head, "choices": [], "usage": usage},
]
counts = {"input_tokens": 10, "cache_read_input_tokens": 90, "cache_creation_input_tokens": 0, "output_tokens": 5}
message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5", "content": [], "usage": counts}
MESSAGES = [
    {"type": "message_start", "message": {**message, "stop_reason": None, "stop_sequence": None}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hello"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": counts},
    {"type": "message_stop"},
]


class Server(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        events = MESSAGES if "messages" in self.path else CHAT
        body = "".join(f"event: {each.get('type', 'message')}\ndata: {json.dumps(each)}\n\n" for each in events).encode()
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


def metrics(model):
    events = Agent(model=model, telemetry=False).run("Hi", stream=True, stream_events=True)
    (end,) = [event for event in events if isinstance(event, RunCompletedEvent)]
    return end.metrics.input_tokens, end.metrics.cache_read_tokens, end.metrics.output_tokens, end.metrics.total_tokens


openai = metrics(OpenAIChat(id="gpt-4o", api_key="none", base_url=f"{url}/v1"))
claude = metrics(Claude(id="claude-sonnet-4-5", api_key="none", client_params={"base_url": url}))
server.shutdown()
print("agno", importlib.metadata.version("agno"))
print("input, cached, output, total of OpenAI's answer:", openai)
print("input, cached, output, total of Anthropic's answer:", claude)
assert openai == (100, 90, 5, 105)
assert claude == (10, 90, 5, 15)
PYTHON
