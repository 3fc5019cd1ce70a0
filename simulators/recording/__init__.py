"""Recordings of what a JID and an Airflow were asked and answered: making them, and playing them back."""
