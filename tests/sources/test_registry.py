"""The rows of SDKs: how one is found, what it changes, and what adding one takes."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from anthropic import Anthropic
from huggingface_hub import TextGenerationStreamOutput
from mistralai.client.models import CompletionChunk
from openai import OpenAI

import streamtally
from streamtally import Tally, sources
from streamtally.dialects import Origin
from streamtally.sources import all_sources, origin_of, registry, source_of
from streamtally.sources.registry import UNKNOWN
from streamtally.testing import RecordingExporter
from tests.waiting import run_python

ROW = '''
"""A made-up SDK."""

from ..dialects import mistral_chat
from .base import Calls, Helper, Methods, Row, Source

SOURCE = Source(
    "parrots",
    rows={"Squawk": Row(mistral_chat.DIALECT.name)},
    stated_provider=lambda thing: getattr(thing, "aviary", None),
    response=("_http",),
    closes="perch",
    helper=Helper("until_done", events="_events", reads="_raw._chunks"),
    calls=Calls(
        {"parrots.api": Methods(("Chat", "AsyncChat"), ("create",))},
        lambda arguments: arguments.get("stream") is True,
        transport=frozenset({"key"}),
        base_url="_base_url",
    ),
    private={"_raw._chunks": "parrots 1.0 to 1.0"},
)
'''

SDK = '''
"""What the made-up SDK would be."""

from types import SimpleNamespace


class Squawk:
    aviary = "polynesia"

    def __init__(self, **fields):
        self.__dict__.update(fields)


def squawks():
    for word, reason in (("pretty ", None), ("polly", "stop")):
        yield Squawk(choices=[{"index": 0, "delta": {"content": word}, "finish_reason": reason}], model="parrot-1")


class Stream:
    """Has no `close`; what it sits on has one."""

    def __init__(self):
        self.left, self.closed = squawks(), []
        self.perch = SimpleNamespace(close=lambda: self.closed.append(True))
        self._http = SimpleNamespace(url=SimpleNamespace(host="api.parrots.test", port=None, scheme="https"))

    def __iter__(self):
        return self

    def __next__(self):
        return next(self.left)


class Helper:
    """Reads a raw stream, and can be iterated in two ways."""

    def __init__(self):
        self._raw = SimpleNamespace(_chunks=squawks())
        self._events = self.__stream__()

    def __stream__(self):
        for squawk in self._raw._chunks:
            yield squawk.choices[0]["delta"]["content"].upper()

    def __iter__(self):
        return self._events

    def until_done(self):
        return list(self)


class Chat:
    _base_url = SimpleNamespace(host="api.parrots.test", port=8443, scheme="https")

    def create(self, **arguments):
        return Stream() if arguments.get("stream") else "no stream"
'''


@pytest.fixture
def parrots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The made-up SDK's module, installed; its row is one file in a folder on the path of the rows' package."""
    (tmp_path / "rows").mkdir()
    (tmp_path / "rows" / "parrots.py").write_text(ROW)
    (tmp_path / "parrots").mkdir()
    (tmp_path / "parrots" / "__init__.py").touch()
    (tmp_path / "parrots" / "api.py").write_text(SDK)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sources, "__path__", [*sources.__path__, str(tmp_path / "rows")])
    registry._row.cache_clear()
    from parrots import api  # type: ignore[import-not-found]  # it is made above

    yield api
    registry._row.cache_clear()
    for name in ("parrots", "parrots.api", "streamtally.sources.parrots"):
        sys.modules.pop(name, None)


def test_a_new_sdk_is_one_file(parrots: Any) -> None:
    """With its row the SDK's streams have their provider, dialect and server, and are closed."""
    source = parrots.Stream()
    with Tally().wrap(source) as stream:
        assert len(list(stream)) == 2
    record = stream.record
    assert (record.text, record.dialect, record.provider) == ("pretty polly", "mistral.chat", "polynesia")
    assert (record.server_address, record.server_port, source.closed) == ("api.parrots.test", 443, [True])


def test_a_new_sdk_s_helper_is_counted_where_it_reads(parrots: Any) -> None:
    """However the caller reads the helper, the record has the chunks below it."""
    stream = Tally().wrap(parrots.Helper())
    assert stream.until_done() == ["PRETTY ", "POLLY"]
    assert (stream.record.text, stream.record.chunk_count, stream.record.dialect) == ("pretty polly", 2, "mistral.chat")


