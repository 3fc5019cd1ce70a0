"""A fake Slurm 22.05: one cluster in one process, with the commands that production calls.

Its words and exit codes are those of real Slurm 22.05.8, measured, except where a docstring says *assumed*.
"""
