"""Runs a benchmark of this checkout with the package `streamtally` of any commit, in this environment."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@contextmanager
def package_of(revision: str | None) -> Iterator[Path]:
    """A folder that holds the package: this checkout, or a temporary copy of it as of a commit.

    Raises:
        subprocess.CalledProcessError: git has no such commit.
    """
    if revision is None:
        yield ROOT
        return
    archive = subprocess.run(["git", "archive", revision, "streamtally"], check=True, stdout=subprocess.PIPE, cwd=ROOT).stdout
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            files.extractall(folder, filter="data")
        yield Path(folder)


def run(package: Path, module: str, *arguments: str, under: Sequence[str] = ()) -> str:
    """What `python -m module` prints in a fresh process, with the package of that folder; `under` is a command before it.

    Raises:
        subprocess.CalledProcessError: the process failed.
    """
    # The seed is fixed, so that sets and dictionaries are laid out alike in every run. -P keeps the current folder off the path.
    environment = os.environ | {"PYTHONPATH": os.pathsep.join((str(package), str(ROOT))), "PYTHONHASHSEED": "0"}
    command = [*under, sys.executable, "-P", "-m", module, *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout
