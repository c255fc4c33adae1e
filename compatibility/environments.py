"""Makes the virtual environment of a row: SDKs exclude each other's dependencies. It is kept until its requirements change."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from .case import Row

ROOT = Path(__file__).parent.parent
_FOLDER = ROOT / ".venv-far"
_QUIET = ("--quiet", "--disable-pip-version-check")
_NOWHERE = "http://127.0.0.1:9"
"""A proxy that is not there: what an SDK would send elsewhere fails at once."""


class BuildFailed(Exception):
    """The requirements of a row could not be installed."""


def python_of(name: str, row: Row) -> Path:
    """The interpreter of a row's environment, which is made if it is not there.

    Raises:
        BuildFailed: with the last line of what pip said.
    """
    folder = _FOLDER / name
    wanted = "\n".join([sys.version, *row.requirements, *_core()])
    stamp, python = folder / "requirements.txt", folder / "bin" / "python"
    if stamp.exists() and stamp.read_text() == wanted:
        return python
    shutil.rmtree(folder, ignore_errors=True)
    _run(sys.executable, "-m", "venv", str(folder))
    _run(str(python), "-m", "pip", "install", *_QUIET, *row.requirements, *_core())
    _run(str(python), "-m", "pip", "install", *_QUIET, "--no-deps", "--editable", str(ROOT))
    stamp.write_text(wanted)
    return python


def variables_of(row: Row) -> dict[str, str]:
    """The environment variables of a row's process: requests to this machine only."""
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), _NOWHERE)
    here = dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1,localhost")
    return {**os.environ, **proxies, **here, **row.variables}


def _core() -> list[str]:
    """What streamtally itself needs."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [str(one) for one in project["dependencies"]]


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    if done.returncode:
        said = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        raise BuildFailed(said[-1] if said else f"exit status {done.returncode}")
