"""The fixture `slurm`: every test of this folder runs over the three legs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from simulators.realslurm import missing
from tests.contract.slurm.cluster import Slurm
from tests.contract.slurm.legs import LEGS, Leg, Real
from tests.contract.slurm.profiles import DEFAULT, Profile


class Clusters:
    """The clusters of the session, started when first asked for."""

    def __init__(self) -> None:
        self._started: dict[tuple[str, str], Leg] = {}

    def get(self, kind: type[Leg], profile: Profile) -> Leg:
        """Return a running cluster."""
        key = kind.name, profile.name
        if key not in self._started:
            leg = kind(profile)
            leg.start()
            self._started[key] = leg
        return self._started[key]

    def stop(self) -> None:
        """End them all."""
        for leg in self._started.values():
            leg.stop()


@pytest.fixture(scope="session")
def clusters() -> Iterator[Clusters]:
    """The clusters of this session."""
    started = Clusters()
    yield started
    started.stop()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test over the three legs, on the clusters that its `profile` mark names."""
    if "leg" in metafunc.fixturenames:
        metafunc.parametrize("leg", LEGS, ids=[kind.name for kind in LEGS], scope="session")


@pytest.fixture
def slurm(
    leg: type[Leg], clusters: Clusters, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Slurm]:
    """An empty cluster, and a work folder of the test's own."""
    mark = request.node.get_closest_marker("profile")
    profile: Profile = mark.args[0] if mark else DEFAULT
    reason = missing(with_accounting=profile.accounting) if leg is Real else ""
    if reason:
        pytest.skip(reason)
    cluster = clusters.get(leg, profile)
    cluster.work = tmp_path
    keeps_jobs = "keeps_jobs" in request.keywords
    if cluster.free_cores and not keeps_jobs:
        cluster.forget_jobs()
        cluster.free_cores = []
    yield Slurm(cluster)
    if not keeps_jobs:
        cluster.forget_jobs()
