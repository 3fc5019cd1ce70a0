"""Exploring: many seeds, each a world of its own; what breaks an invariant is shrunk to its few faults."""
