"""A scenario of one workflow, tried on another."""

from collections.abc import Sequence

from simulators.scenario.schema import Expected, Scenario


def transplanted(scenario: Scenario, workflow: str, tasks: Sequence[str]) -> Scenario:
    """Return the same troubles for another workflow.

    What befalls a step that the other workflow does not have befalls its first one. Nothing is expected any
    more: that was said of the scenario's own steps.

    Args:
        tasks: labels of the other workflow's steps, in the order of its file.
    """

    def here(name: str) -> str:
        return name if name in tasks or name == "*" else tasks[0]

    faults = tuple(
        fault if fault.task is None else fault.model_copy(update={"task": here(fault.task)})
        for fault in scenario.faults
    )
    return scenario.model_copy(
        update={
            "workflow": workflow,
            "tasks": {here(name): models for name, models in scenario.tasks.items()},
            "faults": faults,
            "expect": Expected(),
            "xfail": "",
        }
    )
