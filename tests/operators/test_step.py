"""What one execution of a step hands on."""

import logging
from typing import Any

import pytest

from lute.jid.documents import JobRecord, parse_run_conf
from lute.jid.submission import Submission
from lute.jid.wire import parse_record
from lute.operators import step
from lute.operators.step import Step
from tests.fakes import CONF, fake_runtime, settings

RECORD = parse_record({"tool_id": "7", "status": "RUNNING"})


class FakeClient:
    """Notes how it was made and what it was asked."""

    made: list["FakeClient"]

    def __init__(self, base_url: str, token: Any, **kwargs: Any) -> None:
        self.base_url, self.token, self.kwargs = base_url, token, kwargs
        self.asked: list[Any] = []
        self.made.append(self)

    def cancel_submission(self, document: dict[str, Any]) -> None:
        self.asked.append(document)

    def kill_job(self, record: JobRecord) -> None:
        self.asked.append(record)


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> list[FakeClient]:
    FakeClient.made = []
    monkeypatch.setattr(step, "JidClient", FakeClient)
    monkeypatch.setattr(step, "current_runtime", fake_runtime)
    monkeypatch.setattr(step, "environment", lambda: {"LUTE_SITE": "here"})
    monkeypatch.setattr(step, "load_settings", lambda env: settings(name=env["LUTE_SITE"]))
    return FakeClient.made


def new_step(**changes: Any) -> Step:
    return Step(
        parse_run_conf(CONF | changes),
        Submission("d", "r", "Tester"),
        find_jid=lambda site: f"http://jid.{site.name}",
        task="Tester",
        slurm_arguments=["--ntasks=2"],
        run_as_user="u",
        log=logging.getLogger("test"),
        stopped=lambda: False,
    )


def test_requests_are_patient_or_not(clients: list[FakeClient]) -> None:
    made = new_step()
    assert (made.base_url, made.authorization) == ("http://jid.here", "Bearer secret-token")
    assert [client.kwargs["patience_s"] for client in clients] == [settings().timeouts.outage_s, 0.0]
    for client in clients:
        assert client.base_url == "http://jid.here"
        assert client.token() == "Bearer secret-token"
        assert client.kwargs["is_renewed"] is False
    new_step(Authorization="variable:lute_token_x")
    assert all(client.kwargs["is_renewed"] for client in clients[2:])


@pytest.mark.parametrize("debug", [True, False])
def test_debugging_reaches_the_submit_script(clients: list[FakeClient], debug: bool) -> None:
    document = new_step(lute_params={"config_file": "/c.yaml", "debug": debug}).document
    words = ["-c /c.yaml -t Tester", *["--debug"] * debug, "--submission-id r@d/Tester/-1 --try 1 --ntasks=2"]
    assert document["def"]["parameters"] == " ".join(words)


def test_a_kill_has_a_client_of_its_own_and_asks_airflow_nothing(clients: list[FakeClient]) -> None:
    made = new_step(Authorization="variable:lute_token_x")  # the clients here have not asked for it so far
    made.kill(RECORD, 2.0)
    made.kill(None, 3.0)
    first, second = clients[2:]
    assert (first.asked, first.kwargs["patience_s"]) == ([RECORD], 2.0)
    assert (second.asked, second.kwargs["patience_s"]) == ([made.document], 3.0)
    assert first.token() == second.token() == ""
