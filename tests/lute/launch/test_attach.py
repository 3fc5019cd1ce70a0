"""Launchers that go on with a run: by --attach, or because Slurm has started them again."""

import contextlib
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from lute.launch import main as launcher
from lute.launch import process
from tests.fakes import FakeClock
from tests.lute.airflow_api.fake_airflow import URL, FakeAirflow, task
from tests.lute.launch.conftest import FakeKeeper


def test_a_run_that_exists_is_followed_without_a_configuration(
    airflow: FakeAirflow, argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    airflow.states = ["running", "success"]
    airflow.tasks = [
        [task("A", "success"), task("B", "running")],
        [task("A", "success"), task("B", "success")],
    ]
    airflow.xcoms = {("A", "log"): "text of A", ("B", "log"): "text of B"}
    assert launcher.main(["--attach", "r 1", "-w", "test"]) == 0
    out = capsys.readouterr().out
    assert "Workflow test attached: DAG run r 1" in out
    assert (out.count("text of A"), out.count("text of B")) == (1, 1)
    assert not airflow.triggered


@pytest.mark.parametrize(
    ("in_env", "more", "run_id", "experiment"),
    [
        ("exp", ["-e", "other"], "exp_r12_x", "exp"),
        ("exp", [], "exp2_r12_x", "exp2"),
        ("", ["-e", "other"], "exp2_r12_x", "exp2"),
        ("", ["-e", "other"], "mine", "other"),
        ("", [], "exp2_r12_r13_x", "exp2"),
        ("", [], "mine", ""),
    ],
)
def test_the_token_of_an_attached_run_is_kept(
    airflow: FakeAirflow,
    argv: list[str],
    monkeypatch: pytest.MonkeyPatch,
    in_env: str,
    more: list[str],
    run_id: str,
    experiment: str,
) -> None:
    FakeKeeper.made = []
    monkeypatch.setattr("lute.launch.attach.TokenKeeper", FakeKeeper)
    env = dict(process.environment()) | {"EXPERIMENT": in_env}
    monkeypatch.setattr("lute.launch.process.environment", lambda: env)
    airflow.states, airflow.tasks = ["running", "success"], [[task("A", "running")], [task("A", "success")]]
    assert launcher.main(["--attach", run_id, "-w", "test", *more]) == 0
    (keeper,) = FakeKeeper.made
    is_of_another = experiment not in (in_env or (more or [experiment])[-1],)
    assert keeper.authorization == ("" if is_of_another else "Bearer s3cr3t-token-x")
    assert keeper.calls == ["resume", "keep", "close"]
    assert (keeper.kwargs["experiment"], keeper.kwargs["run_id"]) == (experiment, run_id)
    assert keeper.kwargs["tickets"] is None
    assert keeper.kwargs["settings"].airflow.url == URL
    assert keeper.kwargs["airflow"].requests == len(airflow.requests)
    assert keeper.kwargs["runtime"].clock is not None
    keeper.kwargs["say"]("said")


def test_an_attached_run_of_a_users_own_workflow_takes_that_away_at_its_end(
    airflow: FakeAirflow, argv: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    withdrawn: list[str] = []

    @contextlib.contextmanager
    def withdrawn_at_end(_airflow: Any, run_id: str, surroundings: Any, tell: Any) -> Iterator[None]:
        yield
        surroundings.signals.ignore()
        tell("tidied")
        withdrawn.append(run_id)

    monkeypatch.setattr("lute.launch.attach.withdrawn_at_end", withdrawn_at_end)
    assert launcher.main(["--attach", "r1", "-w", "run_time"]) == 0
    assert withdrawn == ["r1"]
    assert any("/dags/lute_run_time_r1/dagRuns/r1" in asked for asked in airflow.requests)
    out = capsys.readouterr().out
    assert "tidied" in out
    assert "Workflow run_time: success" in out
    assert launcher.main(["--attach", "r1", "-w", "test"]) == 0
    assert withdrawn == ["r1"]


def test_an_interruption_ends_a_run_that_was_attached_to(
    airflow: FakeAirflow, argv: list[str], clock: FakeClock
) -> None:
    airflow.states, airflow.tasks = ["running"], [[task("A", "running")]]
    clock.at_sleep = lambda now_s: signal.raise_signal(signal.SIGINT) if now_s > 3 else None
    assert launcher.main(["--attach", "r1", "-w", "test"]) == 128 + signal.SIGINT
    assert airflow.patched == [{"state": "failed"}]


def test_a_run_that_is_not_there_cannot_be_attached_to(
    airflow: FakeAirflow, argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    airflow.gone.add("r1")
    assert launcher.main(["--attach", "r1", "-w", "test"]) == 2
    assert capsys.readouterr().err == (
        "launch_airflow.py: error: workflow test has no run 'r1'\n"
        "  next: check -w (run_time for a file's), and the id: the launcher prints it as 'DAG run'\n"
    )
    assert not airflow.patched


def test_a_launcher_that_slurm_starts_again_goes_on_with_its_run(
    airflow: FakeAirflow, argv: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    env = dict(process.environment()) | {"LUTE_LAUNCHER_JOB": "77", "ARP_JOB_ID": "root"}
    monkeypatch.setattr("lute.launch.process.environment", lambda: env)
    assert launcher.main(argv) == 0
    env["SLURM_RESTART_COUNT"] = "1"
    assert launcher.main(argv) == 0
    assert [run["dag_run_id"] for run in airflow.triggered] == ["exp_r12_root_job77"]
    assert "attached: DAG run exp_r12_root_job77, of this job's first start" in capsys.readouterr().out
    env["LUTE_LAUNCHER_JOB"] = "78"
    airflow.gone.add("exp_r12_root_job78")
    started = airflow.post_run

    def post_run(request: Any, dag_id: str) -> Any:
        airflow.gone.clear()
        return started(request, dag_id)

    monkeypatch.setattr(airflow, "post_run", post_run)
    assert launcher.main(argv) == 0, "its first life was too short to start one"
    assert len(airflow.triggered) == 2
