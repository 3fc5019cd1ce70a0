"""Worlds of both versions."""

import pytest

from tests.simulators.dagrunner.rest_world import VERSIONS, World


@pytest.fixture(params=VERSIONS)
def world(request: pytest.FixtureRequest) -> World:
    """A world of each version."""
    return World(request.param)


@pytest.fixture
def airflow2() -> World:
    """A world of Airflow 2."""
    return World(VERSIONS[0])


@pytest.fixture
def airflow3() -> World:
    """A world of Airflow 3."""
    return World(VERSIONS[1])
