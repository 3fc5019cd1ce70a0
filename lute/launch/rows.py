"""The progress of the steps as rows among the eLog's counters."""

import math
from collections.abc import Mapping
from typing import Any

from lute.airflow_api.models import TaskState
from lute.arp.counters import Counters, CountersError
from lute.launch.output import Output
from lute.launch.steps import Steps
from lute.seams import Clock

_BETWEEN_S = 15.0
"""Between two writes, and from a write to the look whether it lasted."""
_AFTER_FAILURE_S = 300.0
_AT_WORK = {
    TaskState.QUEUED: "SUBMITTED",
    TaskState.RUNNING: "SUBMITTED",
    TaskState.DEFERRED: "SUBMITTED",
    TaskState.UP_FOR_RETRY: "to be tried again",
}
"""Words for a row that is not there yet: whether the job runs, it tells the eLog itself."""
_AT_THE_END = {
    TaskState.SUCCESS: "COMPLETED",
    TaskState.FAILED: "FAILED",
    TaskState.UPSTREAM_FAILED: "not run: a step before it failed",
    TaskState.SKIPPED: "skipped",
}
"""Words that replace others: a job that was killed could not tell."""


class ProgressRows:
    """Keeps a row `<Task> status` for each step that has begun. Never raises; a dead eLog is left alone.

    The eLog can only replace all counters at once, so that of two who write at the same moment one loses
    its row: after each write it looks again, and puts back what it knows of and has gone.
    """

    def __init__(self, counters: Counters, steps: Steps, clock: Clock, output: Output) -> None:
        self._counters = counters
        self._steps = steps
        self._clock = clock
        self._output = output
        self._known: dict[str, Any] = {}
        self._seen_states: dict[str, TaskState] = {}
        self._is_checked = True
        self._next_s = -math.inf
        self._fails = False

    def poll(self) -> None:
        """Write what has changed, or look whether the last write lasted; at most once in a while."""
        if self._clock.monotonic() >= self._next_s:
            self._next_s = self._clock.monotonic() + _BETWEEN_S
            self._write()

    def finish(self) -> None:
        """Write the final states, unless the eLog did not answer before."""
        if not self._fails:
            self._write()

    def _write(self) -> None:
        states = {f"{step.label} status": step.state for step in self._steps}
        if states == self._seen_states and self._is_checked:
            return
        try:
            there = self._counters.read()
            wanted = self._wanted(states, there)
            if wanted:
                self._counters.update(wanted)
        except CountersError as error:
            self._next_s = self._clock.monotonic() + _AFTER_FAILURE_S
            if not self._fails:
                self._output.news(f"(the progress could not be reported to the eLog: {error})")
            self._fails = True
            return
        self._fails = False
        self._known |= there | wanted
        self._seen_states = states
        self._is_checked = not wanted

    def _wanted(self, states: Mapping[str, TaskState], there: Mapping[str, Any]) -> dict[str, Any]:
        """Return the rows that are to be written beside those that are there."""
        lost = {key: value for key, value in self._known.items() if key not in there}
        begun = {key: _AT_WORK[state] for key, state in states.items() if state in _AT_WORK}
        missing = {key: word for key, word in begun.items() if key not in there}
        ended = {key: _AT_THE_END[state] for key, state in states.items() if state in _AT_THE_END}
        return lost | missing | {key: word for key, word in ended.items() if there.get(key) != word}
