"""The served world: a real Airflow, the simulated JID and the fake Slurm on 127.0.0.1."""
