"""Faults: small named things that go wrong, each in a file of its own; `model` has the base classes.

An *exchange fault* acts on HTTP requests and replies on their way; a *world fault* strikes once at a
moment. A `Plan` lets the faults of a scenario happen; `swarm` draws plans from a seed.
"""
