"""The registry of dialects: looking up, detecting, registering, and what adding a dialect takes."""

import ast
import shutil
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import streamtally
from streamtally import Dialect, StreamType, UnknownDialect
from streamtally.chunks import Chunk
from streamtally.dialects import OPAQUE, dialect_named, dialect_names, known_dialect, register_dialect, registry
from tests.quirks.catalog import ALL
from tests.waiting import run_python

PACKAGE = Path(streamtally.__file__).parent
NAMED_BY_THE_CALLER = ("dialects", "demo", "testing", "client")
"""Packages that may name a dialect: the dialects themselves, and callers who choose one, as applications do."""

PARROT = '''
"""`parrot`: a made-up wire format."""

from ..chunks import Chunk, FinishDelta, TextDelta
from ..records import StreamType
from .base import Dialect


def chunk(payload):
    if "done" in payload:
        return Chunk((FinishDelta(payload["done"]),), terminal=True)
    return Chunk((TextDelta(payload["word"]),))


DIALECTS = (Dialect("parrot", StreamType.CHAT, chunk, recognises=lambda payload: "word" in payload),)
'''


@pytest.fixture(autouse=True)
def _own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the dialects that a test registers."""
    monkeypatch.setattr(registry, "_added", registry._added)


def test_every_module_of_a_dialect_is_registered() -> None:
    """A module that defines dialects is in the table, and its `DIALECTS` are found by their names."""
    files = {path.stem for path in (PACKAGE / "dialects").glob("*.py") if "\nDIALECTS = " in path.read_text()}
    assert files == set(registry._MODULES)
    for name in registry._MODULES:
        for dialect in import_module(f"streamtally.dialects.{name}").DIALECTS:
            assert dialect_named(dialect.name) is dialect


def test_names() -> None:
    """All names are sorted; an unknown one raises, or is opaque where a record names it."""
    assert list(dialect_names()) == sorted(dialect_names())
    with pytest.raises(UnknownDialect):
        dialect_named("nowhere")
    assert known_dialect("nowhere") is OPAQUE
    assert known_dialect("openai.chat") is dialect_named("openai.chat")


def test_a_registered_dialect_is_asked_first_and_replaces_its_namesake() -> None:
    """The one registered last wins; a built-in dialect of the same name is no longer asked."""
    payload: dict[str, list[object]] = {"choices": []}
    assert registry.detected(payload) is dialect_named("openai.chat")
    mine = register_dialect(Dialect("openai.chat", StreamType.TEXT, lambda _: Chunk()))
    assert dialect_named("openai.chat") is mine
    assert registry.detected(payload) is OPAQUE
    first = register_dialect(Dialect("first", StreamType.TEXT, lambda _: Chunk(), recognises=lambda _: True))
    assert registry.detected(payload) is first
    assert registry.detected("text").name == "text"


def _shared(ask: Callable[[Dialect], Callable[[Mapping[str, Any]], bool]]) -> set[tuple[str, str]]:
    """Pairs of dialects to which a payload of a quirk belongs both."""
    shared: set[tuple[str, str]] = set()
    for quirk in ALL:
        for each in filter(lambda payload: isinstance(payload, Mapping), quirk.payloads):
            first, *others = [dialect.name for dialect in registry._registered() if ask(dialect)(each)] or [""]
            shared |= {(first, other) for other in others}
    return shared


def test_the_order_of_detection_matters_only_for_guesses() -> None:
    """No payload of all quirks is certainly in two dialects; a line of Ollama's chat resembles two."""
    assert _shared(lambda dialect: dialect.recognises) == set()
    assert _shared(lambda dialect: dialect.resembles) == {("ollama.chat", "ollama.generate")}


def test_adding_a_dialect_takes_one_file_and_one_line(tmp_path: Path) -> None:
    """In a copy of the package: the file, its name in the table, and a body is detected, read and listed."""
    copy = tmp_path / "streamtally"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "dialects" / "parrot.py").write_text(PARROT)
    table = copy / "dialects" / "registry.py"
    text = table.read_text()
    assert text.count('    "plain",\n') == 1
    table.write_text(text.replace('    "plain",\n', '    "parrot",\n    "plain",\n'))
    program = """
import streamtally
assert streamtally.__file__.startswith(PLACE)
record = streamtally.replay(b'{"word": "hello"}\\n{"done": "length"}\\n')
print(record.dialect, record.text, record.outcome.value, streamtally.dialects.dialect_names().count("parrot"))
""".replace("PLACE", repr(str(tmp_path)))
    done = run_python("-c", program, cwd=tmp_path)
    assert (done.stderr, done.stdout.split()) == ("", ["parrot", "hello", "completed", "1"])


def _modules() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.relative_to(PACKAGE).parts[0] not in NAMED_BY_THE_CALLER:
            yield path, ast.parse(path.read_text())


def test_no_dialect_is_named_elsewhere() -> None:
    """Facts about a dialect are fields of it: no other module has its name as a literal, or compares with one."""
    dotted = {name for name in dialect_names() if "." in name}
    found = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path, tree in _modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.expr) and ((isinstance(node, ast.Constant) and node.value in dotted) or _compares_dialect(node))
    ]
    assert found == []


def _compares_dialect(node: ast.expr) -> bool:
    """Whether an expression compares a `dialect` attribute with a literal, or its prefix or suffix."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.attr in ("startswith", "endswith") and _is_dialect(node.func.value)
    if not isinstance(node, ast.Compare):
        return False
    sides = [node.left, *node.comparators]
    return any(map(_is_dialect, sides)) and any(isinstance(side, ast.Constant) and isinstance(side.value, str) for side in sides)


def _is_dialect(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "dialect"
