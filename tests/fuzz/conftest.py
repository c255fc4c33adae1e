"""Which files are collected."""

collect_ignore = ["decoders.py"]
"""A program of its own, which needs atheris."""
