"""A client and a JID of prepared replies."""

from collections.abc import Iterator
from typing import Any

import pytest
import responses

from lute.jid.client import JidClient
from lute.jid.documents import JobRecord
from lute.jid.status import JobStatus
from tests.fakes import FakeClock, fake_runtime, settings

BASE = "http://jid.test/jid/ws"
DOCUMENT = {
    "_id": "d1",
    "experiment": "exp",
    "user": "u",
    "status": "",
    "tool_id": "",
    "def": {"executable": "/x/submit_slurm.sh", "parameters": "-t T --submission-id r/T/-1 --try 1"},
}
LIMITS = settings().timeouts


def new_client(
    clock: FakeClock,
    *tokens: str,
    patience_s: float = LIMITS.outage_s,
    url: str = BASE + "/",
    renewed: bool = False,
) -> JidClient:
    """Return a client whose token is the next one each time that it is asked for, the last one for ever."""
    left = list(tokens or ["Bearer tok"])
    return JidClient(
        url,
        lambda: left.pop(0) if len(left) > 1 else left[0],
        runtime=fake_runtime(clock),
        timeouts=LIMITS,
        patience_s=patience_s,
        **({"is_renewed": True} if renewed else {}),
    )


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def client(clock: FakeClock) -> JidClient:
    return new_client(clock)


@pytest.fixture
def jid() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def ok(value: Any) -> dict[str, Any]:
    return {"success": True, "value": value}


RECORD = JobRecord("7", JobStatus.SUBMITTED, "SUBMITTED", None, DOCUMENT | {"tool_id": "7"})
