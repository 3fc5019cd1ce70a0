"""Stand-ins for three programs of CrystFEL: they index, merge and compare for real, in a way of their own.

What they read and write has the form of CrystFEL 0.12's files; see `docs/stand_ins.md`.
"""
