import inspect
import pickle

import pytest

import streamtally
from streamtally import errors
from streamtally.errors import (
    CatalogError,
    DuplicateRequest,
    FramingError,
    MergeError,
    MissingExtra,
    ProviderError,
    StreamError,
    StreamtallyError,
    StreamTruncated,
    UnknownDialect,
    UnknownRequest,
)

CLASSES = [value for value in vars(errors).values() if inspect.isclass(value) and issubclass(value, Exception)]


@pytest.mark.parametrize("kind", CLASSES)
def test_one_root(kind: type[Exception]) -> None:
    """Whoever catches `StreamtallyError` catches all, and each says what it means."""
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
def test_what_a_caller_would_catch_anyway(kind: type[Exception], builtin: type[Exception]) -> None:
    """Each is also the builtin that the same mistake raises elsewhere."""
    assert issubclass(kind, builtin)


def test_what_they_say() -> None:
    """Names, IDs and what to do are in the text, and as data beside it."""
    dialect = UnknownDialect("klingon", ["text", "openai.chat"])
    assert (str(dialect), dialect.known) == ("unknown dialect 'klingon'; known: openai.chat, text", ("openai.chat", "text"))
    assert str(UnknownRequest("r1")) == "no stream with request ID 'r1' is open"
    assert str(DuplicateRequest("r1")) == "a stream with request ID 'r1' is open already"
    extra = MissingExtra("client", "httpx2")
    assert (str(extra), extra.name) == ("this needs httpx2: pip install 'streamtally[client]'", "httpx2")
    assert FramingError("bad frame", b"data").frame == b"data"


@pytest.mark.parametrize("kind", [StreamError, StreamTruncated, ProviderError])
def test_what_came_before_is_not_lost(kind: type[StreamError]) -> None:
    """An error of a stream carries its record."""
    record = streamtally.replay([])
    error = kind("gone", partial=record)
    assert (str(error), error.partial) == ("gone", record)
    assert kind("gone").partial is None


@pytest.mark.parametrize(
    ("status", "retryable"), [(None, False), (400, False), (401, False), (429, True), (503, True), (529, True)]
)
def test_what_may_be_tried_again(status: int | None, retryable: bool) -> None:
    """The status says whether the same request may succeed."""
    assert ProviderError("no", status=status).retryable is retryable


def test_an_error_can_travel() -> None:
    """Errors of one string survive pickling, as workers send them."""
    for error in (MergeError("a"), CatalogError("a"), UnknownRequest("r"), FramingError("a")):
        assert str(pickle.loads(pickle.dumps(error))) == str(error)
