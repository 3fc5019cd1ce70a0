"""What every fault says: where, when, and to whom."""

from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from lute.errors import did_you_mean
from simulators.faults.places import matching
from simulators.net.exchange import Exchange

if TYPE_CHECKING:
    from simulators.facility import Facility


class Moment(StrEnum):
    """Moments in the life of a task that a world fault can wait for."""

    RUNNING = "running"
    """Airflow started a try."""
    DEFERRED = "deferred"
    """The try deferred itself."""
    SUBMITTED = "submitted"
    """Its job is in Slurm."""
    REMEMBERED = "remembered"
    """The operator has stored the job's id."""
    JOB_RUNNING = "job_running"
    JOB_ENDED = "job_ended"
    ENDED = "ended"
    """Airflow has the try's final state."""


class Direction(StrEnum):
    """Whether a fault comes before the request has its effect, or after it."""

    BEFORE = "before"
    AFTER = "after"


class Fault(BaseModel):
    """One fault of a plan.

    Attributes:
        what: its kind.
        where: what it concerns: an endpoint (`jid.start_job`, `jid.*`, `airflow.*`), or a part of the world.
        task: only that task's; None for every task's.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    places: ClassVar[tuple[str, ...]] = ()
    """Where it can happen; the first is the default. A pattern may be any endpoint below it."""

    what: str
    where: str = ""
    task: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _default_place(cls, given: object) -> object:
        if isinstance(given, dict) and not given.get("where") and cls.places:
            return {**given, "where": cls.places[0]}
        return given

    @field_validator("where")
    @classmethod
    def _known_place(cls, where: str, info: ValidationInfo) -> str:
        if where in cls.places:
            return where
        allowed = frozenset[str]().union(*map(matching, cls.places))
        meant = matching(where)
        if not meant or not meant <= allowed:
            service = where.partition(".")[0] + "."
            near = [name for name in {*cls.places, *allowed} if name.startswith(service)]
            raise ValueError(
                f"{info.data.get('what')} cannot be at '{where}': {did_you_mean(where, near or cls.places)}"
            )
        return where


class ExchangeFault(Fault):
    """Acts on requests to one endpoint, or to all of a service.

    Attributes:
        call: the first matching request on which it acts, from 1; counted from `at_s` on.
        calls: so many of them in a row; None for all, until `for_s` is over.
        at_s: from when on, in seconds after the start of the run.
        for_s: for how long from then; None for ever.
        probability: of acting on each of them.
    """

    call: int = Field(default=1, ge=1)
    calls: int | None = Field(default=1, ge=1)
    at_s: float = Field(default=0.0, ge=0)
    for_s: float | None = Field(default=None, gt=0)
    probability: float = Field(default=1.0, gt=0, le=1)

    def before(self, exchange: Exchange, world: "Facility") -> bool:  # noqa: ARG002
        """Act on a request about to be sent; return whether anything was done."""
        return False

    def after(self, exchange: Exchange, world: "Facility") -> bool:  # noqa: ARG002
        """Act on a reply about to go back, its effect being done; return whether anything was done."""
        return False


class WorldFault(Fault):
    """Strikes once.

    Attributes:
        at_s: when, in seconds after the start of the run.
        after: or when `task` (or else the first task) gets there,
        delay_s: and so many seconds later.
        nth: for the so manieth time, from 1.
    """

    at_s: float | None = Field(default=None, ge=0)
    after: Moment | None = None
    delay_s: float = Field(default=0.0, ge=0)
    nth: int = Field(default=1, ge=1)

    @model_validator(mode="after")
    def _has_moment(self) -> "WorldFault":
        if (self.at_s is None) == (self.after is None):
            raise ValueError("needs at_s, or after, but not both")
        return self

    def strike(self, world: "Facility", target: "Target") -> str | None:
        """Let it happen.

        Returns:
            What was struck, in words for the trace; None if there was nothing to strike.
        """
        raise NotImplementedError


class SetupFault(Fault):
    """Holds from the beginning of the world."""

    def set_up(self, world: "Facility") -> str:
        """Let it hold; return in words what it does."""
        raise NotImplementedError


class Target(Protocol):
    """Whom a world fault concerns."""

    task: str | None
    job_id: int | None


class Registry:
    """Kinds of faults by name."""

    def __init__(self) -> None:
        self.kinds: dict[str, type[Fault]] = {}

    def __call__(self, name: str) -> Callable[[type[Fault]], type[Fault]]:
        """Register a class under the name that scenarios use."""

        def register(kind: type[Fault]) -> type[Fault]:
            self.kinds[name] = kind
            return kind

        return register


fault = Registry()
"""Registers the kinds: `@fault("reset")`."""
