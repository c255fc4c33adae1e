"""What the documents show as a session of the interpreter runs as it stands there."""

import doctest
from pathlib import Path

import pytest

from streamtally.dialects import registry

DOCS = Path(__file__).parent.parent / "docs"


@pytest.fixture(autouse=True)
def _own_dialects(monkeypatch: pytest.MonkeyPatch) -> None:
    """What an example registers is forgotten afterwards."""
    monkeypatch.setattr(registry, "_added", registry._added)


@pytest.mark.parametrize("document", sorted(DOCS.glob("*.md")), ids=lambda path: path.name)
def test_examples(document: Path) -> None:
    """Each example gives what stands below it."""
    assert doctest.testfile(str(document), module_relative=False).failed == 0
