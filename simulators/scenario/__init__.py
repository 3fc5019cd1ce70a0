"""Scenarios: a workflow, what its jobs do, what goes wrong, and how it should end."""
