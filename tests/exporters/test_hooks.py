"""The hooks of exporters, and the check for misspelt ones."""

from typing import Any

import pytest

from streamtally import Tally
from streamtally.exporters import Exporter, resolve
from streamtally.exporters.hooks import FLAGS, HOOKS, hook_of
from streamtally.records import StreamRecord
from tests.exporters.samples import record


def test_the_hooks() -> None:
    """The list of the documentation."""
    assert set(HOOKS) == {
        "export",
        "flush",
        "close",
        "on_start",
        "on_late",
        "on_attach",
        "suppress_others",
        "is_suppressed",
        "after_fork",
    }
    assert FLAGS == ("blocking", "serves_prometheus")


def test_the_base_class_does_nothing() -> None:
    """Every hook can be called, and none counts as overridden."""
    exporter = Exporter()
    exporter.export(record())
    exporter.on_start(record())
    exporter.on_late(record())
    exporter.after_fork()
    exporter.close()
    with exporter.suppress_others():
        assert (exporter.flush(), exporter.is_suppressed(), exporter.blocking) == (True, False, True)
    assert [name for name in HOOKS if hook_of(exporter, name) is not None] == []
    assert resolve(exporter) is exporter


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("on_strat", r"did you mean on_start\?"),
        ("on_end", r"did you mean export\?"),
        ("on_discard", r"did you mean export\?"),
        ("on_nothing_at_all", "is no hook of Exporter; the hooks are export, flush"),
        ("flsh", r"did you mean flush\?"),
        ("exports", r"did you mean export\?"),
        ("after_forks", r"did you mean after_fork\?"),
        ("alone", r"did you mean suppress_others\?"),
        ("suppressed", r"did you mean is_suppressed\?"),
        ("belongs_to", r"did you mean on_attach\?"),
    ],
)
def test_a_misspelt_hook_is_an_error_when_the_exporter_is_registered(name: str, meant: str) -> None:
    """The message names the class, the method and what was likely meant."""
    kind = type("Spend", (Exporter,), {name: lambda *_: None})
    with pytest.raises(TypeError, match=rf"Spend\.{name} is no hook.*{meant}|Spend\.{name} {meant}"):
        Tally(exporters=[kind()])
    with pytest.raises(TypeError, match=name):
        resolve(kind)


def test_a_mistake_of_a_base_class_is_found_too() -> None:
    """If any class between it and `Exporter` defines the method."""
    base = type("Base", (Exporter,), {"on_strat": lambda *_: None})
    with pytest.raises(TypeError, match=r"Base\.on_strat"):
        resolve(type("Derived", (base,), {})())


@pytest.mark.parametrize(("name", "meant"), [("bloking", "blocking"), ("is_blocking", "blocking")])
def test_a_misspelt_flag_is_an_error(name: str, meant: str) -> None:
    """A misspelt flag raises, because it would be ignored otherwise."""
    with pytest.raises(TypeError, match=rf"{name} is no hook of Exporter \(did you mean {meant}\?\)"):
        resolve(type("Spend", (Exporter,), {name: False})())


def test_other_names_are_the_exporters_own() -> None:
    """Helpers, properties, data, private methods, methods of other base classes, and names like those of an overridden hook."""

    class Mixin:
        def on_click(self) -> None: ...

    class Spend(Mixin, Exporter):
        total = 0
        verbose = True

        def export(self, record: StreamRecord) -> None: ...

        def exported(self) -> int:
            return 0

        def close(self) -> None: ...

        @property
        def closed(self) -> bool:
            return False

        def reset(self) -> None: ...

        def _on_strat(self) -> None: ...

    exporter = Spend()
    assert resolve(exporter) is exporter


def test_a_coroutine_function_is_no_hook() -> None:
    """Nothing would await it."""

    class Sending(Exporter):
        async def export(self, record: StreamRecord) -> None:  # type: ignore[override]
            raise NotImplementedError

    with pytest.raises(TypeError, match=r"Sending\.export is a coroutine function"):
        Tally(exporters=[Sending()])


def test_any_object_with_the_methods_is_an_exporter() -> None:
    """An object with an exporter's methods needs no base class; its hooks are called, and its other methods not checked."""
    seen: list[Any] = []

    class Duck:
        blocking = False

        def export(self, record: StreamRecord) -> None:
            seen.append(("export", record.text))

        def flush(self, timeout: float | None = None) -> bool:  # noqa: ARG002
            return True

        def close(self) -> None: ...

        def on_start(self, record: StreamRecord) -> None:
            seen.append(("start", record.text))

        def on_strat(self) -> None: ...

    with Tally(exporters=[Duck()]) as tally:
        list(tally.wrap(["a", "b"]))
    assert seen == [("start", ""), ("export", "ab")]
