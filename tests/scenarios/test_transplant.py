"""A scenario of one workflow, tried on another."""

import pytest

from simulators.scenario.catalogue import library
from simulators.scenario.runner import run_scenario
from simulators.scenario.schema import Expected, Scenario, TaskModel
from simulators.scenario.transplant import transplanted

SFX = ["PeakFinderPyAlgos", "CrystFELIndexer", "PartialatorMerger", "HKLComparer"]


def test_what_befalls_an_unknown_step_befalls_the_first() -> None:
    scenario = Scenario(
        workflow="test",
        tasks={"Tester": (TaskModel(exit_code=3),), "*": (TaskModel(duration_s=1.0),)},
        faults=(
            {"what": "reset", "where": "jid.start_job", "task": "WriteTester"},  # type: ignore[arg-type]
            {"what": "refused", "where": "jid.*"},  # type: ignore[arg-type]
            {"what": "preempt", "task": "HKLComparer", "after": "job_running"},  # type: ignore[arg-type]
        ),
        expect=Expected(run="failed"),
        xfail="not yet",
    )
    other = transplanted(scenario, "pyalgos_sfx", SFX)
    assert other.workflow == "pyalgos_sfx"
    assert [fault.task for fault in other.faults] == ["PeakFinderPyAlgos", None, "HKLComparer"]
    assert set(other.tasks) == {"PeakFinderPyAlgos", "*"}
    assert (other.expect, other.xfail) == (Expected(), "")


@pytest.mark.parametrize("name", ["jid_down_5_min", "node_fails_requeue", "log_missing"])
def test_it_acts_on_the_other_workflow(name: str) -> None:
    result = run_scenario(transplanted(library()[name], "pyalgos_sfx", SFX))
    assert result.run_state == "success"
    assert result.faults
    assert not result.idle_faults
