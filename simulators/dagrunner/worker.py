"""Running one try of one task as an actor, and ending it as Airflow does."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any

from simulators.dagrunner.installed import (
    AirflowFailException,
    AirflowRescheduleException,
    AirflowSensorTimeout,
    AirflowSkipException,
    AirflowTaskTerminated,
    AirflowTaskTimeout,
    TaskDeferred,
)
from simulators.dagrunner.version import AirflowConf
from simulators.kernel.actors import Actor, Actors
from simulators.kernel.events import Event

Limit = Callable[[Callable[[], object], float], object]
"""Calls a function under a time limit, of which so many seconds are used up."""


class Outcome(StrEnum):
    """What a try reports."""

    SUCCESS = "success"
    FAILED = "failed"
    """For good: no retry."""
    FAILED_TRY = "failed_try"
    """Airflow may try again."""
    SKIPPED = "skipped"
    DEFERRED = "deferred"
    RESCHEDULED = "rescheduled"


class Try:
    """One process of Airflow that runs one try, from its first line to its report.

    Args:
        operator: a copy of the operator that only this try uses.
        run: what it does; it is given a function that calls another under the operator's time limit.
        report: called once with the outcome and with what belongs to it: the returned value, the
            TaskDeferred, the error. Not called if the process was killed by `kill`.
    """

    def __init__(
        self,
        name: str,
        actors: Actors,
        conf: AirflowConf,
        operator: Any,
        run: Callable[[Limit], object],
        report: Callable[[Outcome, Any], None],
    ) -> None:
        self._conf = conf
        self._actors = actors
        self._operator = operator
        self._run = run
        self._report = report
        self._is_terminated = False
        self.actor: Actor = actors.spawn(name, self._main)

    def terminate(self) -> None:
        """Send SIGTERM, as the supervisor does that finds its task's state changed; SIGKILL follows."""
        if self._is_terminated:
            return
        self._is_terminated = True
        self.actor.interrupt(self._on_sigterm)
        self._actors.agenda.after(self._conf.kill_limit_s, self.actor.kill)

    def kill(self) -> None:
        """End the process at once, without a report."""
        self.actor.kill()

    def _on_sigterm(self) -> None:
        # Measured: 2.11 calls on_kill and raises; 3.3 calls on_kill and lets `execute` go on until SIGKILL.
        self._operator.on_kill()
        if self._conf.kill_raises:
            raise AirflowTaskTerminated("Task received SIGTERM signal")

    def _main(self) -> None:
        outcome, value = self._outcome()
        self._report(outcome, value)

    def _outcome(self) -> tuple[Outcome, Any]:
        """Run and map what comes out, in the order of Airflow's own task runner."""
        try:
            return Outcome.SUCCESS, self._run(self._limited)
        except TaskDeferred as deferred:
            return Outcome.DEFERRED, deferred
        except AirflowSkipException as skip:
            return Outcome.SKIPPED, skip
        except AirflowRescheduleException as reschedule:
            return Outcome.RESCHEDULED, reschedule
        except (AirflowFailException, AirflowSensorTimeout) as error:
            return Outcome.FAILED, error
        except AirflowTaskTerminated as error:
            # 2.11 raises it in the task itself and, unless the task's state was changed, tries again.
            return Outcome.FAILED_TRY if self._conf.kill_raises else Outcome.FAILED, error
        except (Exception, AirflowTaskTimeout, SystemExit, KeyboardInterrupt) as error:  # noqa: BLE001
            return Outcome.FAILED_TRY, error

    def _limited(self, call: Callable[[], object], used_s: float) -> object:
        """Call a function under the operator's `execution_timeout`."""
        limit = self._operator.execution_timeout
        if not limit:
            return self._exiting(call)
        left_s = limit.total_seconds() - used_s
        event: Event | None = None
        try:
            if left_s <= 0:
                self._raise_timeout()
            event = self._actors.agenda.after(left_s, lambda: self.actor.interrupt(self._raise_timeout))
            return self._exiting(call)
        except AirflowTaskTimeout:
            self._operator.on_kill()
            raise
        finally:
            if event is not None:
                event.cancel()

    def _exiting(self, call: Callable[[], object]) -> object:
        try:
            return call()
        except SystemExit as end:
            if self._conf.exit_0_succeeds and not end.code:
                return None
            raise

    @staticmethod
    def _raise_timeout() -> None:
        raise AirflowTaskTimeout("Timeout")
