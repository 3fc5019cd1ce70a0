"""The likely cause of a step's failure, from Slurm's word and from its log."""

from datetime import UTC, datetime, timedelta

import pytest

from lute.airflow_api.models import TaskInstance, TaskState
from lute.launch.causes import exit_code, likely_cause
from lute.launch.steps import Step, StepJob, Steps, read_job
from lute.launch.table import duration, reasons, table_lines
from lute.slurm.records import SlurmJob
from lute.slurm.states import SlurmState

T0 = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def slurm_job(
    state: SlurmState | None, code: str = "1:0", *, wait_s: float = 5, run_s: float = 60
) -> SlurmJob:
    start = T0 + timedelta(seconds=wait_s)
    end = start + timedelta(seconds=run_s)
    return SlurmJob("7", "Tester", state, "", code, "n1", 4, "milano", "a", T0, start, end, "/l/7.out", "/w")


def step(
    log: str = "", *, state: TaskState = TaskState.FAILED, slurm: SlurmJob | None = None, spoken: bool = True
) -> Step:
    instance = TaskInstance("Tester", -1, state, 1, T0, T0 + timedelta(seconds=70))
    return Step(instance, StepJob("7", "FAILED", "/l/7.out"), slurm, spoken, log)


@pytest.mark.parametrize(
    ("log", "cause"),
    [
        ("slurmstepd: error: Detected 1 oom-kill event(s) in StepId=7.batch.", "out of memory"),
        ("Traceback\nMemoryError", "out of memory"),
        ("*** JOB 7 ON n1 CANCELLED AT 2026-11-22T12:00:00 DUE TO TIME LIMIT ***", "its time limit"),
        ("*** JOB 7 ON n1 CANCELLED AT 2026-11-22T12:00:00 DUE TO NODE FAILURE ***", "its node failed"),
        ("*** JOB 7 ON n1 CANCELLED AT 2026-11-22T12:00:00 ***", "cancelled in Slurm"),
        ("OSError: [Errno 122] Disk quota exceeded: 'x'", "a disk quota"),
        ("OSError: [Errno 28] No space left on device", "a full disk"),
        ("Traceback\nModuleNotFoundError: No module named 'psana'", "No module named 'psana'"),
        ("x: error while loading shared libraries: libhdf5.so.1: cannot open", "libhdf5.so.1"),
        ("/bin/sh: line 1: indexamajig: command not found", "a program is missing: indexamajig"),
        ("FileNotFoundError: [Errno 2] No such file or directory: '/a b.h5'", "'/a b.h5'"),
        ("cat: x: No such file or directory", "a file is missing"),
        ("x: Failed to read '/a b.cxi': truncated file", "a file cannot be read: x: Failed to read"),
        ("PermissionError: [Errno 13] Permission denied: '/d'", "Permission denied: '/d'"),
        ("Bus error (core dumped)", "a bus error"),
        ("Segmentation fault (core dumped)", "segmentation fault"),
        ("MPI_ABORT was invoked on rank 3 in communicator", "an MPI rank gave up"),
        ("error: the JID refused the token", "the JID refused the token: launch again"),
        ("could not do it: sbatch: error: invalid partition specified: x", "invalid partition specified: x"),
        ("[no log: TypeError: a bug]", "TypeError: a bug"),
        (
            'warning: Permission denied\nLUTE-VERDICT {"status": "FAILED", "message": "no hits\\n  in 5"}',
            "no hits in 5",
        ),
        ('LUTE-VERDICT {"status": "FAILED", "message": "x: No space left on device"}', "a full disk"),
        (
            'MemoryError\nLUTE-VERDICT {"status": "FAILED", "message": "T ended with exit code 1"}',
            "out of memory",
        ),
        (
            'LUTE-VERDICT {"status": "FAILED", "message": "T ended with exit code 1"}',
            "T ended with exit code 1",
        ),
        (
            'bus error\nLUTE-VERDICT {"status": "FAILED", "message": "T ended with exit code 135 (SIGBUS)"}',
            "a bus error",
        ),
        (
            'x\nLUTE-VERDICT {"status": "FAILED", "message": "T ended with exit code 139 (SIGSEGV)"}',
            "T ended with exit code 139 (SIGSEGV)",
        ),
        (
            'MemoryError\nLUTE-VERDICT {"status": "FAILED", "message": "T ended with exit code 3: no cell"}',
            "T ended with exit code 3: no cell",
        ),
        ('MemoryError\nLUTE-VERDICT {"status": "COMPLETED", "message": "fine"}', "out of memory"),
        ('MemoryError\nLUTE-VERDICT {"status": "FAIL', "out of memory"),
        ("MemoryError\nLUTE-VERDICT [1]", "out of memory"),
        ('MemoryError\nLUTE-VERDICT {"message": 3}', "out of memory"),
        ("Permission denied: 'a'\nBus error", "a bus error"),
        ("{0} Permission denied {1} {x}", "Permission denied"),
    ],
)
def test_a_log_tells_what_went_wrong(log: str, cause: str) -> None:
    assert cause in likely_cause(step(log))


