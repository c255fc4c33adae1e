"""Write the dashboards and the rules: `python -m scripts.dashboards`."""

from __future__ import annotations

from pathlib import Path

from .grafana import dashboard_json
from .promql import VERSIONS
from .rules import rules_yaml

FOLDER = Path(__file__).parents[2] / "dashboards"


def files() -> dict[str, str]:
    """The content of each file in `dashboards/`, by its name."""
    boards = {f"streamtally-{profile}.json": dashboard_json(profile) for profile in VERSIONS}
    return {**boards, "rules.yml": "# Made by `python -m scripts.dashboards`; edit that.\n" + rules_yaml()}


if __name__ == "__main__":
    for name, text in files().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
        print(f"dashboards/{name}")
