"""Test doubles: a provider on this machine with faults and timing, a clock that a test controls, an exporter that keeps records.

`streamtally.testing.scenarios` builds the streams to play.
"""

from . import scenarios
from .clock import FakeClock
from .exporter import RecordingExporter
from .provider import FakeProvider
from .request import ReceivedRequest
from .scenario import Scenario

__all__ = ["FakeClock", "FakeProvider", "ReceivedRequest", "RecordingExporter", "Scenario", "scenarios"]
