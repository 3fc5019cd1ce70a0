"""The page of a real run of the virtual world: what it notes is what the timeline reads."""

import pytest

from simulators.scenario.runner import run_scenario
from simulators.scenario.schema import Scenario
from simulators.timeline.lanes import read_timeline
from simulators.timeline.model import Group


def test_a_run_of_the_virtual_world() -> None:
    result = run_scenario(Scenario(name="calm", workflow="test"), seed=3)
    timeline = read_timeline(result.entries)
    assert (timeline.title, timeline.is_good) == ("Workflow test, scenario calm, seed 3", True)
    assert {row.task: row.state for row in timeline.rows} == result.tasks
    assert {row.task: [int(line.job) for line in row.jobs] for row in timeline.rows} == result.jobs
    assert all(line.nodes and line.ran_s for row in timeline.rows for line in row.jobs)
    clients = {lane.name: len(lane.marks) for lane in timeline.lanes if lane.group is Group.CLIENT}
    assert clients.keys() == {"launcher", *result.tasks}
    assert sum(clients.values()) == sum(1 for entry in result.entries if entry["event"] in ("http", "log"))
    assert timeline.duration_s == pytest.approx(result.duration_s)
