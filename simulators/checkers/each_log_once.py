"""Each log reaches the user once."""

import re
from collections import Counter
from collections.abc import Iterator

from simulators.checkers.history import History
from simulators.checkers.model import Facts, checker

_TITLE = re.compile(r"(\S+): \w+ \(try (\d+), Slurm job (\w+)\)")


@checker
def each_log_once(history: History, facts: Facts) -> Iterator[str]:  # noqa: ARG001
    """The launcher prints the log of each try once, never twice; a try fetches it from the JID once."""
    for launcher in history.launchers.values():
        titles = Counter(found[1] + found[2] for line in launcher.lines if (found := _TITLE.fullmatch(line)))
        for title, times in titles.items():
            if times > 1:
                yield f"{launcher.name} prints the log of {title} {times} times"
        if launcher.exit_code in (0, 1) and launcher.lines and "Workflow" in launcher.lines[-1]:
            yield from _missing(history, launcher.name, titles)
    fetched = Counter(
        entry["actor"]
        for entry in history.exchanges
        if entry["endpoint"] == "jid.job_log_file" and entry["status"] == 200
    )
    for client, times in fetched.items():
        jobs = sum(job.task == client for job in history.jobs.values())
        excused = sum(
            entry["target"] == client and entry["where"] in ("jid.job_log_file", "jid.*")
            for entry in history.faults
        )
        if times > max(jobs, 1) + excused:
            yield f"{client} fetched its log {times} times for {jobs} jobs"


def _missing(history: History, launcher: str, titles: Counter[str]) -> Iterator[str]:
    number = int(launcher.partition("-")[2] or 1)
    run = next((found for found in history.runs.values() if found.number == number), None)
    for (run_id, label), task in history.tasks.items():
        if run is None or run_id != run.run_id or task.state not in ("success", "failed"):
            continue
        _, _, last = task.states[-1]
        ran = any(state == "running" for _, state, _ in task.states)
        if ran and not titles[f"{label}{last}"]:
            yield f"{launcher} does not print the log of {label}, try {last}"
