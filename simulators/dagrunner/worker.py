"""Running one try of one task as an actor, and ending it as Airflow does."""

import contextlib
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
    DIED = "died"
    """The process ended without a report."""


class Try:
    """One process of Airflow that runs one try, from its first line to its report.

    Args:
        operator: a copy of the operator that only this try uses.
        run: what it does: `operator.execute(context)`, or going on after a deferral.
        report: called once with the outcome and with what belongs to it: the returned value, the
            TaskDeferred, the error. Not called if the process was killed by `kill`.
    """

    def __init__(
        self,
        name: str,
        actors: Actors,
        conf: AirflowConf,
        operator: Any,
        run: Callable[[], object],
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
            with self._time_limit():
                return Outcome.SUCCESS, self._run()
        except TaskDeferred as deferred:
            return Outcome.DEFERRED, deferred
        except AirflowSkipException as skip:
            return Outcome.SKIPPED, skip
        except AirflowRescheduleException as reschedule:
            return Outcome.RESCHEDULED, reschedule
        except (AirflowFailException, AirflowSensorTimeout, AirflowTaskTerminated) as error:
            return Outcome.FAILED, error
        except (Exception, AirflowTaskTimeout, SystemExit, KeyboardInterrupt) as error:  # noqa: BLE001
            return Outcome.FAILED_TRY, error

    @contextlib.contextmanager
    def _time_limit(self) -> "Any":
        limit = self._operator.execution_timeout
        if limit is None:
            yield
            return
        event = self._actors.agenda.after(
            limit.total_seconds(), lambda: self.actor.interrupt(self._raise_timeout)
        )
        try:
            yield
        except AirflowTaskTimeout:
            self._operator.on_kill()
            raise
        finally:
            event.cancel()

    @staticmethod
    def _raise_timeout() -> None:
        raise AirflowTaskTimeout("Timeout")
