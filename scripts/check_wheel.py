"""Use the installed package as a user would, from outside the checkout: import, replay a stream, price it.

cd /tmp && /path/to/venv/bin/python /path/to/scripts/check_wheel.py
"""

import importlib.metadata
import importlib.util
import sys
from decimal import Decimal
from pathlib import Path

import streamtally

BODY = """\
data: {"id":"c1","object":"chat.completion.chunk","model":"gpt-4o-mini","choices":[{"index":0,"delta":{"role":"assistant"}}]}

data: {"id":"c1","object":"chat.completion.chunk","model":"gpt-4o-mini","choices":[{"index":0,"delta":{"content":"Hello"}}]}

data: {"id":"c1","object":"chat.completion.chunk","model":"gpt-4o-mini","choices":[{"index":0,"delta":{"content":", world"}}]}

data: {"id":"c1","object":"chat.completion.chunk","model":"gpt-4o-mini","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}

data: {"id":"c1","object":"chat.completion.chunk","model":"gpt-4o-mini","choices":[],\
"usage":{"prompt_tokens":1000,"completion_tokens":500,"total_tokens":1500}}

data: [DONE]

"""
PRICE = 1000 * Decimal("0.15") / 1_000_000 + 500 * Decimal("0.60") / 1_000_000


def main() -> None:
    """Fail loudly on the first thing that is not so."""
    home = Path(streamtally.__file__).parent
    expect("the installed package is under test, not a checkout", home.is_relative_to(sys.prefix))
    expect("the version is that of the wheel", streamtally.__version__ == importlib.metadata.version("streamtally"))
    expect("type checkers may read it", (home / "py.typed").is_file())
    expect("the extras are absent", importlib.util.find_spec("httpx2") is None)

    record = streamtally.replay(BODY, dialect="openai.chat", params={"provider": "openai"})
    expect("the text is whole", record.text == "Hello, world")
    expect("the stream completed", record.outcome is streamtally.Outcome.COMPLETED and record.finish_reason == "stop")
    expect("the tokens are the provider's", record.usage is not None and record.usage.total_tokens == 1500)
    expect("a record survives JSON", streamtally.StreamRecord.model_validate_json(record.model_dump_json()) == record)

    cost = streamtally.ModelCatalog.bundled().price("gpt-4o-mini", record.usage, provider="openai")
    expect(f"the bundled catalog prices it: {cost.usd} is {PRICE}", cost.usd == PRICE)
    names = {entry.name for entry in importlib.metadata.entry_points(group="streamtally.exporters")}
    expect("the exporters are registered", names >= {"console", "jsonl", "otel", "prometheus"})


def expect(what: str, holds: bool) -> None:
    """Say what was checked, and stop where it does not hold."""
    print(f"  {'ok' if holds else 'NO'}  {what}")
    if not holds:
        sys.exit(f"the wheel is broken: {what}")


if __name__ == "__main__":
    main()
