"""Two Airflows that somebody meddles with over REST: the dagrunner's, and a served real one."""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

from lute.launch.arguments import parse_launch_arguments
from lute.launch.conf import build_conf
from lute.seams import Runtime
from lute.settings import load_settings
from simulators.dagrunner.service import AirflowServer
from simulators.facility import CONFIG, SITE, Facility
from simulators.net.messages import HttpRequest
from simulators.scenario.schema import Scenario
from simulators.serve.airflow import installed_version
from simulators.serve.ready import StackInfo
from tests.contract.airflow_api.legs import Leg, Real, Reply
from tests.contract.dagrunner.table import conf_of, copied_dags
from tests.served import SLURM_ARGUMENTS, in_stack, served_stack

_STOP_S = 30


class VirtualLeg(Leg):
    """The dagrunner in a virtual world."""

    name = "simulated"

    def start(self, folder: Path) -> None:
        self._world = Facility(Scenario(), seed=1, dags=copied_dags(folder / "dags"))
        self._world.__enter__()
        sys.modules["contract_parts"].JOURNAL.clear()
        self._world.airflow.state.pools["one_slot"] = 1
        self.major = int(self._world.airflow.version[0])
        self._server = AirflowServer(self._world.airflow)
        self.log_in("lute", (SITE.parent / "airflow_password.txt").read_text().strip())

    def stop(self) -> None:
        self._world.__exit__()

    def send(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Reply:
        lower = {name.lower(): value for name, value in headers.items()}
        reply = self._server.handle(HttpRequest(method, f"http://airflow{path}", lower, body or b""))
        text = reply.body.decode()
        is_json = reply.content_type.endswith("json") and text
        return Reply(reply.status, reply.content_type, json.loads(text) if is_json else text)

    def pass_time(self, seconds: float) -> None:
        self._world.agenda.advance(self._world.agenda.now_s + seconds)

    def conf(self) -> dict[str, Any]:
        """Return what the launcher gives to a run."""
        return conf_of(self._world, "test")

    def journal(self) -> list[tuple[str, str]]:
        """Return what the operators noted."""
        return list(sys.modules["contract_parts"].JOURNAL)

    def live_jobs(self) -> int:
        """Return how many jobs are in Slurm's queue."""
        return len(self._world.jobs.live)

    def restart_triggerer(self) -> None:
        """End the triggerer by SIGTERM and start another."""
        self._world.airflow.triggerer.stop()
        self._world.airflow.triggerer.start()


class ServedLeg(Real):
    """The installed Airflow in a served stack, with a triggerer beside it."""

    stack: StackInfo

    def start(self, folder: Path) -> None:
        self.major = installed_version()[0]
        self._dags = copied_dags(folder / "dags")
        self._journal = folder / "journal"
        self._journal.touch()
        self._stack = contextlib.ExitStack()
        os.environ["LUTE_CONTRACT_JOURNAL"] = str(self._journal)
        self._stack.callback(os.environ.pop, "LUTE_CONTRACT_JOURNAL")
        self.stack = self._stack.enter_context(served_stack(folder, airflow=str(self.major), dags=self._dags))
        airflow = load_settings(self.stack.environment).airflow
        self._url = airflow.url
        self.log_in(airflow.user, airflow.password_file.read_text().strip())
        pool = {"name": "one_slot", "slots": 1, "description": None, "include_deferred": False}
        reply = self.ask("POST", "/pools", pool)
        assert reply.status in (200, 201), reply
        self._log = self._stack.enter_context((folder / "triggerer.log").open("wb"))
        self._stack.callback(self._end_triggerer)
        self._start_triggerer()

    def conf(self) -> dict[str, Any]:
        """Return what the launcher gives to a run."""
        env = self.stack.applied_to(os.environ)
        argv = ["-c", str(CONFIG), "-w", "test", *SLURM_ARGUMENTS]
        return build_conf(parse_launch_arguments(argv), env, load_settings(env), Runtime()).to_conf()

    def journal(self) -> list[tuple[str, str]]:
        """Return what the operators noted."""
        lines = (line.split(" ", 2) for line in self._journal.read_text().splitlines())
        return [(task, what) for _, task, what in lines]

    def live_jobs(self) -> int:
        """Return how many jobs are in Slurm's queue."""
        return len(in_stack(self.stack, "squeue", "-h").stdout.splitlines())

    def restart_triggerer(self) -> None:
        """End the triggerer by SIGTERM and start another."""
        self._end_triggerer()
        self._start_triggerer()

    def _start_triggerer(self) -> None:
        # The stack has none, since LUTE's operators need none.
        env = self._environment() | {"PYTHONPATH": str(self._dags)}
        argv = [sys.executable, "-m", "airflow", "triggerer", "--skip-serve-logs"]
        self._triggerer = subprocess.Popen(
            argv, env=env, stdout=self._log, stderr=self._log, start_new_session=True
        )

    def _end_triggerer(self) -> None:
        self._triggerer.terminate()
        self._triggerer.wait(_STOP_S)

    def _environment(self) -> dict[str, str]:
        """Return the variables of the stack's Airflow, from one of its processes that still shows them."""
        folder = str(Path(self.stack.work_dir).parent)
        for process in psutil.Process(self.stack.pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                found = process.environ()
                if found.get("AIRFLOW_HOME", "").startswith(folder):
                    return dict(found)
        raise AssertionError("the stack has no Airflow")


def wait_until(leg: Leg, is_so: Any, limit_s: float, poll_s: float = 0.3) -> bool:
    """Wait in a leg's own time; return whether it has come about."""
    passed_s = 0.0
    started_s = time.monotonic()
    while not is_so():
        if max(passed_s, time.monotonic() - started_s) > limit_s:
            return False
        leg.pass_time(poll_s)
        passed_s += poll_s
    return True
