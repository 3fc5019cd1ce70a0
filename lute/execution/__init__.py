"""Running a Task in a process of its own, and reporting how it ended."""
