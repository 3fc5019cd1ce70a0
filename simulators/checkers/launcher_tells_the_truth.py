"""The launcher tells the truth."""

from collections.abc import Iterator

from simulators.checkers.history import History
from simulators.checkers.model import Facts, checker


@checker
def launcher_tells_the_truth(history: History, facts: Facts) -> Iterator[str]:  # noqa: ARG001
    """A launcher exits with 0 exactly if its DAG run succeeded, unless it was interrupted or lost Airflow."""
    for number, launcher in enumerate(history.launchers.values(), start=1):
        run = next((found for found in history.runs.values() if found.number == number), None)
        state = run.state if run is not None else "none"
        if launcher.exit_code == 0 and state != "success":
            yield f"{launcher.name} exits with 0, its run is {state}"
