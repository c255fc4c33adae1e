"""What is collected here."""

collect_ignore = ["decoders.py"]
"""A program of its own, which needs atheris."""
