"""Loads of jobs for the fake Slurm, and how well the fake runs them compared with a real one."""
