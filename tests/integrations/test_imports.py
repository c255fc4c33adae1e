"""Import hooks are called when a module is imported, and do not change the module."""

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from streamtally.integrations.imports import forget, when_imported


@pytest.fixture
def _modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "imported_late.py").write_text("import imported_by_it\nvalue = imported_by_it.value\n")
    (tmp_path / "imported_by_it.py").write_text("value = 7\n")
    (tmp_path / "broken_one.py").write_text("raise LookupError\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("imported_late", "imported_by_it", "broken_one"):
        monkeypatch.delitem(sys.modules, name, raising=False)


@pytest.mark.usefixtures("_modules")
def test_when_it_is_imported() -> None:
    """The hook is called once, after the module is loaded; immediately if it was loaded before."""
    seen: list[ModuleType] = []
    when_imported("imported_late", seen.append)
    when_imported("imported_by_it", seen.append)
    assert seen == []
    module = import_module("imported_late")
    assert [one.__name__ for one in seen] == ["imported_by_it", "imported_late"]
    assert module.value == 7
    assert type(module.__loader__).__module__ == "_frozen_importlib_external"
    when_imported("imported_late", seen.append)
    assert len(seen) == 3


@pytest.mark.usefixtures("_modules")
def test_what_is_not_there_or_fails() -> None:
    """A module that is missing or fails raises as without a hook, and the hook is not called."""
    seen: list[ModuleType] = []
    when_imported("broken_one", seen.append)
    when_imported("not_there_at_all", seen.append)
    with pytest.raises(LookupError):
        import_module("broken_one")
    with pytest.raises(ModuleNotFoundError):
        import_module("not_there_at_all")
    assert seen == []


@pytest.mark.usefixtures("_modules")
def test_forgotten() -> None:
    """The hook is not called, and the finder is removed."""
    seen: list[ModuleType] = []
    when_imported("imported_late", seen.append)
    assert _finders()
    forget("imported_late")
    forget("imported_late")
    assert not _finders()
    import_module("imported_late")
    assert seen == []


def _finders() -> list[object]:
    return [one for one in sys.meta_path if type(one).__module__.startswith("streamtally")]
