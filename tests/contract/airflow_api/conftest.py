"""The fixture `airflow`: every test of this folder runs over the two legs."""

from collections.abc import Iterator

import pytest

from tests.contract.airflow_api.cases import prepare
from tests.contract.airflow_api.legs import LEGS, Leg, Real


class Airflows:
    """Those of the session, started when first asked for."""

    def __init__(self, folders: pytest.TempPathFactory) -> None:
        self._folders = folders
        self._started: dict[type[Leg], Leg] = {}

    def get(self, kind: type[Leg]) -> Leg:
        """Return a running one, in which what the cases ask for is prepared."""
        if kind not in self._started:
            leg = kind()
            leg.start(self._folders.mktemp(kind.name))
            self._started[kind] = leg
            prepare(leg)
        return self._started[kind]

    def stop(self) -> None:
        """End them all."""
        for leg in self._started.values():
            leg.stop()


@pytest.fixture(scope="package")
def airflows(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Airflows]:
    """Those of this session."""
    started = Airflows(tmp_path_factory)
    yield started
    started.stop()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test over the two legs; the real one is a matter of minutes."""
    if "airflow" in metafunc.fixturenames:
        marks = {Real: [pytest.mark.served]}
        legs = [pytest.param(kind, id=kind.name, marks=marks.get(kind, ())) for kind in LEGS]
        metafunc.parametrize("airflow", legs, indirect=True, scope="package")


@pytest.fixture(scope="package")
def airflow(request: pytest.FixtureRequest, airflows: Airflows) -> Leg:
    """One of the two."""
    return airflows.get(request.param)
