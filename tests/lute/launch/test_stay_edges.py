"""What a launcher looks for in Slurm once its run has ended."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from lute.jid.submission import mark_prefix
from lute.launch import main as launcher
from lute.seams.commands import Completed
from tests.fakes import FakeClock, fake_runtime
from tests.lute.airflow_api.fake_airflow import FakeAirflow, task


class Slurm:
    """Knows nothing of ended jobs; one job of the run is in its queue from some second on."""

    def __init__(self, run_id: Callable[[], str], clock: FakeClock, from_s: float) -> None:
        self.run_id, self.clock, self.from_s = run_id, clock, from_s
        self.cancelled: list[str] = []

    def run(self, argv: Sequence[str], **_options: object) -> Completed:
        if argv[0] == "scontrol":
            return Completed(1, "", "Invalid job id specified")
        if argv[0] == "scancel":
            self.cancelled.append(argv[1])
            return Completed(0, "", "")
        if argv[0] != "squeue":
            raise FileNotFoundError(argv[0])
        is_there = self.clock.elapsed_s >= self.from_s and not self.cancelled
        mark = mark_prefix("lute_test", self.run_id())
        return Completed(0, f"9|RUNNING|{mark}A/-1:1\n" if is_there else "", "")


def launched(
    airflow: FakeAirflow, argv: list[str], clock: FakeClock, monkeypatch: pytest.MonkeyPatch, from_s: float
) -> Slurm:
    """Launch a run of one step that succeeds."""
    airflow.states, airflow.tasks = ["running", "success"], [[task("A", "success")]] * 2
    slurm = Slurm(lambda: airflow.triggered[0]["dag_run_id"], clock, from_s)
    runtime = replace(fake_runtime(clock), commands=slurm)  # type: ignore[arg-type]
    monkeypatch.setattr("lute.launch.process.current_runtime", lambda: runtime)
    assert launcher.main(argv) == 0
    return slurm


DONE = '{"tool_id": "7", "status": "DONE"}'


class EndingSlurm:
    """Tells of a job that it is ending when it is asked first, and then how it has ended."""

    def __init__(self) -> None:
        self.states = ["COMPLETING", "CANCELLED"]

    def run(self, argv: Sequence[str], **_options: object) -> Completed:
        if argv[0] != "scontrol":
            return Completed(0, "", "")
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return Completed(0, f"JobId=7 JobName=A JobState={state} Reason=None ExitCode=0:15\n", "")


def test_a_job_that_was_about_to_end_is_asked_for_once_more(
    airflow: FakeAirflow,
    argv: list[str],
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    airflow.states, airflow.tasks = ["running", "success"], [[task("A", "success")]] * 2
    airflow.xcoms = {("A", "log"): "log", ("A", "job"): DONE}
    runtime = replace(fake_runtime(clock), commands=EndingSlurm())  # type: ignore[arg-type]
    monkeypatch.setattr("lute.launch.process.current_runtime", lambda: runtime)
    assert launcher.main(argv) == 0
    said = "WARNING: A is a success in Airflow, but its Slurm job 7 ended as CANCELLED"
    assert said in capsys.readouterr().out


def test_a_run_whose_steps_told_their_ends_is_looked_after_once_and_costs_no_wait(
    airflow: FakeAirflow, argv: list[str], clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    airflow.xcoms = {("A", "log"): "log", ("A", "job"): DONE}
    assert launched(airflow, argv, clock, monkeypatch, 0.0).cancelled == ["9"]
    assert clock.elapsed_s < 10


@pytest.mark.parametrize(
    "xcoms",
    [{("A", "job"): DONE}, {("A", "log"): "log", ("A", "job"): '{"tool_id": "7", "status": "RUNNING"}'}],
    ids=["no log", "no end"],
)
def test_a_run_with_a_step_that_did_not_is_looked_after_for_a_while(
    airflow: FakeAirflow,
    argv: list[str],
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
    xcoms: dict[tuple[str, str], str],
) -> None:
    airflow.xcoms = xcoms
    assert launched(airflow, argv, clock, monkeypatch, 20.0).cancelled == ["9"]
