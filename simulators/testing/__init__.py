"""For tests of workflows: the pytest plugin, Hypothesis strategies, and the names that tests need.

    from simulators.testing import Scenario, TaskModel

Nothing is imported before it is asked for: pytest loads the plugin in every project that has this package.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulators.faults.kinds import parse_fault
    from simulators.scenario.loader import find_scenario, load_scenario
    from simulators.scenario.result import Result
    from simulators.scenario.runner import run_scenario
    from simulators.scenario.schema import ClusterModel, Expected, Scenario, TaskModel
    from simulators.testing.clock import ClockHandle
    from simulators.testing.facility import FacilityHandle
    from simulators.testing.jid import JidHandle, SeenRequest
    from simulators.testing.slurm import SlurmHandle

_HOMES = {
    "ClockHandle": "simulators.testing.clock",
    "ClusterModel": "simulators.scenario.schema",
    "Expected": "simulators.scenario.schema",
    "FacilityHandle": "simulators.testing.facility",
    "JidHandle": "simulators.testing.jid",
    "Result": "simulators.scenario.result",
    "Scenario": "simulators.scenario.schema",
    "SeenRequest": "simulators.testing.jid",
    "SlurmHandle": "simulators.testing.slurm",
    "TaskModel": "simulators.scenario.schema",
    "find_scenario": "simulators.scenario.loader",
    "load_scenario": "simulators.scenario.loader",
    "parse_fault": "simulators.faults.kinds",
    "run_scenario": "simulators.scenario.runner",
}

__all__ = [
    "ClockHandle",
    "ClusterModel",
    "Expected",
    "FacilityHandle",
    "JidHandle",
    "Result",
    "Scenario",
    "SeenRequest",
    "SlurmHandle",
    "TaskModel",
    "find_scenario",
    "load_scenario",
    "parse_fault",
    "run_scenario",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
