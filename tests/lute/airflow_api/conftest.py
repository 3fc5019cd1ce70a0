from collections.abc import Iterator
from pathlib import Path

import pytest
import responses

from lute.airflow_api.client import AirflowClient
from lute.settings import Settings
from tests.fakes import FakeClock, fake_runtime, settings
from tests.lute.airflow_api.fake_airflow import URL, FakeAirflow


@pytest.fixture(params=[2, 3], ids=["airflow2", "airflow3"])
def airflow(request: pytest.FixtureRequest) -> Iterator[FakeAirflow]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield FakeAirflow(mock, request.param)


@pytest.fixture
def site(tmp_path: Path) -> Settings:
    password_file = tmp_path / "password"
    password_file.write_text("pass word\nsecond line\n")
    return settings(airflow={"url": f"{URL}/", "user": "admin", "password_file": str(password_file)})


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def client(airflow: FakeAirflow, site: Settings, clock: FakeClock) -> AirflowClient:
    return AirflowClient(site, fake_runtime(clock))
