"""The public surface: one sorted list, nothing missing, nothing that leaks."""

import importlib.metadata
import inspect
from types import ModuleType

import pytest

import streamtally
from streamtally import errors, records

PROMISED = {
    *("wrap", "replay", "collect", "acollect", "configure", "context", "to_response", "instrument", "uninstrument"),
    *("Tally", "Accumulator", "ModelCatalog", "Client", "AsyncClient", "Limits"),
    *("Exporter", "OtelExporter", "PrometheusExporter", "JsonLinesExporter", "ConsoleExporter"),
    *("Chunk", "StreamRecord", "StreamType", "Outcome", "Choice", "ToolCall", "Audio", "Image", "Transcript"),
    *("Usage", "Cost", "Timing"),
}
"""What the documentation names; taking one away is a breaking change."""


def test_the_list_is_sorted_and_has_no_name_twice() -> None:
    """`__all__` is in plain sorted order."""
    assert list(streamtally.__all__) == sorted(set(streamtally.__all__))


@pytest.mark.parametrize("name", streamtally.__all__)
def test_each_name_can_be_imported(name: str) -> None:
    """Every name on the list is there, also those that are loaded when used, and `dir` shows it."""
    assert getattr(streamtally, name) is not None
    assert name in dir(streamtally)


def test_what_the_documentation_promises_is_on_the_list() -> None:
    """No documented name is missing."""
    assert set(streamtally.__all__) >= PROMISED


def test_every_error_is_public() -> None:
    """What can be raised can be caught by a public name."""
    raised = {name for name, value in vars(errors).items() if inspect.isclass(value) and issubclass(value, Exception)}
    assert raised <= set(streamtally.__all__)


def test_every_kind_of_result_is_public() -> None:
    """Each type of a field of the record has a public name, so that users can annotate with it."""
    results = {type_.__name__ for type_ in _result_types(records.StreamRecord)}
    assert results <= set(streamtally.__all__)


def test_nothing_else_is_public() -> None:
    """A name without underscore in the package is a submodule or on the list."""
    public = {name for name, value in vars(streamtally).items() if name[0] != "_" and not isinstance(value, ModuleType)}
    assert public - {"annotations"} <= set(streamtally.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    """Loading on demand answers for a wrong name as any module does."""
    name = "no_such_name"
    with pytest.raises(AttributeError, match=name):
        getattr(streamtally, name)


def test_the_version_is_that_of_the_distribution() -> None:
    """There is one source of the version: the metadata."""
    assert streamtally.__version__ == importlib.metadata.version("streamtally")


def _result_types(model: type) -> set[type]:
    """The classes of `records` that the annotations of a model mention, at any depth."""
    found = {model}
    waiting = [model]
    while waiting:
        for field in getattr(waiting.pop(), "model_fields", {}).values():
            for type_ in _mentioned(field.annotation):
                if type_.__module__.startswith(f"{records.__name__}.") and type_ not in found:
                    found.add(type_)
                    waiting.append(type_)
    return found


def _mentioned(annotation: object) -> set[type]:
    inner: set[type] = set().union(*(_mentioned(part) for part in getattr(annotation, "__args__", ())))
    return inner | {annotation} if isinstance(annotation, type) else inner
