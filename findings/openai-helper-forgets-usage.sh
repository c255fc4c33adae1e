#!/usr/bin/env bash
# openai 3.57.0: chat.completions.stream() forgets the usage when any chunk follows the chunk that has it.
# Expected: a report of usage stays in the final completion. The API reference states that `usage` is null on all chunks
# but one, so null means that a chunk has no report, not that there is none.
# Observed: each chunk overwrites the usage of the snapshot, null included. Servers that report usage beside the finish
# reason and then send one more chunk (an empty one, or one with metadata of their own) lose it, without an error.
# Why it matters: the raw chunks carry the billed tokens, and the object that the same SDK builds from them has None.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip -qq install --no-compile --disable-pip-version-check openai==3.57.0
"$work/venv/bin/python" - <<'PYTHON'
import json

import httpx2
import openai

USAGE = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}


def chunk(choices, usage=None):
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": choices, "usage": usage}


def choice(delta, finish_reason=None):
    return {"index": 0, "delta": delta, "finish_reason": finish_reason}


chunks = [
    chunk([choice({"role": "assistant", "content": "Hello"})]),
    chunk([choice({}, "stop")], USAGE),
    chunk([]),
]
body = "".join(f"data: {json.dumps(each)}\n\n" for each in chunks) + "data: [DONE]\n\n"
headers = {"content-type": "text/event-stream"}
transport = httpx2.MockTransport(lambda _: httpx2.Response(200, headers=headers, text=body))
client = openai.OpenAI(api_key="none", base_url="http://localhost/v1", http_client=httpx2.Client(transport=transport))
request = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "stream_options": {"include_usage": True}}

reported = [each.usage.total_tokens for each in client.chat.completions.create(**request, stream=True) if each.usage]
with client.chat.completions.stream(**request) as stream:
    completion = stream.get_final_completion()

print("openai", openai.__version__)
print("total tokens in the raw chunks:", reported)
print("usage of the final completion:", completion.usage)
assert reported == [7]
assert completion.choices[0].message.content == "Hello"
assert completion.usage is None
PYTHON
