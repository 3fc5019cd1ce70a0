"""The JID of a test's facility: what it was asked, and shorthands for what goes wrong with it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulators.testing.facility import FacilityHandle


@dataclass(frozen=True)
class SeenRequest:
    """One request to the JID.

    Attributes:
        time_s: when it was sent, in seconds after the launch.
        client: who asked: a task's label, or `launcher`.
        endpoint: `start_job`, `job_statuses`, ...
        status: of the reply; None if none came.
        failure: `refused`, `reset` or `timeout` if none came, else empty.
    """

    time_s: float
    client: str
    endpoint: str
    status: int | None
    failure: str = ""


class JidHandle:
    """What a test sees of the JID, and does to it. Its faults begin now; before the launch, with it."""

    def __init__(self, facility: "FacilityHandle") -> None:
        self._facility = facility

    def __repr__(self) -> str:
        return f"<jid of {self._facility!r}>"

    @property
    def requests(self) -> list[SeenRequest]:
        """Every request so far, in the order in which they ended."""
        world = self._facility.world
        return [
            SeenRequest(
                time_s=round(entry["sent_s"] - world.start_s, 6),
                client=entry["actor"],
                endpoint=entry["endpoint"].removeprefix("jid."),
                status=entry["status"],
                failure=str(entry["failure"] or ""),
            )
            for entry in world.trace.entries
            if entry["event"] == "http" and entry["endpoint"].startswith("jid.")
        ]

    def down(self, for_s: float) -> None:
        """Let it refuse all connections for so many seconds."""
        self._facility.inject("refused", where="jid.*", for_s=for_s, calls=None)

    def fail_next(self, endpoint: str, *, status: int = 502, times: int = 1, task: str | None = None) -> None:
        """Answer the next requests to an endpoint with an HTTP error; they have no effect.

        Args:
            times: so many of them.
            task: only this task's; None for everybody's.
        """
        self._facility.inject("http_error", where=f"jid.{endpoint}", status=status, calls=times, task=task)

    def lose_next_reply(self, endpoint: str, *, task: str | None = None) -> None:
        """Break the connection of the next request to an endpoint after it had its effect."""
        self._facility.inject("reset", where=f"jid.{endpoint}", direction="after", task=task)

    def slow_down(self, for_s: float, *, delay_s: float = 20.0) -> None:
        """Let all replies come late for so many seconds."""
        self._facility.inject("slow", where="jid.*", for_s=for_s, calls=None, delay_s=delay_s)
