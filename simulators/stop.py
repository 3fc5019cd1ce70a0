"""Being asked to end."""


class Stop(BaseException):
    """A signal asks the command to end.

    No `Exception`: in a virtual world it comes out of production code, which catches those.
    """
