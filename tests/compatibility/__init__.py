"""Tests of what `make far` is made of; the SDKs themselves are read by `make far`."""