def test_a_new_sdk_s_calls_are_instrumented(parrots: Any) -> None:
    """By the same file: the calls that stream are recorded, with their parameters; the SDK can be left out by its name."""
    exporter = RecordingExporter()
    try:
        streamtally.instrument(tally=Tally(exporters=[exporter]), openai=False, anthropic=False)
        list(parrots.Chat().create(stream=True, model="m", key="secret"))
        assert parrots.Chat().create(model="m") == "no stream"
        streamtally.instrument(parrots=False, openai=False, anthropic=False)
        list(parrots.Chat().create(stream=True))
    finally:
        streamtally.uninstrument()
    (record,) = exporter.records
    assert (record.text, record.requested_model, "key" in record.params) == ("pretty polly", "m", False)
    assert (record.server_address, record.server_port) == ("api.parrots.test", 8443)


def test_without_its_row_the_sdk_is_read_as_any_iterable() -> None:
    """Without its row an SDK's stream is read as any iterable: OpenAI's dialect, and no provider of its own."""
    namespace: dict[str, Any] = {"__name__": "parrots.api"}
    exec(SDK, namespace)
    with Tally().wrap(namespace["Stream"]()) as stream:
        list(stream)
    assert (stream.record.text, stream.record.dialect, stream.record.provider) == ("pretty polly", "openai.chat", None)


def test_an_unknown_sdk_cannot_be_left_out() -> None:
    """A name that is none of an SDK with calls to wrap is a mistake."""
    with pytest.raises(TypeError, match="anthropic, openai; not litellm, opnai"):
        streamtally.instrument(opnai=False, litellm=False)


def test_each_row_is_named_after_its_package() -> None:
    """By that name it is found; every private attribute that a row names is one that it depends on."""
    rows = list(all_sources())
    assert {"anthropic", "huggingface_hub", "litellm", "mistralai", "openai"} <= {row.package for row in rows}
    for row in rows:
        assert registry._row(row.package) is row
        paths = {
            *row.response,
            row.helper and row.helper.events,
            row.helper and row.helper.reads,
            row.calls and row.calls.base_url,
        }
        private = {path for path in paths if path and "_" in {part[0] for part in path.split(".")}}
        assert private <= set(row.private)
        assert all(releases.split()[0] == row.package for releases in row.private.values())


def test_the_row_of_an_object() -> None:
    """By the package of its class, or of a class from which it is derived."""

    class Mine(OpenAI):
        pass

    assert source_of(OpenAI(api_key="k")).package == source_of(Mine(api_key="k")).package == "openai"
    assert source_of(Anthropic(api_key="k")).package == "anthropic"
    assert [source_of(thing) for thing in (1, "x", {"a": 1}, None, iter("x"), UNKNOWN)] == [UNKNOWN] * 6


@pytest.mark.parametrize("module", ["base", "registry", "__init__", "__main__", "a-b", "", "openai_", None, 3])
def test_modules_that_are_no_rows(module: Any) -> None:
    """A class may call its module anything."""
    assert source_of(type("Odd", (), {"__module__": module})()) is UNKNOWN


def test_the_origin_of_a_payload() -> None:
    """The provider and dialect of its class; nothing for a plain mapping."""
    chunk = CompletionChunk.model_validate({"id": "0", "model": "m", "choices": []})
    token = TextGenerationStreamOutput.parse_obj_as_instance({"index": 1, "token": {"id": 1, "text": "x"}})
    assert origin_of(chunk) == Origin("mistral", "mistral.chat", is_known=True)
    assert origin_of(token) == Origin("huggingface", "huggingface.tgi", is_known=True)
    assert origin_of({"choices": []}) == Origin(None, None)


def test_no_sdk_is_imported() -> None:
    """Neither by importing the package, nor by reading every row."""
    program = """
import json, sys, streamtally.sources
rows = [row.package for row in streamtally.sources.all_sources()]
print(json.dumps([name for name in rows if name in sys.modules]))
"""
    done = run_python("-c", program, check=True)
    assert json.loads(done.stdout) == []
