"""The kernel of the simulated worlds: time, events, random numbers and the record of a run."""
