#!/usr/bin/env bash
# aleph-alpha-client 11.5.1: chat_with_streaming drops the text of a chunk that has a finish reason or a usage report.
# Expected: a chunk of the OpenAI format, which this API has, may have content, a finish reason and usage at once.
# Observed: the client makes one item of a chunk: the usage if there is one, else the finish reason, else the text. What else the
# chunk has is lost: here one word, and with usage on every chunk the whole answer.
# Why it matters: the answer looks complete, with its finish reason, and lacks words.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip -qq install --no-compile --disable-pip-version-check aleph-alpha-client==11.5.1 aiohttp
"$work/venv/bin/python" - <<'PYTHON'
import asyncio
import importlib.metadata
import json

from aiohttp import web
from aleph_alpha_client import AsyncClient
from aleph_alpha_client.chat import ChatRequest, ChatStreamChunk, Message, Role

USED = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}


def chunk(content, finish=None, **fields):
    choice = {"index": 0, "delta": {"role": "assistant", "content": content}, "finish_reason": finish}
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice], **fields}


BODIES = {
    "the finish reason in a chunk of its own": ([chunk("one"), chunk(" two"), chunk("", "stop")], "one two"),
    "the finish reason with the last word": ([chunk("one"), chunk(" two", "stop")], "one"),
    "usage on every chunk": ([chunk("one", usage=USED), chunk(" two", "stop", usage=USED)], ""),
}


async def seen(chunks):
    async def answer(request):
        text = "".join(f"data: {json.dumps(each)}\n\n" for each in chunks) + "data: [DONE]\n\n"
        return web.Response(text=text, content_type="text/event-stream")

    app = web.Application()
    app.router.add_post("/chat/completions", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    async with AsyncClient(token="none", host=f"http://127.0.0.1:{port}") as client:
        request = ChatRequest(model="m", messages=[Message(role=Role.User, content="Hi")])
        items = [item async for item in client.chat_with_streaming(request, model="m")]
    await runner.cleanup()
    return "".join(item.content for item in items if isinstance(item, ChatStreamChunk))


print("aleph-alpha-client", importlib.metadata.version("aleph-alpha-client"))
for name, (chunks, expected) in BODIES.items():
    text = asyncio.run(seen(chunks))
    print(f"    {name}: {text!r}")
    assert text == expected
PYTHON
