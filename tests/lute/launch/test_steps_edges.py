"""What a step, its DAG file and its log tell in rarer cases."""

from pathlib import Path

import pytest

from lute.airflow_api.models import TaskState
from lute.launch.caps import StepCaps, read_caps
from lute.launch.causes import likely_cause
from lute.launch.steps import StepJob
from lute.slurm.states import SlurmState
from tests.lute.launch.test_causes import slurm_job, step
from tests.lute.launch.test_follow import Stage


@pytest.mark.parametrize(
    ("job", "is_certain"),
    [
        (StepJob(), True),
        (StepJob("", "START"), False),
        (StepJob("7", ""), False),
        (StepJob("7", "RUNNING"), False),
        (StepJob("7", "FAILED"), True),
    ],
)
def test_whether_a_job_can_be_left(job: StepJob, is_certain: bool) -> None:
    found = step()
    found.job = job
    assert found.is_certain is is_certain
    found.has_spoken = False
    assert not found.is_certain


def test_a_state_that_slurm_has_not_settled_is_not_final() -> None:
    states = (None, SlurmState.COMPLETING, SlurmState.COMPLETED)
    assert [step(slurm=slurm_job(state)).has_final_slurm_state for state in states] == [False, False, True]
    assert not step().has_final_slurm_state


@pytest.mark.parametrize(
    ("state", "slurm", "contradiction"),
    [
        (TaskState.SUCCESS, SlurmState.FAILED, "FAILED"),
        (TaskState.SUCCESS, SlurmState.COMPLETED, ""),
        (TaskState.SUCCESS, None, "FAILED"),
        (TaskState.FAILED, SlurmState.FAILED, ""),
        (TaskState.SKIPPED, None, ""),
    ],
)
def test_only_a_success_can_be_contradicted_by_its_job(
    state: TaskState, slurm: SlurmState | None, contradiction: str
) -> None:
    found = step(state=state, slurm=None if slurm is None else slurm_job(slurm))
    assert found.contradiction == contradiction


def test_a_job_that_slurm_has_forgotten_contradicts_only_by_the_jids_last_word() -> None:
    found = step(state=TaskState.SUCCESS)
    for word, contradiction in (("DONE", ""), ("RUNNING", ""), ("", ""), ("EXITED", "EXITED")):
        found.job = StepJob("7", word)
        assert found.contradiction == contradiction


@pytest.mark.parametrize(
    ("log", "cause"),
    [
        ("Illegal instruction (core dumped)", "a program built for other processors"),
        (
            "*** JOB 7 ON n1 CANCELLED AT 2026-11-22T12:00:00 DUE TO PREEMPTION ***",
            "preempted by a job of more priority",
        ),
        ("terminate called after throwing an instance of 'std::bad_alloc'", "out of memory"),
        ("OSError: [Errno 12] Cannot allocate memory", "out of memory"),
        ("ImportError: libGL.so.1: cannot open shared object file", "a Python module is missing"),
        ("Couldn't open file '/a.cxi'", "a file cannot be read"),
        ("application called MPI_Abort(MPI_COMM_WORLD, 1) - process 0", "an MPI rank gave up"),
        ("HTTP 401: token has expired", "the token expired"),
        ("n1: task 0: DUE TO SIGNAL Terminated", "cancelled in Slurm"),
    ],
)
def test_a_log_tells_of_rarer_causes(log: str, cause: str) -> None:
    assert likely_cause(step(log)).startswith(cause)


@pytest.mark.parametrize(
    ("state", "cause"),
    [
        (SlurmState.BOOT_FAIL, "its node did not start: launch again"),
        (SlurmState.NODE_FAIL, "its node failed: launch again"),
        (SlurmState.DEADLINE, "its deadline in Slurm"),
    ],
)
def test_slurm_tells_of_rarer_causes(state: SlurmState, cause: str) -> None:
    assert likely_cause(step("Bus error", slurm=slurm_job(state))) == cause


def test_limits_are_read_beside_what_is_computed(tmp_path: Path) -> None:
    file = tmp_path / "dag.py"
    file.write_text("JIDSlurmOperator(task_id='a', max_cores=2, dag=dag, **more)\n")
    assert read_caps(file) == {"a": StepCaps(max_cores=2)}


def test_a_dag_file_that_is_no_text_has_no_limits(tmp_path: Path) -> None:
    file = tmp_path / "dag.py"
    file.write_bytes(b"# caf\xe9\nJIDSlurmOperator(task_id='a')\n")
    assert read_caps(file) == {}


def test_a_line_without_end_that_goes_on_is_followed() -> None:
    stage = Stage()
    long = b"x" * 20_000
    assert stage.poll(long) == [f"Tester | {long.decode()}"]
    assert stage.poll(long + b"yz\nnext\n") == ["Tester | yz", "Tester | next"]
