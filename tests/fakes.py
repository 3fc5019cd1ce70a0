"""Stand-ins for the four seams, for unit tests."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import requests

from lute.seams import Runtime, SystemCommands
from lute.settings import Settings

START = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)


class FakeClock:
    """A clock that moves only when somebody sleeps; `at_sleep` may then change the world."""

    def __init__(self) -> None:
        self.elapsed_s = 0.0
        self.at_sleep: Callable[[float], None] = lambda _now_s: None

    def now(self) -> datetime:
        return START + timedelta(seconds=self.elapsed_s)

    def monotonic(self) -> float:
        return self.elapsed_s

    def sleep(self, duration_s: float) -> None:
        self.elapsed_s += max(0.0, duration_s)
        self.at_sleep(self.elapsed_s)


class FakeIdentity:
    """The same ids in every run."""

    def __init__(self) -> None:
        self._count = 0

    def uuid(self) -> uuid.UUID:
        self._count += 1
        return uuid.uuid5(uuid.NAMESPACE_OID, str(self._count))


def fake_runtime(clock: FakeClock | None = None) -> Runtime:
    return Runtime(
        clock=clock or FakeClock(),
        commands=SystemCommands(),
        new_session=requests.Session,
        identity=FakeIdentity(),
        negotiate=lambda _host, _ccache: "Negotiate dGlja2V0",
    )


def settings(**changes: object) -> Settings:
    """Return a site on reserved addresses."""
    values = {
        "name": "test",
        "airflow": {"url": "http://airflow.test", "user": "admin", "password_file": "/nonexistent"},
        "jid": {"url": "http://jid.test/jid/ws"},
        "elog": {"kerberos_url": "http://elog.test/ws-kerb", "jwt_url": "http://elog.test/ws-jwt"},
    }
    return Settings.model_validate(values | changes)


CONF = {
    "experiment": "mfxl1000126",
    "run_id": "12_2026-11-22T12:00:00.000000",
    "JID_UPDATE_COUNTERS": None,
    "ARP_ROOT_JOB_ID": "0123456789abcdef01234567",
    "ARP_LOCATION": "S3DF",
    "Authorization": "Bearer secret-token",
    "user": "scientist",
    "lute_params": {"config_file": "/data/a b/config.yaml", "debug": False},
    "slurm_params": ["--partition=milano", "--ntasks=12"],
    "lute_location": "/opt/lute",
}
"""The conf of a DAG run."""
