"""Rows of providers' SDKs: one module for each."""
