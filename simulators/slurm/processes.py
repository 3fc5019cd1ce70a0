"""Real processes for started jobs: what slurmd does on a node. Each job's script runs under a `stepd`."""

import asyncio
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from lute.slurm.states import SlurmState
from simulators.slurm import patterns, proctable
from simulators.slurm.controller import Controller
from simulators.slurm.environment import LOGIN_PATH, batch_environment
from simulators.slurm.job import Job
from simulators.slurm.messages import cancelled_line
from simulators.slurm.state import Cluster

STEPD = Path(__file__).with_name("stepd.py")
_POLL_S = 0.02
"""How often to look whether killed processes are gone, in seconds."""
_ADOPTED_POLL_S = 0.1
"""How often to look whether a job of an earlier controller has ended, in seconds."""

Report = Callable[[Callable[[], None]], None]


class _Run:
    """One job that runs here, and the folder that its stepd works in."""

    def __init__(self, job: Job, folder: Path) -> None:
        self.job = job
        self.folder = folder
        self.is_stopping = False
        self.stopping: asyncio.Task[None] | None = None
        self.task: asyncio.Task[None] | None = None

    def read(self, name: str) -> str:
        """Return a file that the stepd wrote, empty if it has not."""
        try:
            return (self.folder / name).read_text()
        except OSError:
            return ""

    @property
    def has_stepd(self) -> bool:
        """True once a stepd has taken the job; it has no pid in its file for a moment."""
        return (self.folder / "stepd").exists()

    @property
    def script_pid(self) -> int | None:
        """Process of the script, None before it has one."""
        text = self.read("pid")
        return int(text) if text else None


