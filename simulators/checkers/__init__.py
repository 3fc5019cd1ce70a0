"""Checkers: what must hold in every run, one invariant a file; `history` is what they look at."""
