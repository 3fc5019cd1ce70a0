"""A file with no DAG in it: Airflow cannot import it."""

raise ValueError("broken on purpose")
