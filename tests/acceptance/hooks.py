"""An exporter that overrides every hook, and real streams that call them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import httpx2
import openai

from streamtally import Exporter, StreamRecord, Tally, instrument, uninstrument
from streamtally.exporters.tally_info import TallyInfo
from streamtally.testing import FakeProvider
from tests.streams.sources import chat_chunks
from tests.waiting import run_python

ROOT = Path(__file__).parents[2]


class Spy(Exporter):
    """An exporter that notes which of its hooks are called. It overrides all of them."""

    blocking = False

    def __init__(self) -> None:
        self.called: list[str] = []

    def _note(self, name: str) -> None:
        self.called.append(name)

    def export(self, record: StreamRecord) -> None:
        """Note it."""
        assert record.outcome is not None
        self._note("export")

    def flush(self, timeout: float | None = None) -> bool:  # noqa: ARG002 - the signature of the hook
        """Note it."""
        self._note("flush")
        return True

    def close(self) -> None:
        """Note it."""
        self._note("close")

    def on_start(self, record: StreamRecord) -> None:
        """Note it."""
        assert record.outcome is None
        self._note("on_start")

    def on_late(self, record: StreamRecord) -> None:
        """Note it."""
        assert record.outcome is not None
        self._note("on_late")

    def on_attach(self, tally: TallyInfo) -> None:
        """Note it."""
        assert tally.knows_model("gpt-4.1-mini")
        self._note("on_attach")

    def suppress_others(self) -> Any:
        """Note it."""
        self._note("suppress_others")
        return super().suppress_others()

    def is_suppressed(self) -> bool:
        """Note it."""
        self._note("is_suppressed")
        return False

    def after_fork(self) -> None:
        """Note it."""
        self._note("after_fork")


@cache
def forked() -> list[str]:
    """The hooks that are called in a forked child, while a stream is open."""
    program = """
import json, os, sys
from streamtally import Tally
from tests.acceptance.hooks import Spy
from tests.streams.sources import chat_chunks

spy = Spy()
tally = Tally(exporters=[spy])
stream = tally.wrap(iter(chat_chunks()))
next(stream)
before = len(spy.called)
child = os.fork()
if not child:
    print(json.dumps(spy.called[before:]), flush=True)
    os._exit(0)
os.waitpid(child, 0)
"""
    done = run_python("-c", program, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    called: list[str] = json.loads(done.stdout)
    return called


@cache
def instrumented() -> list[str]:
    """The hooks that are called where an SDK is instrumented, and its call asks a server."""
    spy = Spy()
    with (
        FakeProvider() as provider,
        httpx2.Client(verify=False) as http,
        openai.OpenAI(base_url=provider.base_url, api_key="test", max_retries=0, http_client=http) as client,
    ):
        instrument(tally=Tally(exporters=[spy]))
        try:
            list(client.chat.completions.create(model="gpt-4.1-mini", messages=[], stream=True))
        finally:
            uninstrument()
    return spy.called


@cache
def wrapped() -> list[str]:
    """The hooks that are called in the life of a tally, with a stream, a late chunk, and its end."""
    spy = Spy()
    tally = Tally(exporters=[spy])
    list(tally.wrap(lambda: iter(chat_chunks())))
    tally.add("keyed", chat_chunks()[0], index=0)
    tally.finish("keyed")
    tally.add("keyed", chat_chunks()[1], index=1)
    tally.flush()
    tally.close()
    return spy.called


CALLS: Mapping[str, Callable[[], list[str]]] = {
    **dict.fromkeys(("on_attach", "suppress_others", "on_start", "export", "on_late", "flush", "close"), wrapped),
    "is_suppressed": instrumented,
    "after_fork": forked,
}
"""What calls each hook."""
