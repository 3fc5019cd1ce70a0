"""The REST API of a simulated Airflow: what both versions share, and `v1` and `v2`.

Measured, unless a docstring says otherwise, on Airflow 2.11.2 with the FAB auth manager and on 3.3.2 with the
simple one, on SQLite, with their defaults. tests/contract/airflow_api asks the installed Airflow the same.
"""