class ProcessLauncher:
    """Runs each job's script as a process of its own session, under the running asyncio loop.

    Args:
        spool: private folder for the jobs.
        cluster: the cluster whose jobs run.
        host: short name of this computer.
        site_env: variables that every job has.
        login_path: PATH of jobs that export nothing.

    Attributes:
        report: runs a report to the controller; to be set where time must be brought up to date first.
    """

    def __init__(
        self,
        spool: Path,
        cluster: Cluster,
        host: str,
        *,
        site_env: Mapping[str, str],
        login_path: str = LOGIN_PATH,
    ) -> None:
        self.controller: Controller | None = None
        self.report: Report = lambda report: report()
        self._spool = spool
        self._cluster = cluster
        self._host = host
        self._site_env = {**site_env, "SLURM_CONF": str(spool / "slurm.conf")}
        self._login_path = login_path
        self._runs: dict[int, _Run] = {}
        self._closing = False

    def start(self, job: Job) -> None:
        """Run the script of `job`; see `Launcher.start`."""
        run = self._runs[job.id] = _Run(job, self._folder(job))
        shutil.rmtree(run.folder, ignore_errors=True)
        run.task = asyncio.get_running_loop().create_task(self._execute(run))

    def adopt(self, job: Job) -> None:
        """Go on with a job that an earlier controller started."""
        run = self._runs[job.id] = _Run(job, self._folder(job))
        go_on = self._follow if run.has_stepd else self._execute
        run.task = asyncio.get_running_loop().create_task(go_on(run))
        if job.state is SlurmState.COMPLETING:
            self._begin_stopping(run)

    def stop(self, job: Job, cause: str) -> None:
        """End `job`; see `Launcher.stop`."""
        run = self._runs.get(job.id)
        if run is None:
            return  # its end is being reported
        if self.controller is not None and run.script_pid is not None:
            self._say(job, cancelled_line(self._cluster.conf, job, self.controller.now_s, cause))
        self._begin_stopping(run)

    def send(self, job: Job, signal_number: int, *, script_only: bool) -> None:
        """Send a signal; see `Launcher.send`."""
        pid = self._runs[job.id].script_pid
        if pid is not None:
            targets = [pid] if script_only else self._members(job, pid)
            proctable.send(targets, signal_number)

    async def close(self) -> None:
        """Kill every job and wait until nothing of it is left."""
        self._closing = True
        while self._runs:
            for run in list(self._runs.values()):
                run.is_stopping = True
                await self._kill_all(run)
            await asyncio.sleep(_POLL_S)
        await self.kill_strays()

    async def kill_strays(self) -> None:
        """Kill processes and remove folders that use this spool and belong to no job any more."""
        for folder in set(self._spool.glob("job*/")) - {run.folder for run in self._runs.values()}:
            shutil.rmtree(folder, ignore_errors=True)
        marker = f"SLURM_CONF={self._site_env['SLURM_CONF']}"

        def strays() -> list[int]:
            known = {f"SLURM_JOB_ID={job_id}" for job_id in self._runs}
            return proctable.with_environment(marker, without=known)

        await self._until_gone(strays)

    def _folder(self, job: Job) -> Path:
        """Return the folder of one run of a job; each run after a requeue has its own."""
        return self._spool / (f"job{job.id:05d}" + (f".{job.restarts}" if job.restarts else ""))

    def _begin_stopping(self, run: _Run) -> None:
        run.is_stopping = True
        if run.stopping is None:
            run.stopping = asyncio.get_running_loop().create_task(self._terminate(run))

    async def _execute(self, run: _Run) -> None:
        """Run a job that has no stepd yet, as far as anybody knows."""
        try:
            if not (run.folder / "job.json").exists():
                self._prepare(run)
        except (OSError, ValueError):
            self._end(run, "launch_failed")
            return
        if run.is_stopping and not run.has_stepd:
            self._end(run, f"0 {signal.SIGTERM.value}")
            return
        try:
            stepd = await asyncio.create_subprocess_exec(
                sys.executable, "-I", "-S", STEPD, run.folder, env={}, start_new_session=True
            )
        except OSError:
            self._end(run, "launch_failed")
            return
        await stepd.wait()
        # ours may have found that one of an earlier controller has the job
        await self._follow(run)

    async def _follow(self, run: _Run) -> None:
        """Wait for the end of a job whose stepd need not be our child."""
        while not run.read("end") and self._lives(run):
            await asyncio.sleep(_ADOPTED_POLL_S)
        await self._finish(run)

    @staticmethod
    def _lives(run: _Run) -> bool:
        if not run.has_stepd:
            return False
        pid = run.read("stepd")
        if not pid:
            return True
        try:
            return os.fsencode(run.folder) in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return False

    async def _finish(self, run: _Run) -> None:
        await self._kill_all(run)  # Slurm leaves no process of a job behind
        # a stepd that was killed itself leaves no end: its job counts as killed too (assumed)
        self._end(run, run.read("end") or f"0 {signal.SIGKILL.value}")

    def _end(self, run: _Run, end: str) -> None:
        """Tell the controller how a job ended."""
        if run.stopping is not None:
            run.stopping.cancel()
        self._runs.pop(run.job.id, None)
        controller, job_id = self.controller, run.job.id
        if controller is not None and not self._closing:
            if end == "launch_failed":
                self.report(lambda: controller.launch_failed(job_id))
            else:
                code, number = (int(word) for word in end.split())
                self.report(lambda: controller.ended(job_id, code, number))
        # only now: a controller killed before this line finds the end here, instead of running the job again
        if job_id not in self._runs:
            shutil.rmtree(run.folder, ignore_errors=True)

    def _prepare(self, run: _Run) -> None:
        """Write what the stepd needs."""
        job, request, folder = run.job, run.job.request, run.folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        script = folder / "slurm_script"
        script.write_bytes(request.script.encode(errors="surrogateescape"))
        script.chmod(0o700)
        order = {
            "script": str(script),
            "arguments": request.arguments,
            "env": batch_environment(job, self._cluster, self._site_env, self._login_path),
            "work_dir": request.work_dir,
            "stdin": patterns.stdin_path(job, self._host),
            "stdout": patterns.stdout_path(job, self._host),
            "stderr": patterns.stderr_path(job, self._host),
            "append": request.append,
            "umask": request.umask,
            "prefix": self._cluster.conf.step_prefix.format(node=job.node_names[0]),
        }
        path = folder / "job.json.new"
        path.touch(mode=0o600)  # the environment may hold a token
        path.write_text(json.dumps(order))
        path.replace(folder / "job.json")  # whole or not at all: a stepd may be started for it from now on

    def _say(self, job: Job, line: str) -> None:
        """Write a line of slurmstepd into the job's error output."""
        with suppress(OSError, ValueError):
            descriptor = os.open(
                patterns.stderr_path(job, self._host), os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK
            )
            os.write(descriptor, line.encode(errors="surrogateescape"))
            os.close(descriptor)

    async def _terminate(self, run: _Run) -> None:
        while (pid := run.script_pid) is None:
            await asyncio.sleep(_POLL_S)
        proctable.send(self._members(run.job, pid), signal.SIGTERM)
        proctable.send(self._members(run.job, pid), signal.SIGCONT)
        await asyncio.sleep(self._cluster.conf.kill_wait_s)
        await self._kill_all(run)

    async def _kill_all(self, run: _Run) -> None:
        pid = run.script_pid
        if pid is not None:
            await self._until_gone(lambda: self._members(run.job, pid))

    async def _until_gone(self, find: Callable[[], list[int]]) -> None:
        for _ in range(500):
            found = find()
            if not found:
                return
            proctable.send(found, signal.SIGKILL)
            await asyncio.sleep(_POLL_S)

    def _members(self, job: Job, session: int) -> list[int]:
        """Return the processes of a job: its session, and who left the session with its environment."""
        markers = (f"SLURM_CONF={self._site_env['SLURM_CONF']}", f"SLURM_JOB_ID={job.id}")
        return sorted({*proctable.in_session(session), *proctable.with_environment(*markers)})
