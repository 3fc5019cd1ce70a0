"""Being asked to end."""


class Stop(Exception):
    """A signal asks the command to end."""
