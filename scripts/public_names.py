"""List the public names with their signatures, or compare those of the last release with those of this checkout.

python -m scripts.public_names             lists them, one a line
python -m scripts.public_names --compare   prints what was removed (-) and added (+) since the last tag `v…`

A name is public if `__all__` of one of `MODULES` has it. A changed signature is one line removed and one added.
"""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
MODULES = (
    "streamtally",
    "streamtally.client",
    "streamtally.dialects",
    "streamtally.exporters",
    "streamtally.integrations",
    "streamtally.pricing",
    "streamtally.records",
    "streamtally.testing",
    "streamtally.testing.scenarios",
)

_ADDRESS = re.compile(r" at 0x[0-9a-f]+")
"""What differs in each process."""


def public_names() -> list[str]:
    """A line for each public name, and for each public method, attribute and field of a public class."""
    lines = set[str]()
    for name in filter(_is_there, MODULES):
        module = import_module(name)
        for public in module.__all__:
            lines.update(_described(f"{name}.{public}", getattr(module, public)))
    return sorted(lines)


def last_release() -> str | None:
    """The last tag of a release that this commit descends from; None before the first."""
    command = ["git", "describe", "--tags", "--abbrev=0", "--match", "v[0-9]*"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or None


def changes_since(tag: str) -> list[str]:
    """What was removed (`- …`) and added (`+ …`) since a tag, sorted by name."""
    with tempfile.TemporaryDirectory() as folder:
        tree = str(Path(folder) / "tree")
        _git("worktree", "add", "--quiet", "--detach", tree, tag)
        try:
            before, after = _listed_in(Path(tree)), _listed_in(ROOT)
        finally:
            _git("worktree", "remove", "--force", tree)
    changed = [*(f"- {line}" for line in before - after), *(f"+ {line}" for line in after - before)]
    return sorted(changed, key=lambda line: (line[2:].partition("(")[0], line[0] == "+", line))


def _listed_in(tree: Path) -> set[str]:
    """The names of another checkout, in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    command = [sys.executable, "-P", __file__]
    done = subprocess.run(command, env=environment, cwd=tree, capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines())


def _git(*arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=ROOT, check=True)


def _is_there(module: str) -> bool:
    """Whether this checkout has a module: an older one may not."""
    return find_spec(module) is not None


def _described(name: str, value: Any) -> Iterator[str]:
    if not inspect.isclass(value):
        yield f"{name}{_signature(value)}" if callable(value) else name
        return
    yield f"{name}{_signature(value)}"
    for member, kind in inspect.getmembers_static(value):
        if not member.startswith("_") and member != "model_config" and _is_ours(value, member):
            found = inspect.getattr_static(value, member)
            called = getattr(value, member) if isinstance(found, (classmethod, staticmethod)) else kind
            yield f"{name}.{member}{_signature(called)}" if callable(called) else f"{name}.{member}"
    for field in getattr(value, "model_fields", {}):
        yield f"{name}.{field}"


def _is_ours(value: type, member: str) -> bool:
    """Whether a member comes from this package, and not from a base class of a library."""
    owner = next(base for base in value.__mro__ if member in vars(base))
    return owner.__module__.partition(".")[0] == "streamtally"


def _signature(value: Any) -> str:
    try:
        return _ADDRESS.sub("", str(inspect.signature(value)))
    except (TypeError, ValueError):
        return ""


def main(arguments: list[str]) -> None:
    """Run with the arguments of the command line."""
    if arguments != ["--compare"]:
        print(*public_names(), sep="\n")
    elif tag := last_release():
        changes = changes_since(tag)
        print(*changes or [f"the public names are those of {tag}"], sep="\n")
    else:
        print("there is no release yet, so there is nothing to compare the public names with")


if __name__ == "__main__":
    main(sys.argv[1:])
