"""Slurm: its options, its states and its commands. Pure, except for `lute.slurm.commands`."""
