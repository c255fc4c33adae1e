"""Makes the files in `dashboards/` from the exporters' own names: `python -m scripts.dashboards`."""
