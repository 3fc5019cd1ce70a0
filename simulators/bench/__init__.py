"""Benchmarks of the simulators; each prints one line of JSON."""
