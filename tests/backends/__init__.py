"""Tests against real backends: a Prometheus that scrapes, and a receiver of OTLP over HTTP."""
