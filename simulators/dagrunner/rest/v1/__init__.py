"""The REST API of Airflow 2.11."""
