"""Two ways to an Airflow; the tests do not know which one they use."""

import abc
import base64
import contextlib
import json
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import requests

from lute.seams import Runtime, installed
from lute.settings import load_settings
from simulators.dagrunner.instance import Instance
from simulators.dagrunner.orders import Orders
from simulators.dagrunner.service import AirflowServer
from simulators.facility import WORKFLOWS
from simulators.kernel.actors import Actors
from simulators.kernel.clock import VirtualClock
from simulators.kernel.events import Agenda
from simulators.kernel.seeds import Seeds
from simulators.kernel.trace import Trace
from simulators.net.messages import HttpRequest
from simulators.serve.airflow import installed_version
from tests.served import served_stack

DAGS = Path(__file__).parent / "dags"
_POLL_S = 0.3
_LIMIT_S = 60.0


class Reply(NamedTuple):
    """A reply, read.

    Attributes:
        kind: the content type without what follows a semicolon.
        body: what its JSON holds; text, if it holds none.
    """

    status: int
    kind: str
    body: Any


class Leg(abc.ABC):
    """One Airflow with the DAG files of this folder, and a client that is logged in.

    Attributes:
        major: 2 or 3.
        login: the Authorization header.
    """

    name: str
    major: int
    login: str

    @abc.abstractmethod
    def start(self, folder: Path) -> None:
        """Bring it up, with `folder` for whatever it needs."""

    @abc.abstractmethod
    def stop(self) -> None:
        """End it, leaving nothing."""

    @abc.abstractmethod
    def send(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Reply:
        """Send a request to a path of the server."""

    @abc.abstractmethod
    def pass_time(self, seconds: float) -> None:
        """Let time pass."""

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        raw: bytes | None = None,
        login: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send a request.

        Args:
            path: below the API's base; one that starts with `!` is the server's own.
            raw: the body as it is, instead of `body` as JSON.
            login: instead of the one that is good; empty for none.
        """
        base = "/api/v1" if self.major == 2 else "/api/v2"
        chosen = self.login if login is None else login
        sent = ({"Authorization": chosen} if chosen else {}) | dict(headers or {})
        if raw is None and body is not None:
            raw = json.dumps(body).encode()
        if raw is not None:
            sent.setdefault("Content-Type", "application/json")
        return self.send(method, path[1:] if path[0] == "!" else base + path, sent, raw)

    def trigger(self, dag_id: str, run_id: str, **more: Any) -> Reply:
        """Start a run."""
        body = {"dag_run_id": run_id} | ({} if self.major == 2 else {"logical_date": None}) | more
        return self.ask("POST", f"/dags/{dag_id}/dagRuns", body)

    def wait_for(self, path: str, *states: str) -> dict[str, Any]:
        """Wait until what is at a path is in one of the states, and return it."""
        passed_s = 0.0
        while (found := self.ask("GET", path).body).get("state") not in states:
            assert passed_s < _LIMIT_S, found
            self.pass_time(_POLL_S)
            passed_s += _POLL_S
        return dict(found)

    def log_in(self, user: str, password: str) -> None:
        """Take over a user and password."""
        if self.major == 2:
            self.login = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
            return
        reply = self.ask("POST", "!/auth/token", {"username": user, "password": password}, login="")
        assert reply.status == 201, reply
        self.login = f"Bearer {reply.body['access_token']}"


def simulated_airflow(actors: Actors, dags: Path, users: Mapping[str, str]) -> Orders:
    """Return what the simulated leg serves, with the installed version's behaviour."""
    return Instance(actors, Seeds(1), Trace(), dags=dags, users=users)


class Simulated(Leg):
    """The simulator, in virtual time."""

    name = "simulated"

    def start(self, folder: Path) -> None:
        dags = _dags_in(folder)
        self._agenda = Agenda(1_800_000_000.0)
        self._actors = Actors(self._agenda)
        self._world = contextlib.ExitStack()
        self._runtime = Runtime(clock=VirtualClock(self._agenda, self._actors))
        self._world.callback(self._actors.close)
        orders = simulated_airflow(self._actors, dags, {"admin": "secret"})
        self.major = int(orders.version[0])
        self._server = AirflowServer(orders)
        self.log_in("admin", "secret")

    def stop(self) -> None:
        self._world.close()

    def send(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Reply:
        lower = {name.lower(): value for name, value in headers.items()}
        reply = self._server.handle(HttpRequest(method, f"http://airflow{path}", lower, body or b""))
        self.pass_time(0.01)
        return _read(reply.status, reply.content_type, reply.body)

    def pass_time(self, seconds: float) -> None:
        # Only now do operators run: other tests between must not find this clock.
        with installed(lambda: self._runtime):
            self._agenda.advance(self._agenda.now_s + seconds)


class Real(Leg):
    """The installed Airflow, served."""

    name = "real"

    def start(self, folder: Path) -> None:
        self.major = installed_version()[0]
        self._stack = contextlib.ExitStack()
        info = self._stack.enter_context(served_stack(folder, airflow=str(self.major), dags=_dags_in(folder)))
        airflow = load_settings(info.environment).airflow
        self._url = airflow.url
        self.log_in(airflow.user, airflow.password_file.read_text().strip())

    def stop(self) -> None:
        self._stack.close()

    def send(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Reply:
        with requests.Session() as session:  # a new one each time: 3.3 breaks the connection after HTTP 500
            session.trust_env = False
            reply = session.request(
                method, self._url + path, headers=headers, data=body, timeout=30, allow_redirects=False
            )
        return _read(reply.status_code, reply.headers.get("content-type", ""), reply.content)

    def pass_time(self, seconds: float) -> None:
        time.sleep(seconds)


LEGS: tuple[type[Leg], ...] = (Simulated, Real)


def _dags_in(folder: Path) -> Path:
    """Return a copy of the DAG files: Airflow writes beside them what it has compiled."""
    copied = Path(shutil.copytree(DAGS, folder / "dags", ignore=shutil.ignore_patterns("__pycache__")))
    shutil.copy(WORKFLOWS / "run_time.py", copied)
    return copied


def _read(status: int, kind: str, content: bytes) -> Reply:
    kind = kind.partition(";")[0]
    is_json = content and kind.endswith("json") and not kind.endswith("ndjson")
    return Reply(status, kind, json.loads(content) if is_json else content.decode())
