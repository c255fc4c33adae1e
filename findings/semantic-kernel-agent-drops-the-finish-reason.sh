#!/usr/bin/env bash
# semantic-kernel 1.45.0: the stream of an agent has no finish reason, so that a cut answer cannot be told from a whole one.
# Expected: ChatCompletionAgent.invoke_stream() yields the contents that the chat service streams. The service yields one with
# the finish reason: here "length", because the answer ran into max_tokens.
# Observed: the agent yields contents that have items or a usage, and drops the one with the finish reason, which has neither.
# Why it matters: the service's own stream says "length", and the same answer through an agent says nothing.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip -qq install --no-compile --disable-pip-version-check semantic-kernel==1.45.0 openai==3.57.0
"$work/venv/bin/python" - <<'PYTHON'
import asyncio
import importlib.metadata
import json

import httpx2
import openai
from semantic_kernel.agents import ChatCompletionAgent
from semantic_kernel.connectors.ai.open_ai import OpenAIChatCompletion, OpenAIChatPromptExecutionSettings
from semantic_kernel.contents import ChatHistory

head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
chunks = [
    {**head, "choices": [{"index": 0, "delta": {"role": "assistant", "content": "Half an ans"}, "finish_reason": None}]},
    {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "length"}]},
    {**head, "choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 4, "total_tokens": 9}},
]
body = "".join(f"data: {json.dumps(each)}\n\n" for each in chunks) + "data: [DONE]\n\n"
headers = {"content-type": "text/event-stream"}
transport = httpx2.MockTransport(lambda _: httpx2.Response(200, headers=headers, text=body))


def service():
    client = openai.AsyncOpenAI(api_key="none", base_url="http://localhost/v1", http_client=httpx2.AsyncClient(transport=transport))
    return OpenAIChatCompletion(ai_model_id="m", async_client=client)


async def of_the_service():
    history = ChatHistory()
    history.add_user_message("Hi")
    stream = service().get_streaming_chat_message_content(history, OpenAIChatPromptExecutionSettings())
    return [content async for content in stream]


async def of_the_agent():
    agent = ChatCompletionAgent(service=service(), name="a")
    return [item.message async for item in agent.invoke_stream(messages="Hi")]


def said(contents):
    reasons = [content.finish_reason.value for content in contents if content.finish_reason]
    return "".join(content.content for content in contents), reasons


direct, through_agent = said(asyncio.run(of_the_service())), said(asyncio.run(of_the_agent()))
print("semantic-kernel", importlib.metadata.version("semantic-kernel"))
print("text and finish reasons of the service:", direct)
print("text and finish reasons of the agent:", through_agent)
assert direct == ("Half an ans", ["length"])
assert through_agent == ("Half an ans", [])
PYTHON
