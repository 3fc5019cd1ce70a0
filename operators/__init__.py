"""LUTE's Airflow operators."""
