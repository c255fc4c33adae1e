"""Doubles for tests: a provider on this machine with faults and timing, a clock that stands still, an exporter that keeps all.

The streams to play are written with `streamtally.testing.scenarios`.
"""

from . import scenarios
from .clock import FakeClock
from .exporter import RecordingExporter
from .provider import FakeProvider
from .request import ReceivedRequest
from .scenario import Scenario

__all__ = ["FakeClock", "FakeProvider", "ReceivedRequest", "RecordingExporter", "Scenario", "scenarios"]
