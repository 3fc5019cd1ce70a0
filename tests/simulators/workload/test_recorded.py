"""The fake Slurm against recorded runs of a real one, Slurm 22.05.8: tests/recordings/slurm."""

from pathlib import Path

import pytest

from simulators.workload.compare import compare, summarise
from simulators.workload.mix import read_mix, recorded_run
from simulators.workload.simulate import simulate_like

RECORDINGS = sorted((Path(__file__).resolve().parents[2] / "recordings" / "slurm").glob("*.json"))


@pytest.mark.parametrize("file", RECORDINGS, ids=lambda file: file.stem)
def test_every_job_starts_as_recorded(file: Path) -> None:
    mix = read_mix(file)
    recorded = recorded_run(mix, "rc5", file)
    comparison = compare(file.stem, recorded, simulate_like(mix, recorded))
    assert len(comparison.jobs) == 12
    for job in comparison.jobs:
        seen = f"{job.expected} on the real one, {job.actual} on the fake"
        assert job.same_nodes, seen
        assert job.same_cores, seen
        assert job.same_state, seen
        assert abs(job.start_error_s) <= 1.5, seen
    assert comparison.swapped == ()
    assert summarise([comparison]).is_within_limits