@pytest.mark.parametrize(
    ("state", "cause"),
    [
        (SlurmState.OUT_OF_MEMORY, "out of memory"),
        (SlurmState.TIMEOUT, "its time limit"),
        (SlurmState.NODE_FAIL, "its node failed"),
        (SlurmState.CANCELLED, "cancelled in Slurm"),
        (SlurmState.PREEMPTED, "preempted"),
    ],
)
def test_slurms_word_counts_more_than_the_log(state: SlurmState, cause: str) -> None:
    assert likely_cause(step("Bus error", slurm=slurm_job(state))).startswith(cause)


@pytest.mark.parametrize(
    ("state", "code", "shown"),
    [
        (SlurmState.FAILED, "3:0", "3"),
        (SlurmState.FAILED, "3:", "3"),
        (SlurmState.FAILED, "3", "3"),
        (SlurmState.FAILED, "0:9", "signal 9"),
        (SlurmState.COMPLETED, "0:0", "0"),
        (SlurmState.RUNNING, "0:0", ""),
        (None, "0:0", ""),
    ],
)
def test_an_exit_code_is_a_number_or_a_signal(state: SlurmState | None, code: str, shown: str) -> None:
    assert exit_code(step(slurm=slurm_job(state, code))) == shown


def test_a_script_that_ended_well_tells_nothing() -> None:
    assert likely_cause(step("hm", slurm=slurm_job(SlurmState.COMPLETED, "0:0"))) == ""


def test_without_a_hint_the_exit_code_is_all_there_is() -> None:
    assert (
        likely_cause(step("hm", slurm=slurm_job(SlurmState.FAILED, "3:0")))
        == "its script ended with exit code 3"
    )
    assert (
        likely_cause(step("hm", slurm=slurm_job(SlurmState.FAILED, "0:11")))
        == "its script ended with signal 11"
    )
    assert likely_cause(step("hm")) == ""
    assert likely_cause(step("", spoken=False)).startswith("stopped from outside")


def test_only_failed_steps_have_a_cause() -> None:
    assert likely_cause(step("Bus error", state=TaskState.SUCCESS)) == ""
    assert likely_cause(step("", state=TaskState.UPSTREAM_FAILED)) == "a step before it failed"


def test_a_job_that_goes_on_has_no_exit_code() -> None:
    assert exit_code(step(slurm=slurm_job(SlurmState.RUNNING, "0:0"))) == ""
    assert exit_code(step(slurm=slurm_job(None, "0:0"))) == ""
    assert exit_code(step(slurm=slurm_job(SlurmState.COMPLETED, "0:0"))) == "0"
    assert exit_code(step()) == ""


def test_the_table_has_waits_and_run_times_from_slurm_or_else_from_airflow() -> None:
    mapped = Step(TaskInstance("M", 3, TaskState.UPSTREAM_FAILED, 0))
    head, first, second, third = table_lines(
        [step(slurm=slurm_job(SlurmState.FAILED, "2:0", wait_s=7, run_s=3725)), step(), mapped]
    )
    assert head.split()[:3] == ["step", "state", "tries"]
    assert " ".join(first.split()) == "Tester failed 1 7 7 s 1:02:05 22 Nov 12:00:00 22 Nov 12:01:10 2"
    assert " ".join(second.split()) == "Tester failed 1 7 1:10 22 Nov 12:00:00 22 Nov 12:01:10"
    assert third.split() == ["M[3]", "upstream_failed"]


def test_the_reasons_show_the_log_s_end_again() -> None:
    assert reasons(
        [step("a\nBus error"), step("x", state=TaskState.SUCCESS, slurm=slurm_job(SlurmState.COMPLETED))]
    ) == [
        "Tester failed; likely cause: a bus error: often a full /dev/shm, or a file that became shorter",
        "  a",
        "  Bus error",
        "  all of it: /l/7.out",
    ]


@pytest.mark.parametrize("slurm", [None, slurm_job(SlurmState.CANCELLED, "0:15")])
def test_a_success_whose_job_failed_is_never_left_without_a_word(slurm: SlurmJob | None) -> None:
    (line,) = reasons([step(state=TaskState.SUCCESS, slurm=slurm)])
    assert line.startswith("WARNING: Tester is a success in Airflow, but its Slurm job 7 ended as ")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, ""), (0, "0 s"), (59.4, "59 s"), (60, "1:00"), (3599.6, "1:00:00"), (90_061, "25:01:01")],
)
def test_durations(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize("text", [None, "", "not json", "[]", "3", '{"tool_id": null}'])
def test_what_no_operator_pushed_is_an_unknown_job(text: str | None) -> None:
    assert read_job(text) == StepJob()


def test_steps_that_airflow_tells_no_more_of_are_forgotten() -> None:
    steps = Steps()
    steps.update([TaskInstance("M", -1, TaskState.SCHEDULED, 0)])
    steps.update([TaskInstance("M", 0, TaskState.SCHEDULED, 0), TaskInstance("M", 1, TaskState.SCHEDULED, 0)])
    assert [found.label for found in steps] == ["M[0]", "M[1]"]
