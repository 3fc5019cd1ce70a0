"""Workflows as values: for the launcher that reads one, and for Airflow, which makes a DAG of it."""
