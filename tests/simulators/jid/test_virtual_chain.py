"""Production's client, over the network of the virtual world, down to a job and its log."""

from collections.abc import Callable, Mapping
from functools import partial
from random import Random

import pytest

from lute.errors import PermanentError
from lute.jid.client import JidClient
from lute.jid.documents import JobRecord
from lute.jid.status import JobStatus
from lute.seams import Runtime
from lute.settings import TimeoutSettings
from simulators.kernel.actors import Actors
from simulators.kernel.trace import Trace
from simulators.net.exchange import Exchange, Failure
from simulators.net.network import Network
from simulators.net.session import VirtualSession
from simulators.slurm.models import JobModel
from tests.fakes import FakeClock, FakeIdentity
from tests.simulators.jid.virtual_world import SITE_WANTS, World, document


class Loser:
    """Loses the replies of start_job."""

    def before(self, exchange: Exchange) -> None:
        if exchange.endpoint == "jid.start_job" and exchange.number == 1:
            exchange.faults.append(1)

    def after(self, exchange: Exchange) -> None:
        exchange.failure = Failure.RESET


class Chain(World):
    """A world with a network, and clients in actors of their own."""

    def __init__(self, models: Mapping[str, JobModel] | None = None) -> None:
        super().__init__(models)
        self.actors = Actors(self.agenda)
        self.trace = Trace()
        self.network = Network(self.actors, self.trace, Random(1))
        self.network.serve("jid", self.server)

    def client(self, token: str | None = None) -> JidClient:
        clock = FakeClock()
        clock.sleep = self.actors.sleep  # type: ignore[method-assign]
        clock.monotonic = lambda: self.agenda.now_s  # type: ignore[method-assign]
        runtime = Runtime(
            clock=clock, new_session=lambda: VirtualSession(self.network), identity=FakeIdentity()
        )
        return JidClient(
            "http://jid/jid/ws",
            lambda: token or self.token,
            runtime=runtime,
            timeouts=TimeoutSettings(),
            patience_s=TimeoutSettings().outage_s,
        )

    def do(self, *work: Callable[[], object]) -> None:
        """Let each do its work at the same time; all of it must succeed."""
        actors = [self.actors.spawn(f"client {number}", one) for number, one in enumerate(work)]
        self.agenda.run()
        assert all(actor.is_over for actor in actors)
        assert [actor.error for actor in actors] == [None] * len(actors)


def whole_job(chain: Chain, task: str) -> tuple[list[JobStatus | None], str, float]:
    """Run a job to its end; return each new status, its log, and when it was known to be over."""
    client = chain.client()
    record = client.start_job(document(task))
    statuses: list[JobStatus | None] = [record.status]
    while record.status is None or record.status.is_active:
        chain.actors.sleep(5)
        [record] = client.job_statuses([record])
        if record.status is not statuses[-1]:
            statuses.append(record.status)
    return statuses, client.job_log_file(record), chain.agenda.now_s


def test_a_whole_job_from_its_start_to_its_log() -> None:
    chain = Chain({"Tester": JobModel(1800, log="calibrated ü\n")})
    start_s = chain.agenda.now_s
    seen: list[tuple[list[JobStatus | None], str, float]] = []
    chain.do(lambda: seen.append(whole_job(chain, "Tester")))
    statuses, log, end_s = seen[0]
    assert statuses == [JobStatus.SUBMITTED, JobStatus.RUNNING, JobStatus.DONE]
    assert log == "calibrated ü\n"
    assert 1800 < end_s - start_s < 1820


def test_many_jobs_at_once_end_as_their_models_say_and_twice_the_same() -> None:
    def run() -> tuple[dict[str, tuple[list[JobStatus | None], str, float]], str]:
        models = {
            f"T{number}": JobModel(60 + number, exit_code=number % 2, log=f"{number}\n")
            for number in range(20)
        }
        chain = Chain(models)
        ends: dict[str, tuple[list[JobStatus | None], str, float]] = {}

        def one(task: str) -> None:
            ends[task] = whole_job(chain, task)

        chain.do(*(partial(one, task) for task in models))
        return ends, chain.trace.digest

    ends, digest = run()
    assert {task: end[0][-1] for task, end in ends.items()} == {
        f"T{number}": JobStatus.FAILED if number % 2 else JobStatus.DONE for number in range(20)
    }
    assert {task: end[1] for task, end in ends.items()} == {
        f"T{number}": f"{number}\n" for number in range(20)
    }
    assert run() == (ends, digest)


def test_a_kill_reaches_slurm() -> None:
    chain = Chain({"Tester": JobModel(1e6)})
    last: list[JobRecord] = []

    def work() -> None:
        client = chain.client()
        record = client.start_job(document())
        chain.actors.sleep(60)
        client.kill_job(record)
        chain.actors.sleep(10)
        last.extend(client.job_statuses([record]))

    chain.do(work)
    assert last[0].status is JobStatus.EXITED


def test_slurms_silence_makes_the_jids_reply_late() -> None:
    chain = Chain({"Tester": JobModel(600)})
    waited_s: list[float] = []

    def work() -> None:
        client = chain.client()
        record = client.start_job(document())
        chain.slurm.is_down = True
        chain.agenda.after(30, lambda: setattr(chain.slurm, "is_down", False))
        before_s = chain.agenda.now_s
        [record] = client.job_statuses([record])
        waited_s.append(chain.agenda.now_s - before_s)
        assert record.status is JobStatus.RUNNING

    chain.do(work)
    assert waited_s[0] > 30


def test_a_lost_reply_leaves_a_job_behind_which_is_found_again() -> None:
    chain = Chain({"Tester": JobModel(60)})
    chain.network.meddler = Loser()

    def work() -> None:
        asked = document(more=f"{SITE_WANTS} --submission-id r/Tester/-1")
        assert chain.client().start_job(asked).tool_id == "1"
        assert list(chain.slurm.cluster.jobs) == [1]

    chain.do(work)
    assert chain.network.exchanges == 2


def test_a_token_of_somebody_else_opens_nothing() -> None:
    chain = Chain()

    def work() -> None:
        token = chain.tokens.issue("v", "exp", lifetime_min=60)
        with pytest.raises(PermanentError, match="for user v, not u"):
            chain.client(token).start_job(document())

    chain.do(work)
    assert not chain.slurm.cluster.jobs
