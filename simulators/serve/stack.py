"""A whole served stack: brought up, and taken down without a trace."""

import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import requests
import uvicorn

from lute.airflow_api.client import AirflowClient
from lute.arp.token import user_name
from lute.seams import Runtime
from lute.settings import load_settings
from simulators.jid.host import RealHost
from simulators.jid.routes import PREFIX, application
from simulators.jid.service import JidService
from simulators.jid.state import JidState
from simulators.jid.tokens import TokenAuthority
from simulators.realslurm.cluster import RealSlurm
from simulators.realslurm.programs import commands_folder
from simulators.serve.airflow import USER, AirflowInstance, installed_version
from simulators.serve.components import Components, StackError
from simulators.serve.ready import StackInfo

PROJECT_DIR = Path(__file__).resolve().parents[2]
DAGS = PROJECT_DIR / "workflows" / "airflow"
SLURM_BIN = PROJECT_DIR / "simulators" / "slurm" / "bin"
EXPERIMENT = "mfxl1000126"
RUN = 12
_POLL_S = 0.1
_READY_LIMIT_S = 180.0
_ANSWER_LIMIT_S = 30.0
_PARSING_LIMIT_S = 20.0
_TOKEN_LIFETIME_MIN = 480.0


class ServedStack:
    """A context manager: inside it the stack runs.

    Args:
        env: the environment to build on.
        airflow: 2 or 3, which must be the installed one; 0 for none.
        real_slurm: whether Slurm is a private real one, instead of the fake.
        dags: folder of the DAG files.
        deferrable: whether steps wait in a triggerer.
        jid_front: given the JID's address, returns the one by which the operators reach it.
        say: told what is going on, one line each.

    Raises (on entering):
        StackError: something did not come up; nothing is left running.
    """

    def __init__(
        self,
        env: Mapping[str, str],
        *,
        airflow: int,
        real_slurm: bool = False,
        dags: Path = DAGS,
        deferrable: bool = False,
        jid_front: Callable[[str], str] = lambda url: url,
        say: Callable[[str], None],
    ) -> None:
        self._env = dict(env)
        self._airflow_major = airflow
        self._wants_real_slurm = real_slurm
        self._dags = dags
        self._deferrable = deferrable
        self._jid_front = jid_front
        self._say = say
        self._runtime = Runtime()

    def __enter__(self) -> Self:
        self._dir = Path(tempfile.mkdtemp(prefix="lute-sim-"))
        self._jid_server: uvicorn.Server | None = None
        self._real_slurm: RealSlurm | None = None
        self._components = Components(self._runtime, self._dir / "logs")
        try:
            self.info = self._bring_up()
        except BaseException:
            self._take_down()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._take_down()

    def check_alive(self) -> None:
        """Raise `StackError` if one of the stack's processes has ended."""
        self._components.check_alive()
        if self._real_slurm is not None:
            self._real_slurm.check_alive()

    def _bring_up(self) -> StackInfo:
        started_s = self._runtime.clock.monotonic()
        work_dir = self._dir / "work"
        work_dir.mkdir()
        slurm = self._start_slurm()
        jid_url, tokens = self._start_jid(slurm, work_dir)
        instance = self._airflow_instance()
        site_file = self._write_site_file(jid_url, instance)
        if instance is not None:
            self._start_airflow(instance, self._jid_front(jid_url), site_file)
        if fake := slurm.get("LUTE_SIM_SLURM_SOCKET"):
            self._wait_until(Path(fake).exists, "the fake Slurm")
        took_s = self._runtime.clock.monotonic() - started_s
        self._say(f"stack ready after {took_s:.0f} s")
        token = tokens.issue(user_name(), EXPERIMENT, lifetime_min=_TOKEN_LIFETIME_MIN)
        return StackInfo(
            pid=os.getpid(),
            airflow_url=instance.url if instance else "",
            jid_url=jid_url,
            work_dir=str(work_dir),
            log_dir=str(self._dir / "logs"),
            path_entry=self._path_entry,
            environment=slurm
            | {
                "LUTE_SITE": str(site_file),
                "LUTE_PYTHON": sys.executable,
                "LUTE_WORK_DIR": str(work_dir),
                "EXPERIMENT": EXPERIMENT,
                "RUN_NUM": str(RUN),
                "Authorization": f"Bearer {token}",
            },
        )

    @property
    def _path_entry(self) -> str:
        """The folders of this Python's programs and of the Slurm commands."""
        return f"{Path(sys.executable).parent}{os.pathsep}{self._slurm_commands}"

    @property
    def _slurm_commands(self) -> Path:
        """The folder of `sbatch` and the others."""
        return commands_folder() if self._wants_real_slurm else SLURM_BIN

    def _start_slurm(self) -> dict[str, str]:
        """Start Slurm and return the variables that point a process at it."""
        folder = self._dir / "slurm"
        if self._wants_real_slurm:
            self._real_slurm = RealSlurm(folder, runtime=self._runtime)
            self._real_slurm.start()
            self._say(f"real Slurm started; its logs: {folder}/logs")
            return self._real_slurm.environment
        folder.mkdir(mode=0o700)
        socket_path = self._dir / "slurm.sock"
        argv = [sys.executable, "-m", "simulators.slurm.daemon"]
        argv += ["--socket", str(socket_path), "--state-dir", str(folder)]
        self._components.start("slurmctld", argv, self._python_env())
        return {"LUTE_SIM_SLURM_SOCKET": str(socket_path)}

    def _start_jid(self, slurm: Mapping[str, str], work_dir: Path) -> tuple[str, TokenAuthority]:
        listener = _listener()
        jid_url = f"http://127.0.0.1:{listener.getsockname()[1]}{PREFIX}"
        tokens = TokenAuthority(self._runtime.clock)
        path = f"{self._path_entry}{os.pathsep}{self._env.get('PATH', os.defpath)}"
        host_env = {
            **self._env,
            **slurm,
            "PATH": path,
            "LUTE_SITE": str(self._site_file),
            "LUTE_PYTHON": sys.executable,
            "LUTE_WORK_DIR": str(work_dir),
        }
        host = RealHost(self._runtime.commands, host_env, work_dir)
        service = JidService(JidState(), host, tokens, base_url=jid_url)
        config = uvicorn.Config(application(service), log_level="warning", lifespan="off", access_log=False)
        server = self._jid_server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="jid", daemon=True)
        thread.start()
        return jid_url, tokens

    def _airflow_instance(self) -> AirflowInstance | None:
        if not self._airflow_major:
            return None
        version = installed_version()
        if version[0] != self._airflow_major:
            raise StackError(
                f"Airflow {self._airflow_major} was asked for, {version[0]} is installed here",
                next_step=f"use --airflow {version[0]}, or an environment with the other one",
            )
        listener = _listener()
        port = listener.getsockname()[1]
        listener.close()  # Airflow opens it itself
        return AirflowInstance(version, self._dir / "airflow", self._dags, port, self._deferrable)

    def _start_airflow(self, instance: AirflowInstance, jid_url: str, site_file: Path) -> None:
        base = self._python_env() | {"LUTE_SITE": str(site_file)}
        env = instance.environment(base, jid_url)
        for name, argv in instance.set_up():
            self._say(f"Airflow {instance.version_text}: setting up the {name}")
            self._components.run(f"airflow-{name}", argv, env, limit_s=_READY_LIMIT_S)
        self._say(f"Airflow {instance.version_text}: starting on {instance.url}")
        for name, argv in instance.servers():
            self._components.start(f"airflow-{name}", argv, env)
        self._wait_until(lambda: _is_healthy(instance), "Airflow")
        if url := instance.warm_up_url:
            self._wait_until(lambda: _answers(url), "Airflow's execution API")
        airflow = AirflowClient(load_settings({"LUTE_SITE": str(site_file)}), self._runtime)
        files = len(list(self._dags.glob("*.py")))
        deadline_s = self._runtime.clock.monotonic() + _PARSING_LIMIT_S
        while len(airflow.dag_ids()) + len(airflow.import_errors()) < files:
            if self._runtime.clock.monotonic() > deadline_s:
                self._say(f"not every file of {self._dags} has become a workflow yet")
                break
            self._components.check_alive()
            self._runtime.clock.sleep(_POLL_S)

    def _write_site_file(self, jid_url: str, instance: AirflowInstance | None) -> Path:
        url = instance.url if instance else "http://127.0.0.1:9"
        password_file = instance.password_file if instance else self._dir / "no-airflow"
        text = f"""# Written by lute-sim serve.
location = "S3DF"

[airflow]
url = "{url}"
user = "{USER}"
password_file = "{password_file}"

[jid]
url = "{jid_url}"

[elog]
kerberos_url = "http://127.0.0.1:9/ws-kerb/lgbk"
jwt_url = "http://127.0.0.1:9/ws-jwt/lgbk"
"""
        self._site_file.write_text(text, encoding="utf-8")
        return self._site_file

    @property
    def _site_file(self) -> Path:
        return self._dir / "served.toml"

    def _python_env(self) -> dict[str, str]:
        path = f"{PROJECT_DIR}{os.pathsep}{self._env.get('PYTHONPATH', '')}".rstrip(os.pathsep)
        return self._env | {"PYTHONPATH": path}

    def _wait_until(self, condition: Callable[[], bool], what: str) -> None:
        deadline_s = self._runtime.clock.monotonic() + _READY_LIMIT_S
        while not condition():
            self._components.check_alive()
            if self._runtime.clock.monotonic() > deadline_s:
                raise StackError(f"{what} was not ready after {_READY_LIMIT_S:.0f} s; logs: {self._dir}/logs")
            self._runtime.clock.sleep(_POLL_S)

    def _take_down(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C must not leave half of it running
        if self._jid_server is not None:
            self._jid_server.should_exit = True
        try:
            if self._real_slurm is not None:
                self._real_slurm.stop()
        finally:
            self._components.stop()
        shutil.rmtree(self._dir, ignore_errors=True)


def _listener() -> socket.socket:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    return listener


def _answers(url: str) -> bool:
    try:
        return bool(requests.Session().get(url, timeout=_ANSWER_LIMIT_S).ok)
    except requests.RequestException:
        return False


def _is_healthy(instance: AirflowInstance) -> bool:
    try:
        reply = requests.Session().get(instance.health_url, timeout=2)
        health = reply.json()
    except (requests.RequestException, ValueError):
        return False
    needed = ["metadatabase", "scheduler"] + ([] if instance.version < (3,) else ["dag_processor"])
    return all((health.get(name) or {}).get("status") == "healthy" for name in needed)
