"""Tokens that are no good."""

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from simulators.faults.model import SetupFault, fault

if TYPE_CHECKING:
    from simulators.facility import Facility


@fault("short_token")
class ShortToken(SetupFault):
    """The token expires in the middle of the run (the site gives at most 480 min)."""

    places: ClassVar = ("auth.token",)
    what: Literal["short_token"]
    lifetime_min: float = Field(default=1.0, gt=0)

    def set_up(self, world: "Facility") -> str:
        """Issue tokens with that lifetime."""
        world.tokens.longest_min = self.lifetime_min
        return f"tokens live {self.lifetime_min:g} min"


@fault("wrong_user")
class WrongUser(SetupFault):
    """The token is somebody else's."""

    places: ClassVar = ("auth.token",)
    what: Literal["wrong_user"]
    user: str = "somebody"

    def set_up(self, world: "Facility") -> str:
        """Issue tokens for that user."""
        world.token_user = self.user
        return f"tokens are {self.user}'s"
