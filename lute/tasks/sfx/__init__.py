"""Finding hits and their peaks. These modules import psana, MPI and HDF5: the Task's process alone does."""
