"""One suite over the fake Slurm in process, its commands as processes, and real Slurm 22.05."""
