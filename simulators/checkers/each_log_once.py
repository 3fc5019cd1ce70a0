"""Each log reaches the user once."""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from simulators.checkers.history import History, LauncherFacts, TaskFacts
from simulators.checkers.model import Facts, checker

_TITLE = re.compile(r"(\S+): \w+ \(try (\d+), Slurm job (\w+)\)")
_HAS_LOG = frozenset(["success", "failed", "up_for_retry"])
_SEEN_AFTER_S = 30.0
"""So long a state lasts at least that no launcher overlooks which asks every 10 s at most."""

_FOR_ALL = "triggerer"
"""Fetches the logs of all deferred steps whose jobs are DONE."""


_HANDED_ON_S = 1.0
"""So long after it has fetched a log a triggerer has told Airflow; its last requests end as long after it."""


@checker
def each_log_once(history: History, facts: Facts) -> Iterator[str]:  # noqa: ARG001
    """The launcher prints the log of each try once, never twice; a try fetches it from the JID once."""
    for launcher in history.launchers.values():
        titles = Counter(
            (found[1], int(found[2])) for line in launcher.lines if (found := _TITLE.fullmatch(line))
        )
        for (label, number), times in titles.items():
            if times > 1:
                yield f"{launcher.name} prints the log of {label}, try {number}, {times} times"
        if launcher.exit_code in (0, 1) and launcher.lines and launcher.lines[-1].startswith("Workflow "):
            for label, number in _expected(history, launcher):
                if not titles[label, number]:
                    yield f"{launcher.name} does not print the log of {label}, try {number}"
    restarts_s = [entry["t"] for entry in history.faults if entry["what"] == "triggerer_restart"]
    fetched = Counter(
        entry["actor"]
        for entry in history.exchanges
        if entry["endpoint"] == "jid.job_log_file"
        and entry["status"] == 200
        # What a triggerer had fetched when it died it could not hand on: the next one fetches it again.
        and not (
            entry["actor"] == _FOR_ALL and any(abs(entry["t"] - at_s) < _HANDED_ON_S for at_s in restarts_s)
        )
    )
    for client, times in fetched.items():
        jobs = sum(client in (job.task, _FOR_ALL) for job in history.jobs.values())
        excused = sum(
            entry["target"] == client and entry["where"] in ("jid.job_log_file", "jid.*")
            for entry in history.faults
        )
        if times > max(jobs, 1) + excused:
            yield f"{client} fetched its log {times} times for {jobs} jobs"


def _expected(history: History, launcher: LauncherFacts) -> Iterator[tuple[str, int]]:
    """Yield (label, try) of each log that a launcher must have printed, which saw its run to the end."""
    is_disturbed = history.was_disturbed(launcher)
    for task in history.tasks.values():
        if task.run_id == launcher.run_id:
            yield from _ended_tries(task, launcher.end_s or 0.0, ends_only=is_disturbed)


def _ended_tries(task: TaskFacts, end_s: float, *, ends_only: bool) -> Iterator[tuple[str, int]]:
    """Yield the tries that ran and whose end stood long enough to be seen before `end_s`."""
    states = [entry for entry in task.states if entry[0] <= end_s]
    ran = {number for _, state, number in states if state == "running"}
    last = (end_s + _SEEN_AFTER_S, "", 0)  # at the end it looks once more
    for (from_s, state, number), (to_s, *_) in pairwise([*states, last]):
        stood = to_s - from_s >= _SEEN_AFTER_S and not ends_only
        if state in _HAS_LOG and number in ran and (stood or to_s > end_s):
            yield task.label, number
