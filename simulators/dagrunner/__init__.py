"""Stands in for an Airflow instance: runs real DAG files and real operators in virtual time.

`load` reads DAG files with the installed Airflow, `state` holds what Airflow's database would, `scheduler`
decides what runs, `worker` runs tries, `triggerer` runs triggers, `service` and `rest_v1`, `rest_v2` answer
the REST API. `version` has what differs between Airflow 2.11 and 3.3.
"""
