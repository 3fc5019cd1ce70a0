"""Launching a workflow and staying with it: what `scripts/launch_airflow.py` does."""
