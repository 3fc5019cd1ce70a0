"""The REST API: the same requests to the simulated Airflow and to the installed one."""
