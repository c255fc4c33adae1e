#!/usr/bin/env bash
# litellm 1.110.2: in a stream with n=2, the second finish reason never reaches the caller.
# Expected: as in the API that it imitates, each choice ends with a finish reason of its own: here "stop" for choice 0,
# and "length" for choice 1, which ran into max_tokens.
# Observed: the chunk with "length" is dropped, though chunks of choice 1 that come after the "stop" of choice 0 pass.
# What stream_chunk_builder() makes of the chunks has "stop" for both choices.
# Why it matters: a truncated answer is counted as a complete one, and the report that it was truncated is gone.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip -qq install --no-compile --disable-pip-version-check litellm==1.110.2
export LITELLM_LOCAL_MODEL_COST_MAP=True # litellm would download its price list otherwise
"$work/venv/bin/python" - <<'PYTHON'
import importlib.metadata
import json

import httpx2
import litellm
import openai

litellm.suppress_debug_info = True


def chunk(choices, **fields):
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": choices, **fields}


def choice(index, text, finish_reason=None):
    return {"index": index, "delta": {"role": "assistant", "content": text} if text else {}, "finish_reason": finish_reason}


chunks = [
    chunk([choice(0, "One")]),
    chunk([choice(1, "Two, and")]),
    chunk([choice(0, "", "stop")]),
    chunk([choice(1, " then")]),
    chunk([choice(1, "", "length")]),
    chunk([], usage={"prompt_tokens": 5, "completion_tokens": 4, "total_tokens": 9}),
]
body = "".join(f"data: {json.dumps(each)}\n\n" for each in chunks) + "data: [DONE]\n\n"
headers = {"content-type": "text/event-stream"}
transport = httpx2.MockTransport(lambda _: httpx2.Response(200, headers=headers, text=body))
client = openai.OpenAI(api_key="none", base_url="http://localhost/v1", http_client=httpx2.Client(transport=transport))
request = {"messages": [{"role": "user", "content": "Hi"}], "n": 2, "stream": True, "stream_options": {"include_usage": True}}


def reasons(stream):
    return {each.index: each.finish_reason for part in stream for each in part.choices if each.finish_reason}


direct = reasons(client.chat.completions.create(model="m", **request))
received = list(litellm.completion(model="openai/m", client=client, api_key="none", **request))
built = litellm.stream_chunk_builder(received)

print("litellm", importlib.metadata.version("litellm"))
print("finish reasons that the openai SDK reads:", direct)
print("finish reasons that litellm passes on:", reasons(received))
print("finish reasons of stream_chunk_builder():", {each.index: each.finish_reason for each in built.choices})
print("texts of stream_chunk_builder():", [each.message.content for each in built.choices])
assert direct == {0: "stop", 1: "length"}
assert reasons(received) == {0: "stop"}
assert {each.index: each.finish_reason for each in built.choices} == {0: "stop", 1: "stop"}
assert [each.message.content for each in built.choices] == ["One", "Two, and then"]
PYTHON
