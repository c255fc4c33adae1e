"""Rows of frameworks: one module for each."""
