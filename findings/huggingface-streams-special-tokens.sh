#!/usr/bin/env bash
# huggingface_hub 2.4.0: text_generation(stream=True) yields special tokens, such as the end of the sequence, as text.
# Expected: the pieces of a stream join to the generated text. text-generation-inference marks such a token with
# "special": true, and leaves it out of `generated_text`, which the last event has, and which the same call returns without stream.
# Observed: without details the client yields the text of every token, so that the answer ends with "</s>".
# Why it matters: the streamed answer is another one than the answer; what is yielded is text, so that its reader cannot tell.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip -qq install --no-compile --disable-pip-version-check huggingface_hub==2.4.0 httpx2==2.16.2
"$work/venv/bin/python" - <<'PYTHON'
import importlib.metadata
import json

import httpx2
import huggingface_hub

DETAILS = {"finish_reason": "eos_token", "generated_tokens": 3, "seed": None}


def token(number, text, special=False, whole=None):
    return {
        "index": number,
        "token": {"id": number, "text": text, "logprob": -0.1, "special": special},
        "generated_text": whole,
        "details": DETAILS if special else None,
    }


def answer(request):
    if json.loads(request.content)["stream"]:
        events = [token(1, "one"), token(2, " two"), token(3, "</s>", special=True, whole="one two")]
        text = "".join(f"data: {json.dumps(event)}\n\n" for event in events)
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, text=text)
    return httpx2.Response(200, json=[{"generated_text": "one two"}])


huggingface_hub.set_client_factory(lambda: httpx2.Client(transport=httpx2.MockTransport(answer)))
client = huggingface_hub.InferenceClient(model="http://localhost/generate", token="none")
whole = client.text_generation("Hi", stream=False)
streamed = "".join(client.text_generation("Hi", stream=True))
print("huggingface_hub", importlib.metadata.version("huggingface_hub"))
print(f"    without stream: {whole!r}\n    streamed: {streamed!r}")
assert (whole, streamed) == ("one two", "one two</s>")
PYTHON
