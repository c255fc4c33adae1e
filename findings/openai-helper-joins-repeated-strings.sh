#!/usr/bin/env bash
# openai 3.57.0: chat.completions.stream() joins a role, a tool call's id and a tool's name that come more than once.
# Expected: the API reference for chat completion chunks gives `role`, `id` and `name` whole, and only `content` and
# `arguments` in pieces. A server that repeats the whole values (Ollama repeats the role:
# https://github.com/ollama/ollama/issues/7626; gateways repeat the id and the name) describes the same message, with
# role "assistant" and one call of "get_weather".
# Observed: the final message has the role "assistantassistantassistant" and a call of "get_weatherget_weather", without
# an error.
# Why it matters: whoever counts tool calls by name, or sends the message back as history, gets a name and a role that
# do not exist.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip -qq install --no-compile --disable-pip-version-check openai==3.57.0
"$work/venv/bin/python" - <<'PYTHON'
import json

import httpx2
import openai


def chunk(delta, finish_reason=None):
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}


def call(arguments):
    function = {"name": "get_weather", "arguments": arguments}
    return {"role": "assistant", "tool_calls": [{"index": 0, "id": "call_1", "type": "function", "function": function}]}


chunks = [chunk(call('{"city"')), chunk(call(': "Oslo"}')), chunk({"role": "assistant"}, "tool_calls")]
body = "".join(f"data: {json.dumps(each)}\n\n" for each in chunks) + "data: [DONE]\n\n"
headers = {"content-type": "text/event-stream"}
transport = httpx2.MockTransport(lambda _: httpx2.Response(200, headers=headers, text=body))
client = openai.OpenAI(api_key="none", base_url="http://localhost/v1", http_client=httpx2.Client(transport=transport))

with client.chat.completions.stream(model="m", messages=[{"role": "user", "content": "Weather?"}]) as stream:
    message = stream.get_final_completion().choices[0].message
tool_call = message.tool_calls[0]

print("openai", openai.__version__)
print("role:", message.role)
print("id:", tool_call.id)
print("name:", tool_call.function.name)
print("arguments:", tool_call.function.arguments)
assert message.role == "assistant" * 3
assert tool_call.id == "call_1" * 2
assert tool_call.function.name == "get_weather" * 2
assert json.loads(tool_call.function.arguments) == {"city": "Oslo"}
PYTHON
