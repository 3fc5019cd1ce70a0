import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lute.errors import ConfigError
from simulators.slurm.conf import TUNED
from simulators.workload.mix import (
    JobRecord,
    Mix,
    MixJob,
    MixRun,
    random_mix,
    read_mix,
    recorded_run,
    write_mix,
)
from simulators.workload.simulate import simulate

RECORD = JobRecord(
    name="a",
    script_start_s=1.25,
    end_s=4.25,
    nodelist="n[1-2]",
    started_by="Main",
    cpu_ids=("Nodes=n[1-2] CPU_IDs=0-3,8",),
    state_reason_seq=((0.1, "PENDING", "None"), (5.0, "COMPLETED", "None")),
)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    jobs = (MixJob(name="a", submit_s=0.5, ntasks=3, nodes="2-4", limit_min=1, duration_s=3),)
    mix = Mix(about="one", jobs=jobs, runs=(MixRun(run="r", results=(RECORD,)),))
    write_mix(mix, tmp_path / "mix.json")
    assert read_mix(tmp_path / "mix.json") == mix
    raw = json.loads((tmp_path / "mix.json").read_text())
    assert raw["jobs"] == [
        {"name": "a", "submit": 0.5, "ntasks": 3, "nodes": "2-4", "limit_min": 1, "duration": 3.0}
    ]
    assert raw["runs"][0]["results"][0]["script_start"] == 1.25


def test_a_record_tells_its_cores_and_its_final_state() -> None:
    assert RECORD.cores == {"n1": "0-3,8", "n2": "0-3,8"}
    assert RECORD.state == "COMPLETED"


@pytest.mark.parametrize(
    ("scheduler", "expected"),
    [
        ("bf_interval=1,bf_resolution=1 <- this one", "bf_interval=1,bf_resolution=1"),
        ("unset: bf_interval=30 bf_resolution=60", "bf_interval=30,bf_resolution=60"),
        ("as before", TUNED),
    ],
)
def test_the_parameters_of_a_run(scheduler: str, expected: str) -> None:
    assert MixRun(run="r", scheduler=scheduler, results=()).scheduler_parameters == expected


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"ntasks": 0}, "jobs.0.ntasks: Input should be greater than or equal to 1"),
        ({"limit_min": None}, "jobs.0.limit_min: Input should be a valid integer"),
        ({"nodes": "0-4"}, "jobs.0.nodes: String should match pattern"),
        ({"nodez": "1"}, "jobs.0.nodez: Extra inputs are not permitted"),
        ({"duration": -1}, "jobs.0.duration: Input should be greater than or equal to 0"),
    ],
)
def test_what_is_wrong_is_told_with_file_and_field(
    tmp_path: Path, change: dict[str, object], what: str
) -> None:
    job = {"name": "a", "submit": 0, "ntasks": 1, "limit_min": 1, "duration": 1}
    file = tmp_path / "mix.json"
    file.write_text(json.dumps({"jobs": [job | change]}))
    with pytest.raises(ConfigError) as caught:
        read_mix(file)
    assert str(caught.value).startswith(f"{file}: {what}")


def test_two_jobs_of_one_name_are_refused(tmp_path: Path) -> None:
    job = {"name": "a", "submit": 0, "ntasks": 1, "limit_min": 1, "duration": 1}
    file = tmp_path / "mix.json"
    file.write_text(json.dumps({"jobs": [job, job]}))
    with pytest.raises(ConfigError, match=r"jobs: .*two jobs are called a"):
        read_mix(file)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff"])
def test_what_is_no_mix_is_told(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "mix.json"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=r"mix\.json: "):
        read_mix(file)
    with pytest.raises(ConfigError, match=r"none\.json: cannot be read: No such file"):
        read_mix(tmp_path / "none.json")


def test_a_run_that_is_not_recorded_is_told(tmp_path: Path) -> None:
    mix = random_mix(1).model_copy(update={"runs": (MixRun(run="rc5", results=(RECORD,)),)})
    with pytest.raises(ConfigError, match=r"has no run 'rc4': did you mean rc5\?"):
        recorded_run(mix, "rc4", tmp_path)
    with pytest.raises(ConfigError, match="run rc5 has not exactly the jobs of the mix"):
        recorded_run(mix, "rc5", tmp_path)


@given(st.integers(0, 10**6))
def test_random_mixes_wait_and_overtake(seed: int) -> None:
    mix = random_mix(seed)
    assert mix == random_mix(seed)
    assert mix.jobs[0].submit_s == 0
    assert max(job.submit_s for job in mix.jobs) < 12
    run = simulate(mix)
    assert {record.state for record in run.results} == {"COMPLETED"}
    assert max(record.end_s for record in run.results) < 200


def test_most_random_mixes_take_about_a_minute_and_need_backfill() -> None:
    runs = [simulate(random_mix(seed)) for seed in range(100)]
    ends_s = sorted(max(record.end_s for record in run.results) for run in runs)
    assert 40 < ends_s[15] < ends_s[85] < 100
    assert sum(record.started_by == "Backfill" for run in runs for record in run.results) > 400
