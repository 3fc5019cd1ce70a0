"""Airflow finds the provider package and its connection type."""

import importlib
import importlib.metadata

import pytest

from lute.operators._compat import AirflowNotFoundException
from lute.operators.hook import JidHook
from tests.fakes import settings


def test_airflow_can_load_what_the_entry_point_names() -> None:
    entries = importlib.metadata.entry_points(group="apache_airflow_provider")
    info = next(entry for entry in entries if entry.value.startswith("lute.")).load()()
    (connection,) = info["connection-types"]
    module, _, name = connection["hook-class-name"].rpartition(".")
    assert getattr(importlib.import_module(module), name) is JidHook
    assert connection["connection-type"] == JidHook.conn_type
    assert info["versions"] == [importlib.import_module("lute").__version__]
    assert (info["package-name"], info["name"]) == ("lute", "LUTE")
    assert (
        info["description"] == "Runs managed Tasks of LUTE in Slurm through the job interface daemon (JID)."
    )


def test_airflows_form_for_a_connection_asks_for_the_address_alone() -> None:
    assert JidHook.get_ui_field_behaviour() == {
        "hidden_fields": ["schema", "login", "password", "port", "extra"],
        "relabeling": {"host": "Base URL"},
        "placeholders": {"host": "https://host/prefix/jid/ws"},
    }


def test_the_connection_is_the_one_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def found(_self: object, name: str) -> FakeConnection:
        return FakeConnection(f"https://{name}.example")

    monkeypatch.setattr(JidHook, "get_connection", found)
    assert JidHook().base_url(settings()) == "https://jid_default.example"
    assert JidHook("other").base_url(settings()) == "https://other.example"


class FakeConnection:
    def __init__(self, host: str | None, schema: str | None = None, port: int | None = None) -> None:
        self.host, self.schema, self.port = host, schema, port


def test_the_address_of_the_connection_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    for connection, url in (
        (FakeConnection("https://jid.example/prefix/jid/ws"), "https://jid.example/prefix/jid/ws"),
        (FakeConnection("jid.example/jid/ws"), "https://jid.example/jid/ws"),
        (FakeConnection("jid.example", "http", 8446), "http://jid.example:8446"),
        (FakeConnection("jid.example/jid/ws", "http", 8446), "http://jid.example:8446/jid/ws"),
        (FakeConnection(""), "http://jid.test/jid/ws"),
        (FakeConnection(None), "http://jid.test/jid/ws"),
    ):
        monkeypatch.setattr(JidHook, "get_connection", lambda _self, _name, found=connection: found)
        assert JidHook().base_url(settings()) == url


def test_without_a_connection_it_is_the_sites(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(_self: object, name: str) -> None:
        raise AirflowNotFoundException(name)

    monkeypatch.setattr(JidHook, "get_connection", none)
    assert JidHook().base_url(settings()) == "http://jid.test/jid/ws"
