"""Identity: the one source of unique ids."""

import uuid
from typing import Protocol


class IdentitySource(Protocol):
    """What production may ask of identity."""

    def uuid(self) -> uuid.UUID:
        """Return an id that was never returned before."""


class SystemIdentity:
    """Random ids of the operating system."""

    def uuid(self) -> uuid.UUID:
        """Return a random (version 4) UUID."""
        return uuid.uuid4()
