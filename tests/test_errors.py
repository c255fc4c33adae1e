import inspect
import pickle

import pytest

import streamtally
from streamtally import ModelCatalog, Usage, errors, replay
from streamtally.errors import (
    CatalogError,
    DuplicateRequest,
    FramingError,
    MergeError,
    MissingExtra,
    ProviderError,
    ProviderTimeout,
    StreamError,
    StreamtallyError,
    StreamTruncated,
    UnknownDialect,
    UnknownRequest,
)

CLASSES = [value for value in vars(errors).values() if inspect.isclass(value) and issubclass(value, Exception)]


@pytest.mark.parametrize("kind", CLASSES)
def test_one_root(kind: type[Exception]) -> None:
    """Every error derives from `StreamtallyError` and has a docstring."""
    assert issubclass(kind, StreamtallyError)
    assert kind.__doc__


@pytest.mark.parametrize("kind", CLASSES)
def test_the_tree_is_drawn(kind: type[Exception]) -> None:
    """The module's docstring shows every class."""
    assert kind.__name__ in (errors.__doc__ or "")


@pytest.mark.parametrize(
    ("kind", "builtin"),
    [
        (UnknownDialect, ValueError),
        (UnknownRequest, KeyError),
        (DuplicateRequest, ValueError),
        (MergeError, ValueError),
        (FramingError, ValueError),
        (CatalogError, ValueError),
        (MissingExtra, ImportError),
    ],
)
def test_builtin_base_classes(kind: type[Exception], builtin: type[Exception]) -> None:
    """Each error is also the matching builtin."""
    assert issubclass(kind, builtin)


def test_messages_and_data() -> None:
    """The message has the names and IDs, and attributes have them as data."""
    dialect = UnknownDialect("klingon", ["text", "openai.chat"])
    assert (str(dialect), dialect.known) == ("unknown dialect 'klingon'; known: openai.chat, text", ("openai.chat", "text"))
    assert str(UnknownRequest("r1")) == "no open stream with request ID 'r1'"
    assert str(DuplicateRequest("r1")) == "a stream with request ID 'r1' is already open"
    extra = MissingExtra("client", "httpx2")
    assert (str(extra), extra.name) == ("httpx2 is not installed: pip install 'streamtally[client]'", "httpx2")
    assert FramingError("bad frame", b"data").frame == b"data"


@pytest.mark.parametrize("kind", [StreamError, StreamTruncated, ProviderError])
def test_partial_records(kind: type[StreamError]) -> None:
    """A stream error carries the partial record."""
    record = streamtally.replay([])
    error = kind("gone", partial=record)
    assert (str(error), error.partial) == ("gone", record)
    assert kind("gone").partial is None


@pytest.mark.parametrize(
    ("status", "retryable"), [(None, False), (400, False), (401, False), (429, True), (503, True), (529, True)]
)
def test_retryable(status: int | None, retryable: bool) -> None:
    """The status determines whether a retry may succeed."""
    assert ProviderError("no", status=status).retryable is retryable


@pytest.mark.parametrize(
    "error",
    [
        MergeError("a"),
        CatalogError("a", cost=ModelCatalog.bundled().price("gpt-4o", Usage(input_tokens=1))),
        UnknownRequest("r"),
        DuplicateRequest("r"),
        UnknownDialect("x", ["a", "b"]),
        FramingError("a", b"frame"),
        MissingExtra("client", "httpx2"),
        ProviderError("no", status=529, type="overloaded", partial=replay(["a"])),
        ProviderTimeout("late", status=408),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_survive_pickling(error: StreamtallyError) -> None:
    """An error that is pickled, as between processes, keeps its class, its message and all its data."""
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert (str(copy), copy.args, vars(copy)) == (str(error), error.args, vars(error))
