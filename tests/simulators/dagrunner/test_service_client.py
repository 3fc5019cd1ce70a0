"""The launcher's own client talks to the service as to Airflow."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from lute.airflow_api.client import AirflowClient
from lute.airflow_api.models import RunState, TaskState
from lute.errors import AmbiguousError, PermanentError, TransientError
from simulators.kernel.actors import Actors
from simulators.kernel.clock import VirtualClock
from simulators.kernel.events import Agenda
from simulators.kernel.trace import Trace
from simulators.net.messages import HttpReply, HttpRequest
from simulators.net.network import Network
from simulators.net.session import VirtualSession
from tests.fakes import fake_runtime, settings
from tests.simulators.dagrunner.rest_world import PASSWORD, START, USER, World

ClientOf = Callable[[World], AirflowClient]


@pytest.fixture
def client_of(tmp_path: Path) -> ClientOf:
    """Makes a client that finds out by itself which version it talks to."""

    def make(world: World) -> AirflowClient:
        agenda = Agenda(START.timestamp())
        actors = Actors(agenda)
        network = Network(actors, Trace(), Random(1))
        network.serve("airflow.test", world.server)
        password_file = tmp_path / "password"
        password_file.write_text(f"{PASSWORD}\n")
        runtime = replace(
            fake_runtime(),
            clock=VirtualClock(agenda, actors),
            new_session=lambda: VirtualSession(network),
        )
        site = {"url": "http://airflow.test", "user": USER, "password_file": str(password_file)}
        return AirflowClient(settings(airflow=site, timeouts={"retry_s": 5}), runtime)

    return make


def test_a_whole_launch(world: World, client_of: ClientOf) -> None:
    client = client_of(world)
    client.check_health()
    assert client.dag_ids() == ["flow", "many"]
    dag = client.dag("many")
    assert dag is not None
    assert dag.is_paused
    client.unpause("many")
    assert client.dag("nope") is None
    assert client.downstream("flow") == {"a": ["b"], "b": ["c"], "c": []}
    assert [report.reason for report in client.import_errors()] == ["ValueError: x"]
    client.trigger("flow", "r1", {"a": 1})
    client.trigger("flow", "r1", {"a": 1})  # again, as after a lost reply
    assert len(world.orders.state.runs) == 1
    assert client.run_state("flow", "r1") is RunState.QUEUED
    run = world.orders.state.runs["flow", "r1"]
    run.tasks["a", -1].state, run.tasks["a", -1].try_number = TaskState.SUCCESS, 1
    run.tasks["a", -1].xcoms = {"log": "text", "number": 5}
    first, second, _ = client.task_instances("flow", "r1")
    assert (first.task_id, first.state, first.try_number) == ("a", TaskState.SUCCESS, 1)
    assert second.state is TaskState.NONE
    assert client.xcom("flow", "r1", first, "log") == "text"
    assert client.xcom("flow", "r1", first, "none") is None
    client.fail_run("flow", "r1")
    assert client.run_state("flow", "r1") is RunState.FAILED


def test_all_pages_are_read(world: World, client_of: ClientOf) -> None:
    world.run("r", "many")
    assert len(client_of(world).task_instances("many", "r")) == 120


def test_the_client_outlives_its_token(airflow3: World, client_of: ClientOf) -> None:
    airflow3.run()
    client = client_of(airflow3)
    assert client.run_state("flow", "r") is RunState.QUEUED
    airflow3.orders.time += timedelta(days=2)
    assert client.run_state("flow", "r") is RunState.QUEUED


def test_refusals_and_failures_reach_the_client(world: World, client_of: ClientOf) -> None:
    client = client_of(world)
    with pytest.raises(PermanentError) as unknown:
        client.run_state("flow", "nope")
    assert unknown.value.http_status == 404
    with pytest.raises(AmbiguousError if world.is_2 else PermanentError):
        client.trigger("flow", "not a name", {})
    world.orders.components["scheduler"] = "unhealthy"
    with pytest.raises(TransientError, match="scheduler is unhealthy"):
        client.check_health()


def test_variables_are_stored_listed_and_removed(world: World, client_of: ClientOf) -> None:
    client, held = client_of(world), world.orders.state.variables
    for value in ("first", "é\n\"' {}"):
        client.set_variable("lute a/b", value)
        assert held == {"lute a/b": value}
    many = {f"lute_{number:03}": str(number) for number in range(150)}
    held |= many | {"other": ""}
    assert client.variables("lute_") == many
    for _ in range(2):  # the second time it is not there
        client.delete_variable("lute a/b")
        assert "lute a/b" not in held


def test_a_variable_that_comes_up_meanwhile_is_written_over(world: World, client_of: ClientOf) -> None:
    client, held, before = client_of(world), world.orders.state.variables, world.server.handle

    def handle(request: HttpRequest) -> HttpReply:
        if request.method == "POST" and request.url.endswith("/variables"):
            held.setdefault("lute", "somebody else's")
        return before(request)

    world.server.handle = handle  # type: ignore[method-assign]
    client.set_variable("lute", "mine")
    assert held == {"lute": "mine"}


def test_a_refusal_does_not_quote_the_value(world: World, client_of: ClientOf) -> None:
    client, before = client_of(world), world.server.handle

    def handle(request: HttpRequest) -> HttpReply:
        if "/variables" not in request.url:
            return before(request)
        return HttpReply(403, b'{"detail": "not allowed: s3cret"}')

    world.server.handle = handle  # type: ignore[method-assign]
    for change in (lambda: client.set_variable("lute", "s3cret"), lambda: client.delete_variable("lute")):
        with pytest.raises(PermanentError, match=r"Variable lute \(HTTP 403\)") as refused:
            change()
        assert "s3cret" not in str(refused.value)
        assert f"the user {USER}" in refused.value.next_step


def test_a_dag_file_is_parsed_on_request(world: World, client_of: ClientOf) -> None:
    client = client_of(world)
    for _ in range(2):  # 3.3 refuses the second request, while the first waits
        client.parse_dag_file("flow")
    assert world.orders.asked == [("reparse", "/dags/sub/flow.py")]
