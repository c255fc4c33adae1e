#!/usr/bin/env bash
# openai-agents 0.24.0: over Chat Completions an answer that was cut, or filtered, becomes a completed response.
# Expected: the events that the SDK makes of chat are those of the Responses API. There an answer that ran into max_tokens ends
# with `response.incomplete`, and `incomplete_details` has the reason: "max_output_tokens" or "content_filter".
# Observed: the finish reasons "length" and "content_filter" of the chat chunk appear in no event. The last event is
# `response.completed` with `incomplete_details=None`, the item is "completed", and the run ends as one that succeeded.
# Why it matters: half an answer looks like a whole one, and no field of the stream or of its result says otherwise.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip -qq install --no-compile --disable-pip-version-check openai-agents==0.24.0 openai==3.57.0
"$work/venv/bin/python" - <<'PYTHON'
import asyncio
import importlib.metadata
import json

import httpx2
import openai
from agents import Agent, OpenAIChatCompletionsModel, Runner, set_tracing_disabled

set_tracing_disabled(True)


def client(finish):
    head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    chunks = [
        {**head, "choices": [{"index": 0, "delta": {"role": "assistant", "content": "Half an ans"}, "finish_reason": None}]},
        {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]},
        {**head, "choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 4, "total_tokens": 9}},
    ]
    body = "".join(f"data: {json.dumps(each)}\n\n" for each in chunks) + "data: [DONE]\n\n"
    headers = {"content-type": "text/event-stream"}
    transport = httpx2.MockTransport(lambda _: httpx2.Response(200, headers=headers, text=body))
    return openai.AsyncOpenAI(api_key="none", base_url="http://localhost/v1", http_client=httpx2.AsyncClient(transport=transport))


async def ended(finish):
    model = OpenAIChatCompletionsModel(model="m", openai_client=client(finish))
    run = Runner.run_streamed(Agent(name="a", model=model), "Hi")
    last = [event.data async for event in run.stream_events() if event.type == "raw_response_event"][-1]
    (item,) = last.response.output
    return last.type, last.response.incomplete_details, item.status, run.final_output


print("openai-agents", importlib.metadata.version("openai-agents"))
for finish in ("stop", "length", "content_filter"):
    seen = asyncio.run(ended(finish))
    print(f"finish reason {finish!r}:", seen)
    assert seen == ("response.completed", None, "completed", "Half an ans")
PYTHON
