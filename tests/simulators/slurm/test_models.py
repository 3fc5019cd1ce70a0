"""Jobs of the virtual world: what a model does, its job does."""

from signal import SIGUSR1

import pytest

from simulators.slurm.models import JobModel
from tests.simulators.slurm.virtual import START_S, Virtual, outcome

OUT = "/slurm-1.out"


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (JobModel(5), "COMPLETED None 0:0"),
        (JobModel(5, exit_code=3), "FAILED NonZeroExitCode 3:0"),
        (JobModel(5, exit_code=255), "FAILED NonZeroExitCode 255:0"),
        (JobModel(5, exit_signal=9), "FAILED JobLaunchFailure 0:9"),
        (JobModel(5, is_out_of_memory=True), "OUT_OF_MEMORY OutOfMemory 0:125"),
        (JobModel(5, exit_code=2, is_out_of_memory=True), "OUT_OF_MEMORY OutOfMemory 0:125"),
        (JobModel(fails_to_launch=True), "FAILED JobLaunchFailure 0:53"),
    ],
)
def test_how_a_job_ends(model: JobModel, expected: str) -> None:
    virtual = Virtual()
    job = virtual.submit(model=model)
    virtual.agenda.run()
    assert outcome(job) == expected
    assert job.start_s is not None
    assert job.end_s is not None
    assert job.end_s - job.start_s == pytest.approx(0.05 if model.fails_to_launch else 5.15)
    virtual.check()


def test_what_it_prints() -> None:
    virtual = Virtual()
    virtual.submit(model=JobModel(5, log="hello\n"))
    virtual.submit(model=JobModel(5, is_out_of_memory=True), name="oom", stdout="%x.%j", stderr="err")
    virtual.submit(model=JobModel(fails_to_launch=True, log="never"))
    virtual.agenda.run()
    assert set(virtual.launcher.files) == {OUT, "/oom.2", "/err"}
    assert virtual.launcher.files[OUT] == "hello\n"
    assert virtual.launcher.files["/err"].startswith(
        "slurmstepd: error: Detected 1 oom-kill event(s) in StepId=2.batch."
    )


@pytest.mark.parametrize(
    ("model", "wait_s", "expected"),
    [
        (JobModel(float("inf")), 0.1, "CANCELLED None 0:15"),
        (JobModel(float("inf"), on_term=0), 0.1, "CANCELLED None 0:0"),
        (JobModel(float("inf"), on_term=7), 0.1, "CANCELLED None 7:0"),
        (JobModel(float("inf"), ignores_term=True), 5.1, "CANCELLED None 0:9"),
    ],
)
def test_how_it_takes_sigterm(model: JobModel, wait_s: float, expected: str) -> None:
    virtual = Virtual()
    job = virtual.submit(model=model)
    virtual.pass_time(60)
    virtual.controller.cancel(job.id)
    ended = virtual.agenda.now_s
    virtual.pass_time(wait_s - 0.01)
    assert outcome(job) == "COMPLETING None 0:0"
    virtual.pass_time(0.02)
    assert outcome(job) == expected
    assert job.end_s == ended  # measured: of the scancel, not of the kill
    assert "*** JOB 1 ON sdfmilan001 CANCELLED AT 2027-01-" in virtual.launcher.files[OUT]


def test_a_job_stopped_before_its_script_began() -> None:
    virtual = Virtual()
    job = virtual.submit(model=JobModel(fails_to_launch=True))
    while not job.is_placed:
        virtual.step()
    virtual.controller.cancel(job.id)
    virtual.agenda.run()
    assert outcome(job) == "CANCELLED None 0:15"
    assert virtual.ends == {1: 1}


def test_a_requeued_job_starts_with_empty_output_unless_it_appends() -> None:
    virtual = Virtual()
    jobs = [
        virtual.submit(model=JobModel(300, log=f"{name}\n"), stdout=name, append=name == "append")
        for name in ("truncate", "append")
    ]
    virtual.pass_time(10)
    for job in jobs:
        virtual.controller.requeue(job.id)
    virtual.agenda.run()
    assert virtual.launcher.files["/truncate"] == "truncate\n"
    first, line, second = virtual.launcher.files["/append"].splitlines()
    assert (first, second) == ("append", "append")
    assert line.endswith(" DUE TO JOB REQUEUE ***")


def test_a_model_may_change_from_start_to_start() -> None:
    virtual = Virtual()
    job = virtual.submit(
        model=lambda job: JobModel(5, exit_code=1 - job.restarts) if job.restarts else JobModel(900)
    )
    virtual.pass_time(10)
    virtual.controller.requeue(job.id)
    virtual.agenda.run()
    assert (outcome(job), job.restarts) == ("COMPLETED None 0:0", 1)


def test_signals() -> None:
    virtual = Virtual()
    job = virtual.submit(100)
    virtual.pass_time(10)
    virtual.controller.send(job.id, SIGUSR1, script_only=True)
    virtual.pass_time(10)
    assert outcome(job) == "RUNNING None 0:0"
    virtual.launcher.on_signal = lambda _, number: 9 if number == SIGUSR1 else None
    virtual.controller.send(job.id, SIGUSR1, script_only=True)
    virtual.pass_time(1)
    assert outcome(job) == "FAILED NonZeroExitCode 9:0"  # measured: no CANCELLED


def test_the_launcher_keeps_nothing_of_jobs_that_ended() -> None:
    virtual = Virtual()
    for model in (JobModel(1), JobModel(fails_to_launch=True), JobModel(float("inf"))):
        virtual.submit(model=model)
    virtual.pass_time(10)
    virtual.controller.cancel(3)
    virtual.pass_time(1)
    assert virtual.launcher._ends == {}
    assert virtual.launcher._models == {}
    assert virtual.agenda.now_s == START_S + 11
