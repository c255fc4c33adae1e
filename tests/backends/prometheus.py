"""A real Prometheus on a free port, and queries to it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import ProxyHandler, build_opener

import pytest

from tests.waiting import PATIENCE, eventually, started

_OPENER = build_opener(ProxyHandler({}))
_CONFIGURATION = """\
global: {{scrape_interval: 2s, scrape_timeout: 2s, evaluation_interval: 1s}}
rule_files: [{rules}]
scrape_configs:
"""
_JOB = '- {{job_name: {job}, static_configs: [{{targets: ["{target}"]}}]}}\n'


def program(name: str) -> str:
    """The path of a program of Prometheus; the test is skipped if it is not installed."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed: scripts/install-servers installs it")
    return path


class Sample(NamedTuple):
    """One series of a query result."""

    labels: Mapping[str, str]
    value: float


class Prometheus:
    """A running server, by its address."""

    def __init__(self, address: str) -> None:
        self.address = address

    def ready(self) -> bool | None:
        """True once it answers queries, else None."""
        try:
            return self._get("/-/ready").status == 200 or None
        except URLError:
            return None

    def query(self, expr: str, at: float | None = None) -> list[Sample]:
        """The result of an instant query, now or at a Unix time. A number is a series without labels.

        Raises:
            AssertionError: the expression is wrong.
        """
        found = self.api("query", query=expr, **({} if at is None else {"time": repr(at)}))
        if found["resultType"] in ("scalar", "string"):
            return [Sample({}, float(found["result"][1]))]
        return [Sample(one["metric"], float(one["value"][1])) for one in found["result"]]

    def value(self, expr: str, at: float | None = None) -> float | None:
        """The value of the only series; None if there is none."""
        found = self.query(expr, at)
        assert len(found) < 2, f"{expr} has {len(found)} series"
        return found[0].value if found else None

    def wait_for(self, values: Mapping[str, float]) -> float:
        """Wait until all these expressions have these values at one time; return it as a Unix time."""

        def moment() -> float | None:
            now = self.value("time()")
            return now if all(self.value(expr, now) == value for expr, value in values.items()) else None

        return eventually(moment, f"{values}")

    def api(self, path: str, **arguments: str) -> Any:
        """The data of a response of its HTTP API."""
        try:
            with self._get(f"/api/v1/{path}?{urlencode(arguments)}") as response:
                answer = json.load(response)
        except URLError as error:
            answer = error.read() if isinstance(error, HTTPError) else error.reason
            raise AssertionError(f"{path} {arguments}: {answer!r}") from error
        assert answer["status"] == "success"
        return answer["data"]

    def _get(self, path: str) -> Any:
        return _OPENER.open(f"http://{self.address}{path}", timeout=PATIENCE)


@contextmanager
def running(folder: Path, *, targets: Mapping[str, str], rules: Path) -> Iterator[Prometheus]:
    """Prometheus on a free port, which scrapes an address for each job; its process is stopped at the end."""
    configuration = folder / "prometheus.yml"
    jobs = [_JOB.format(job=job, target=target) for job, target in targets.items()]
    configuration.write_text("".join([_CONFIGURATION.format(rules=rules), *jobs]), encoding="utf-8")
    log = folder / "prometheus.log"
    command = [
        program("prometheus"),
        f"--config.file={configuration}",
        f"--storage.tsdb.path={folder / 'data'}",
        "--web.listen-address=127.0.0.1:0",
        "--enable-feature=exemplar-storage",
    ]
    with log.open("wb") as output, started(command, stdout=output, stderr=subprocess.STDOUT) as process:
        server = Prometheus(eventually(lambda: _address(process, log), "the address of Prometheus"))
        eventually(server.ready, "Prometheus to be ready")
        yield server


def _address(process: subprocess.Popen[bytes], log: Path) -> str | None:
    text = log.read_text(encoding="utf-8", errors="replace")
    assert process.poll() is None, f"Prometheus has ended:\n{text}"
    found = re.search(r'Listening on".*address=(127\.0\.0\.1:\d+)', text)
    return found and found[1]
