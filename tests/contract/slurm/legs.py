"""Three ways to a Slurm; the tests do not know which one they use."""

import abc
import grp
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from simulators.kernel.events import Agenda
from simulators.realslurm import RealSlurm
from simulators.slurm import patterns
from simulators.slurm.accounting import AccountingDatabase
from simulators.slurm.client import read
from simulators.slurm.commands import Context, Request, run
from simulators.slurm.conf import Latencies
from simulators.slurm.controller import Controller
from simulators.slurm.daemon import BIN, write_conf
from simulators.slurm.environment import batch_environment
from simulators.slurm.job import Job
from simulators.slurm.models import JobModel, ModelLauncher
from simulators.slurm.request import Person
from simulators.slurm.state import new_cluster
from tests.contract.slurm.profiles import Profile
from tests.contract.slurm.script import model_of, read_script

ROOT = Path(__file__).parents[3]
_POLL_S = 0.1


class Answer(NamedTuple):
    """What a command answered."""

    code: int
    out: str
    err: str


class Leg(abc.ABC):
    """One cluster and its commands.

    Attributes:
        profile: what the cluster is like.
        work: the folder in which commands run; each test has its own.
        free_cores: of each node, where a test left jobs for the next one that wants the same; else empty.
    """

    name: str

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self.work = Path()
        self.free_cores: list[int] = []

    @abc.abstractmethod
    def start(self) -> None:
        """Bring the cluster up."""

    @abc.abstractmethod
    def stop(self) -> None:
        """End it, leaving nothing."""

    @abc.abstractmethod
    def run(self, *argv: str, stdin: str = "", env: Mapping[str, str] | None = None) -> Answer:
        """Run a command in the work folder."""

    @abc.abstractmethod
    def pass_time(self, seconds: float) -> None:
        """Let time pass."""

    @abc.abstractmethod
    def output(self, name: str) -> str | None:
        """Return a file of the work folder that a job wrote, None if there is none."""

    @abc.abstractmethod
    def environment_of(self, job_id: str) -> dict[str, str]:
        """Return the environment that the script of a job had, once it has started."""

    @abc.abstractmethod
    def stop_controller(self) -> None:
        """Kill slurmctld."""

    @abc.abstractmethod
    def start_controller(self) -> None:
        """Start it again."""

    @property
    def host(self) -> str:
        """Short name of this computer."""
        return socket.gethostname().partition(".")[0]

    def forget_jobs(self) -> None:
        """Cancel everything and wait until the cluster is empty."""
        for _ in range(200):
            queue = self.run("squeue", "-h", "-o", "%F %T").out.split("\n")
            ids = {line.split()[0] for line in queue if line}
            if not ids:
                return
            if any("COMPLETING" not in line for line in queue if line):
                self.run("scancel", *sorted(ids))
            self.pass_time(_POLL_S)
        raise AssertionError("the cluster does not become empty")


class InProcess(Leg):
    """The fake as a library, in virtual time."""

    name = "in process"

    def start(self) -> None:
        self._agenda = Agenda(time.time())
        cluster = new_cluster(self.profile.fake)
        self._launcher = ModelLauncher(self._model_of, self.host)
        self._controller = Controller(cluster, self._agenda, self._launcher)
        self._launcher.controller = self._controller
        self._launcher.on_signal = self._on_signal
        self._environments: dict[str, dict[str, str]] = {}
        accounting = None
        if self.profile.accounting:
            database = accounting = AccountingDatabase(cluster)
            self._controller.life.on_change.append(lambda job: database.note(job, self._agenda.now_s))
        self._context = Context(self._controller, self.host, _me(), accounting)

    def stop(self) -> None:
        pass

    def run(self, *argv: str, stdin: str = "", env: Mapping[str, str] | None = None) -> Answer:
        request = Request(argv, {**_BASE_ENV, **(env or {})}, str(self.work))
        reply = run(request, self._context)
        if reply.read is not None:
            text = stdin if reply.read == "-" else read(str(self.work / reply.read))
            reply = run(Request(argv, request.env, request.cwd, has_input=True, input=text), self._context)
        code = reply.exit_code
        self.pass_time(0.02)
        if reply.wait_for is not None:
            job = self._controller.job(reply.wait_for)
            while not job.state.is_final:
                self.pass_time(_POLL_S)
            code = job.exit_code
        return Answer(code, reply.stdout, reply.stderr)

    def pass_time(self, seconds: float) -> None:
        self._agenda.advance(self._agenda.now_s + seconds)

    def output(self, name: str) -> str | None:
        return self._launcher.files.get(str(self.work / name))

    def environment_of(self, job_id: str) -> dict[str, str]:
        return self._environments[job_id]

    def stop_controller(self) -> None:
        self._context = Context(
            self._controller, self.host, self._context.person, self._context.accounting, is_down=True
        )

    def start_controller(self) -> None:
        self._context = Context(self._controller, self.host, self._context.person, self._context.accounting)

    def _model_of(self, job: Job) -> JobModel:
        self._environments[str(job.id)] = batch_environment(job, self._controller.cluster, {})
        model = model_of(job.request.script)
        folder = Path(patterns.stdout_path(job, self.host)).parent
        if not Path(job.request.work_dir).is_dir() or not folder.is_dir():
            return JobModel(fails_to_launch=True)
        return model

    def _on_signal(self, job: Job, number: int) -> int | None:
        return read_script(job.request.script).on_usr1 if number == 10 else None


