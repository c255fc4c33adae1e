"""Generates the files in `dashboards/` from the exporters' table of metrics: `python -m scripts.dashboards`."""
