"""A run of the virtual world as one page that a person can read at a glance."""
