"""The launcher tells the truth."""

from collections.abc import Iterator

from simulators.checkers.history import History, LauncherFacts
from simulators.checkers.model import Facts, checker

_ERROR = "launch_airflow.py: error: "
_FAILED = 1
_FIRST_OF_SIGNALS = 128


@checker
def launcher_tells_the_truth(history: History, facts: Facts) -> Iterator[str]:  # noqa: ARG001
    """A launcher exits with 0 exactly if its DAG run succeeded, unless it was interrupted or lost Airflow."""
    for launcher in history.launchers.values():
        if launcher.end_s is not None:
            yield from (f"{launcher.name} {what}" for what in _lies(history, launcher))


def _lies(history: History, launcher: LauncherFacts) -> Iterator[str]:
    code = launcher.exit_code
    seen = _states_seen(history, launcher)
    shown = seen[-1] if seen else "none"
    if launcher.crash:
        yield f"crashes: {launcher.crash}"
    elif code is None:
        if not launcher.signals:
            yield "ends without an exit code, and nobody killed it"
    elif code == 0 and "success" not in seen:
        yield f"exits with 0, its run is {shown}"
    elif code == _FAILED and not any(line.startswith(_ERROR) for line in launcher.lines):
        if "failed" not in seen:
            yield f"exits with 1 and gives no reason, its run is {shown}"
    elif code == _FAILED and shown == "success" and not history.was_disturbed(launcher):
        yield "exits with 1, its run is a success and Airflow always answered"
    elif code > _FIRST_OF_SIGNALS and not launcher.signals:
        yield f"exits with {code} as if interrupted, and nobody did that"


def _states_seen(history: History, launcher: LauncherFacts) -> list[str]:
    """Return the states of its run up to its end: somebody may clear a step later."""
    run = history.runs.get(launcher.run_id)
    return [] if run is None else [state for time_s, state in run.states if time_s <= (launcher.end_s or 0)]
