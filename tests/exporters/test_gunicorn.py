"""Four workers of a real gunicorn that forks them from a loaded application, and one scrape of all of them."""

import os
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.waiting import PATIENCE, eventually, started

APPLICATION = """
import os
import time
from pathlib import Path

import streamtally
from prometheus_client import CollectorRegistry, generate_latest, multiprocess

streamtally.configure(exporters=["prometheus"])
list(streamtally.wrap(["in the parent"]))
left_open = []

def metrics():
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)
    return generate_latest(registry)

def whole():
    list(streamtally.wrap(["a", "b"]))
    Path(f"here-{os.getpid()}").touch()
    while len(list(Path().glob("here-*"))) < 4:  # so that each worker has its share
        time.sleep(0.01)
    return str(os.getpid()).encode()

def half():
    left_open.append(streamtally.wrap(iter("abc")))
    next(left_open[-1])
    return b""

def application(environ, start_response):
    body = {"/metrics": metrics, "/whole": whole, "/half": half}[environ["PATH_INFO"]]()
    start_response("200 OK", [])
    return [body]
"""


def _get(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=PATIENCE) as response:
        body: bytes = response.read()
    return body.decode()


def _answers(port: int) -> bool | None:
    try:
        return bool(_get(port, "metrics"))
    except urllib.error.URLError:
        return None


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """The address of the application."""
    (tmp_path / "served.py").write_text(APPLICATION)
    (tmp_path / "prometheus").mkdir()
    listener = socket.create_server(("127.0.0.1", 0))
    number: int = listener.getsockname()[1]
    options = ["--preload", "--workers", "4", "--bind", f"fd://{listener.fileno()}", "--timeout", str(round(PATIENCE))]
    options += ["--no-control-socket", "--log-level", "error"]
    command = [sys.executable, "-m", "gunicorn", *options, "served:application"]
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "prometheus")}
    with listener, started(command, cwd=tmp_path, env=environment, pass_fds=[listener.fileno()]):
        eventually(lambda: _answers(number), "gunicorn to start")
        yield number


def _total(text: str, name: str, **labels: str) -> float:
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return sum(sample.value for sample in samples if sample.name == name and labels.items() <= sample.labels.items())


def test_the_workers_of_gunicorn_are_summed_up(port: int) -> None:
    """The counts of all workers and of the parent before the fork, each once; of active streams only those of living workers."""
    with ThreadPoolExecutor(4) as threads:
        workers = set(threads.map(lambda _: _get(port, "whole"), range(60)))
    for _ in range(3):
        _get(port, "half")
    scraped = _get(port, "metrics")
    assert len(workers) == 4
    assert _total(scraped, "streamtally_streams_total", streamtally_outcome="completed") == 61
    assert _total(scraped, "streamtally_active_streams") == 3
