"""The files in `dashboards/` are the output of the script, complete, and accepted by promtool."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from scripts.dashboards.__main__ import FOLDER, files
from scripts.dashboards.promql import VERSIONS, PromQL
from streamtally.exporters.profiles import PROFILES, Semconv
from tests.backends.prometheus import program
from tests.waiting import PATIENCE

FILES = files()
BOARDS = [name for name in FILES if name.endswith(".json")]


@pytest.mark.parametrize("name", FILES)
def test_what_is_committed_is_what_the_script_makes(name: str) -> None:
    """`python -m scripts.dashboards` would not change them."""
    assert (FOLDER / name).read_text(encoding="utf-8") == FILES[name] == files()[name]


def test_nothing_else_is_there() -> None:
    """No file of an older version is left."""
    assert {path.name for path in FOLDER.iterdir()} == {*FILES, "rules_test.yml"}


@pytest.mark.parametrize("name", BOARDS)
def test_a_board_is_whole(name: str) -> None:
    """Its variables, and its panels: each has its own ID, position and query, and the selected data source."""
    board = json.loads(FILES[name])
    assert [one["name"] for one in board["templating"]["list"]] == ["datasource", "service", "provider", "model", "operation"]
    panels = [panel for panel in board["panels"] if panel["type"] != "row"]
    assert len(panels) == len({panel["title"] for panel in panels}) == 18
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    assert len({(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in board["panels"]}) == len(board["panels"])
    for panel in panels:
        assert panel["title"]
        assert panel["description"]
        assert panel["datasource"]["uid"] == "${datasource}"
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])


@pytest.mark.parametrize("profile", VERSIONS)
def test_a_board_asks_for_nothing_that_is_not_exported(profile: Semconv) -> None:
    """Every metric in an expression is in the profile, and every metric of the profile is on the dashboard."""
    board = FILES[f"streamtally-{profile}.json"]
    asked = set(re.findall(r"\b((?:streamtally|gen_ai)_\w+?)(?:_bucket|_sum|_count)?\{", board))
    known = {one.prometheus_name for one in PROFILES[profile]}
    assert asked <= known
    # Of the later conventions' counters of tokens the dashboard reads the histograms' sums, which have the same value.
    assert {name for name in known - asked if "_inference_usage_" not in name} == set()


def test_promql() -> None:
    """Expressions with and without matchers, and with labels to sum by."""
    ask = PromQL(PROFILES["1.41"], "5m", {"job": "b"})
    assert ask.series("stalls", 'c!=""') == 'streamtally_stalls_total{job=~"b", c!=""}'
    assert ask.rate("duration", part="_count") == 'sum(rate(gen_ai_client_operation_duration_seconds_count{job=~"b"}[5m]))'
    assert ask.quantile(0.9, "duration", by=["x"]) == (
        'histogram_quantile(0.9, sum by (le, x) (rate(gen_ai_client_operation_duration_seconds_bucket{job=~"b"}[5m])))'
    )
    assert PromQL(PROFILES["1.41"], "5m").now("active_streams") == "sum(streamtally_active_streams)"


@pytest.mark.parametrize("arguments", [("check", "rules", "rules.yml"), ("test", "rules", "rules_test.yml")])
def test_promtool_accepts_the_rules(arguments: tuple[str, ...]) -> None:
    """The rules are valid, and alerts fire under their conditions only."""
    command = [program("promtool"), *arguments]
    done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_rule_is_tested() -> None:
    """Every alert has a test, and every recorded series is used in one."""
    tests = (FOLDER / "rules_test.yml").read_text(encoding="utf-8")
    alerts = re.findall(r"alert: (\w+)", FILES["rules.yml"])
    assert alerts
    assert [name for name in alerts if f"alertname: {name}" not in tests] == []


def test_folder() -> None:
    """The script writes the files that the tests read."""
    assert Path(__file__).parents[2] / "dashboards" == FOLDER
