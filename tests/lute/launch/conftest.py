"""An Airflow of either version, and a launcher's surroundings."""

import signal
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import pytest
import responses

from tests.fakes import FakeClock, fake_runtime
from tests.lute.airflow_api.fake_airflow import URL, FakeAirflow
from tests.lute.test_settings import GOOD


@pytest.fixture(params=[2, 3], ids=["airflow2", "airflow3"])
def airflow(request: pytest.FixtureRequest) -> Iterator[FakeAirflow]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield FakeAirflow(mock, request.param)


class NoPrograms:
    """A computer without Slurm's commands."""

    def run(self, argv: Sequence[str], **_options: object) -> NoReturn:
        raise FileNotFoundError(argv[0])

    spawn = run


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def argv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: FakeClock) -> Iterator[list[str]]:
    password_file = tmp_path / "password"
    password_file.write_text("pass word\n")
    site = tmp_path / "site.toml"
    site.write_text(GOOD.replace("http://127.0.0.1:1", URL).replace('"/p"', f'"{password_file}"'))
    config = tmp_path / "config.yaml"
    config.write_text("title: t\nexperiment: exp\nrun: 12\n---\nTest: {}\n")
    env = {
        "LUTE_SITE": str(site),
        "EXPERIMENT": "exp",
        "RUN_NUM": "12",
        "Authorization": "Bearer s3cr3t-token-x",
    }
    monkeypatch.setattr("lute.launch.process.environment", lambda: env)
    runtime = replace(fake_runtime(clock), commands=NoPrograms())
    monkeypatch.setattr("lute.launch.process.current_runtime", lambda: runtime)
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    yield ["-c", str(config), "-w", "test", "--partition=milano"]
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


class FakeKeeper:
    """Notes for whom a token is kept."""

    made: list["FakeKeeper"]
    conf_value = "variable:lute_token_x"

    def __init__(self, authorization: str, **kwargs: Any) -> None:
        self.authorization, self.kwargs = authorization, kwargs
        self.calls: list[str] = []
        self.made.append(self)

    def start(self) -> None:
        self.calls.append("start")

    def resume(self) -> None:
        self.calls.append("resume")

    def keep(self) -> None:
        self.calls.append("keep")

    def close(self) -> None:
        self.calls.append("close")
