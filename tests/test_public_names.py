"""The public names: a complete sorted list without anything internal."""

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
"""The documented names; removing one is a breaking change."""


def test_the_list_is_sorted_and_has_no_name_twice() -> None:
    """`__all__` is sorted and has no duplicates."""
    assert list(streamtally.__all__) == sorted(set(streamtally.__all__))


@pytest.mark.parametrize("name", streamtally.__all__)
def test_each_name_can_be_imported(name: str) -> None:
    """Every name in `__all__` can be imported, also lazily loaded ones, and is in `dir`."""
    assert getattr(streamtally, name) is not None
    assert name in dir(streamtally)


def test_what_the_documentation_promises_is_on_the_list() -> None:
    """Every documented name is in `__all__`."""
    assert set(streamtally.__all__) >= PROMISED


def test_every_error_is_public() -> None:
    """Every exception of the package has a public name."""
    raised = {name for name, value in vars(errors).items() if inspect.isclass(value) and issubclass(value, Exception)}
    assert raised <= set(streamtally.__all__)


def test_every_kind_of_result_is_public() -> None:
    """Every type of a record's fields has a public name for annotations."""
    results = {type_.__name__ for type_ in _result_types(records.StreamRecord)}
    assert results <= set(streamtally.__all__)


def test_nothing_else_is_public() -> None:
    """Every name without underscore is a submodule or in `__all__`."""
    public = {name for name, value in vars(streamtally).items() if name[0] != "_" and not isinstance(value, ModuleType)}
    assert public - {"annotations"} <= set(streamtally.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    """Lazy loading raises `AttributeError` for an unknown name."""
    name = "no_such_name"
    with pytest.raises(AttributeError, match=name):
        getattr(streamtally, name)


def test_the_version_is_that_of_the_distribution() -> None:
    """`__version__` is the version in the metadata of the distribution."""
    assert streamtally.__version__ == importlib.metadata.version("streamtally")


def _result_types(model: type) -> set[type]:
    """Return the classes of `records` in the annotations of a model, at any depth."""
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
