"""Send the spans of the tests to Arize Phoenix on this machine, and print what it shows: `python -m scripts.show_in_phoenix`.

Phoenix is installed in an environment of its own (850 MB), is started on free ports of 127.0.0.1, and is ended at the end.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from time import monotonic
from typing import Any, TypeVar
from urllib.error import URLError
from urllib.request import ProxyHandler, Request, build_opener

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from streamtally import Tally
from streamtally.exporters import OtelExporter
from streamtally.exporters.profiles import Semconv
from streamtally.testing import FakeClock
from tests.backends.cases import CASES

PHOENIX = "arize-phoenix==20.26.1"
PROJECT = "streamtally"
PATIENCE = 60.0
PRIVATE = {
    "PHOENIX_HOST": "127.0.0.1",
    "PHOENIX_TELEMETRY_ENABLED": "false",
    "PHOENIX_ALLOW_EXTERNAL_RESOURCES": "false",
    "PHOENIX_AGENTS_DISABLE_BASH": "true",
    "PHOENIX_AGENTS_DISABLE_WEB_ACCESS": "true",
    "PHOENIX_AGENTS_DISABLE_GITHUB": "true",
}
"""Phoenix sends nothing to other machines, and runs no commands on this one."""

QUERY = """{
  projects { edges { node { name spans(first: 100) { edges { node {
    name spanKind statusCode latencyMs tokenCountPrompt tokenCountCompletion attributes
    tokenPromptDetails { cacheRead cacheWrite } costSummary { total { cost } }
  } } } } } }
}"""

_OPENER = build_opener(ProxyHandler({}))

Span = dict[str, Any]
T = TypeVar("T")


def main() -> None:
    """Install Phoenix if it is missing, send the spans, and print what Phoenix shows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--venv", type=Path, default=Path(".venv-phoenix"), help="where Phoenix is, or will be, installed")
    parser.add_argument("--semconv", choices=("1.41", "latest", "both"), default="1.41", help="the conventions' version")
    arguments = parser.parse_args()
    with TemporaryDirectory() as folder, running(installed(arguments.venv), folder) as url:
        send(url, arguments.semconv)
        print_table(eventually(lambda: whole(shown(url)), "all spans, and their costs"))


def installed(venv: Path) -> Path:
    """The path of Phoenix's program, which is installed if it is missing."""
    program = venv / "bin" / "phoenix"
    if not program.exists():
        print(f"installing {PHOENIX} in {venv}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        subprocess.run([venv / "bin" / "pip", "install", "--quiet", PHOENIX], check=True)
    return program


@contextmanager
def running(program: Path, folder: str) -> Iterator[str]:
    """Run Phoenix inside the block; its address, once it answers."""
    port, grpc_port = free_port(), free_port()
    ports = {"PHOENIX_PORT": str(port), "PHOENIX_GRPC_PORT": str(grpc_port), "PHOENIX_WORKING_DIR": folder}
    url = f"http://127.0.0.1:{port}"
    with (
        open(os.devnull, "wb") as nowhere,
        subprocess.Popen([program, "serve"], env={**os.environ, **PRIVATE, **ports}, stdout=nowhere, stderr=nowhere) as process,
    ):
        try:
            eventually(lambda: answers(url, process), "Phoenix to start")
            yield url
        finally:
            process.terminate()


def free_port() -> int:
    """A port that is free at present."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def answers(url: str, process: subprocess.Popen[bytes]) -> bool | None:
    """True if Phoenix answers, else None."""
    if process.poll() is not None:
        raise SystemExit(f"Phoenix has ended with status {process.returncode}")
    try:
        with _OPENER.open(f"{url}/healthz", timeout=PATIENCE):
            return True
    except URLError:
        return None


def send(url: str, semconv: Semconv) -> None:
    """Run each case once, and send its span."""
    resource = Resource.create({"service.name": "chat", "openinference.project.name": PROJECT})
    tracers = TracerProvider(resource=resource)
    tracers.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{url}/v1/traces")))
    clock = FakeClock()
    with Tally(clock=clock, exporters=[OtelExporter(tracers, NoOpMeterProvider(), semconv=semconv)]) as tally:
        for name, case in CASES.items():
            case.play.run(tally, clock, request_id=name)
    tracers.shutdown()


def shown(url: str) -> list[Span]:
    """The spans of the project, as Phoenix returns them."""
    body = json.dumps({"query": QUERY}).encode()
    with _OPENER.open(Request(f"{url}/graphql", body, {"Content-Type": "application/json"}), timeout=PATIENCE) as response:
        projects = json.load(response)["data"]["projects"]["edges"]
    return [edge["node"] for one in projects if one["node"]["name"] == PROJECT for edge in one["node"]["spans"]["edges"]]


def whole(spans: list[Span]) -> list[Span] | None:
    """The spans, if all have arrived and one has a cost, else None: Phoenix computes the costs after the spans have arrived."""
    return spans if len(spans) == len(CASES) and any(map(_cost, spans)) else None


def print_table(spans: list[Span]) -> None:
    """One row for each span, in the order of the cases."""
    print("| stream | span | kind | status | ms | in | out | cache read | written | USD, Phoenix | USD, streamtally |")
    print("| --- | --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    by_request = {json.loads(span["attributes"])["streamtally"]["request"]["id"]: span for span in spans}
    for name in CASES:
        span = by_request[name]
        usd = json.loads(span["attributes"])["streamtally"].get("cost", {}).get("usd")
        details = span["tokenPromptDetails"]
        tokens = [span["tokenCountPrompt"], span["tokenCountCompletion"], details["cacheRead"], details["cacheWrite"]]
        cells = [name, span["name"], span["spanKind"], span["statusCode"], round(span["latencyMs"]), *tokens]
        costs = [_usd(_cost(span)), _usd(usd)]
        print("|", " | ".join("–" if cell is None else str(cell) for cell in [*cells, *costs]), "|")


def _cost(span: Span) -> float | None:
    cost: float | None = (span["costSummary"] or {}).get("total", {}).get("cost")
    return cost


def _usd(amount: float | None) -> str | None:
    return None if amount is None else f"{amount:.8f}".rstrip("0")


def eventually(check: Callable[[], T | None], what: str) -> T:
    """The first result of `check` that is not None; it is called again and again."""
    deadline, never = monotonic() + PATIENCE, Event()
    while (result := check()) is None:
        if monotonic() > deadline:
            raise SystemExit(f"timed out waiting for {what}")
        never.wait(0.2)
    return result


if __name__ == "__main__":
    main()
