"""Ids of the virtual world: from a seed, so that a run can be repeated."""

import uuid
from random import Random


class SeededIdentity:
    """Hands out ids from a stream of random numbers; see `lute.seams.IdentitySource`."""

    def __init__(self, draw: Random) -> None:
        self._draw = draw

    def uuid(self) -> uuid.UUID:
        """Return the next id."""
        return uuid.UUID(int=self._draw.getrandbits(128), version=4)
