"""The Tasks: analysis code, and the models of its parameters."""