class Processes(Leg):
    """What the two legs with real commands share."""

    def run(self, *argv: str, stdin: str = "", env: Mapping[str, str] | None = None) -> Answer:
        done = subprocess.run(
            argv,
            cwd=self.work,
            env={**_BASE_ENV, **self.command_env(), **(env or {})},
            input=stdin.encode(),
            capture_output=True,
            timeout=120,
        )
        return Answer(done.returncode, done.stdout.decode(), done.stderr.decode())

    def pass_time(self, seconds: float) -> None:
        time.sleep(seconds)  # real processes in real time

    def output(self, name: str) -> str | None:
        path = self.work / name
        return path.read_text() if path.is_file() else None

    def environment_of(self, job_id: str) -> dict[str, str]:
        text = self.output(f"env.{job_id}") or ""
        return dict(item.split("=", 1) for item in text.split("\0") if item)

    @abc.abstractmethod
    def command_env(self) -> dict[str, str]:
        """Return the variables that the commands need."""


class Commands(Processes):
    """The fake's daemon and its commands, with real processes as jobs."""

    name = "commands"

    def start(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="lute-fake-"))
        self._socket = self._folder / "slurm.sock"
        # its loops run more often than real ones: when they run is the affair of the leg in virtual time
        conf = replace(self.profile.fake, latencies=Latencies(background_s=0.1))
        (self._folder / "conf.json").write_text(write_conf(conf))
        self.start_controller()

    def start_controller(self) -> None:
        argv = [sys.executable, "-m", "simulators.slurm.daemon", "--socket", str(self._socket)]
        argv += ["--state-dir", str(self._folder / "state"), "--conf", str(self._folder / "conf.json")]
        self._socket.unlink(missing_ok=True)
        with (self._folder / "daemon.log").open("ab") as log:
            self._daemon = subprocess.Popen(argv, cwd=ROOT, stderr=log)
        deadline = time.monotonic() + 30
        while not self._socket.exists():
            assert self._daemon.poll() is None, (self._folder / "daemon.log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.02)  # a real process in real time

    def stop_controller(self) -> None:
        self._daemon.kill()
        self._daemon.wait()

    def stop(self) -> None:
        self._daemon.terminate()
        assert self._daemon.wait(timeout=60) == 0
        said = (self._folder / "daemon.log").read_text()
        shutil.rmtree(self._folder, ignore_errors=True)
        assert said == ""

    def command_env(self) -> dict[str, str]:
        return {
            "PATH": f"{BIN}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "LUTE_SIM_SLURM_SOCKET": str(self._socket),
        }


class Real(Processes):
    """Real Slurm 22.05."""

    name = "real"

    def start(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="lute-real-"))
        self._slurm = RealSlurm(self._folder / "slurm", self.profile.real)
        self._slurm.start()

    def stop(self) -> None:
        self._slurm.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def start_controller(self) -> None:
        self._slurm.start_controller()

    def stop_controller(self) -> None:
        self._slurm.stop_controller()

    def command_env(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], **self._slurm.environment}


LEGS: Sequence[type[Leg]] = (InProcess, Commands, Real)

_BASE_ENV = {"LANG": "C.UTF-8", "TZ": "UTC", "HOME": str(Path.home())}


def _me() -> Person:
    entry = pwd.getpwuid(os.getuid())
    group = grp.getgrgid(entry.pw_gid).gr_name
    return Person(entry.pw_name, entry.pw_uid, group, entry.pw_gid, entry.pw_dir, entry.pw_shell)
