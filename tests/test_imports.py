"""The modules that `import streamtally` loads, and that every optional package is optional."""

import json

from tests.waiting import run_python

HEAVY = ("opentelemetry", "prometheus_client", "httpx2", "starlette", "uvicorn", "typer", "rich", "streamtally.pricing")
OPTIONAL = ("httpx2", "starlette", "uvicorn", "typer", "rich")


def run(program: str) -> str:
    """Run a program in a new interpreter, and return its output."""
    done = run_python("-c", program)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_import_loads_nothing_heavy() -> None:
    """Exporters' libraries, HTTP client, servers and catalog are loaded only when they are used."""
    loaded = json.loads(run("import json, sys, streamtally; print(json.dumps(sorted(sys.modules)))"))
    assert [name for name in loaded if name.startswith(tuple(f"{package}." for package in HEAVY)) or name in HEAVY] == []


def test_every_name_works_in_a_fresh_interpreter() -> None:
    """Lazily loaded names need no other import before them."""
    run("from streamtally import *")


def test_import_without_any_optional_package() -> None:
    """Without optional packages `streamtally` can be imported and records streams."""
    blocked = f"import sys; sys.modules.update(dict.fromkeys({OPTIONAL}))"
    assert run(f"{blocked}\nimport streamtally\nprint(streamtally.collect(['a', 'b']).text, end='')") == "ab"


def test_a_missing_extra_is_named() -> None:
    """Using the client without its extra raises an error that names the extra."""
    program = """
import sys
sys.modules["httpx2"] = None
import streamtally
try:
    streamtally.Client()
except streamtally.MissingExtra as error:
    print(error, end="")
"""
    assert "streamtally[client]" in run(program)
