"""Airflow's REST API: one client over v1 (Airflow 2) and v2 (Airflow 3)."""
