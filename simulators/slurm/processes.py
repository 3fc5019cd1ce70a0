"""Real processes for started jobs: what slurmd and slurmstepd do on a node."""

import asyncio
import os
import shutil
import signal
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from simulators.slurm import patterns, proctable
from simulators.slurm.controller import Controller
from simulators.slurm.environment import LOGIN_PATH, batch_environment
from simulators.slurm.state import Cluster, Job

_POLL_S = 0.02
"""How often to look whether killed processes are gone, in seconds."""


class _Run:
    """One job that runs here."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.process: asyncio.subprocess.Process | None = None
        self.outputs: list[int] = []
        self.stopping: asyncio.Task[None] | None = None
        self.task: asyncio.Task[None] | None = None
        self._stop_asked = False

    def ask_to_stop(self) -> None:
        """Note that the job shall end; it may not have a process yet."""
        self._stop_asked = True

    def must_stop(self) -> bool:
        """True once somebody asked."""
        return self._stop_asked


class ProcessLauncher:
    """Runs each job's script as a process of its own session, under the running asyncio loop.

    Args:
        spool: private folder for the copies of the scripts.
        cluster: the cluster whose jobs run.
        host: short name of this computer.
        now: returns the time.
        site_env: variables that every job has.
        kill_wait_s: seconds between SIGTERM and SIGKILL (Slurm's KillWait; 30 by default, 5 at the site).
        login_path: PATH of jobs that export nothing.
    """

    def __init__(
        self,
        spool: Path,
        cluster: Cluster,
        host: str,
        now: Callable[[], datetime],
        *,
        site_env: Mapping[str, str],
        kill_wait_s: float = 5,
        login_path: str = LOGIN_PATH,
    ) -> None:
        self.controller: Controller | None = None
        self._spool = spool
        self._cluster = cluster
        self._host = host
        self._now = now
        self._site_env = {**site_env, "SLURM_CONF": str(spool / "slurm.conf")}
        self._kill_wait_s = kill_wait_s
        self._login_path = login_path
        self._runs: dict[int, _Run] = {}
        self._closing = False

    def start(self, job: Job) -> None:
        """Run the script of `job`; see `Launcher.start`."""
        run = self._runs[job.id] = _Run(job)
        run.task = asyncio.get_running_loop().create_task(self._execute(run))

    def stop(self, job: Job, cause: str) -> None:
        """End `job`; see `Launcher.stop`."""
        run = self._runs[job.id]
        when = self._now().astimezone().strftime("%Y-%m-%dT%H:%M:%S")
        self._say(run, f"*** JOB {job.id} ON {job.node_names[0]} CANCELLED AT {when}{cause} ***")
        run.ask_to_stop()
        if run.process is not None:
            run.stopping = asyncio.get_running_loop().create_task(self._terminate(run))

    def send(self, job: Job, signal_number: int, *, script_only: bool) -> None:
        """Send a signal; see `Launcher.send`."""
        process = self._runs[job.id].process
        if process is not None and process.returncode is None:
            targets = [process.pid] if script_only else self._members(job, process.pid)
            proctable.send(targets, signal_number)

    async def close(self) -> None:
        """Kill every job and wait until nothing of it is left."""
        self._closing = True
        while self._runs:
            for run in list(self._runs.values()):
                await self._kill_all(run)
            await asyncio.sleep(_POLL_S)
        await self.kill_strays()

    async def kill_strays(self) -> None:
        """Kill processes that an earlier controller with the same spool left behind."""
        marker = f"SLURM_CONF={self._site_env['SLURM_CONF']}"
        await self._until_gone(lambda: proctable.with_environment(marker))

    async def _execute(self, run: _Run) -> None:
        job = run.job
        folder = self._spool / f"job{job.id:05d}"
        ended = None
        try:
            files = self._prepare(run, folder)
            if files is not None and not self._closing:
                ended = await self._run_script(run, files, folder)
                await self._kill_all(run)  # Slurm leaves no process of a job behind
            if run.stopping is not None:
                run.stopping.cancel()
        finally:
            for descriptor in run.outputs:
                os.close(descriptor)
            self._runs.pop(job.id, None)
            shutil.rmtree(folder, ignore_errors=True)
        if self.controller is None or self._closing:
            return
        if ended is None:
            self.controller.launch_failed(job.id)
        else:
            self.controller.ended(job.id, *ended)

    def _prepare(self, run: _Run, folder: Path) -> tuple[int, int, int] | None:
        """Copy the script and open its files; None if that is impossible (measured: FAILED 0:53)."""
        request = run.job.request
        mode = os.O_WRONLY | os.O_CREAT | (os.O_APPEND if request.append else os.O_TRUNC)
        out, err = patterns.stdout_path(run.job, self._host), patterns.stderr_path(run.job, self._host)
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            script = folder / "slurm_script"
            script.write_bytes(request.script.encode(errors="surrogateescape"))
            script.chmod(0o700)
            if not Path(request.work_dir).is_dir():
                return None
            run.outputs.append(_open(patterns.stdin_path(run.job, self._host), os.O_RDONLY))
            run.outputs.append(_open(out, mode))
            if err != out:
                run.outputs.append(_open(err, mode))
        except (OSError, ValueError):
            return None
        return run.outputs[0], run.outputs[1], run.outputs[-1]

    async def _run_script(self, run: _Run, files: tuple[int, int, int], folder: Path) -> tuple[int, int]:
        """Return exit code and signal of the script."""
        if run.must_stop():
            return 0, signal.SIGTERM
        script = folder / "slurm_script"
        env = batch_environment(run.job, self._cluster, self._site_env, self._login_path)
        try:
            run.process = await asyncio.create_subprocess_exec(
                script,
                *run.job.request.arguments,
                cwd=run.job.request.work_dir,
                env=env,
                stdin=files[0],
                stdout=files[1],
                stderr=files[2],
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            # assumed: the words and the exit code of slurmstepd for a script that cannot be executed
            number = getattr(error, "errno", None) or 1
            self._say(run, f"execve(): {script}: {os.strerror(number)}")
            return number, 0
        if run.must_stop() and run.stopping is None:
            run.stopping = asyncio.get_running_loop().create_task(self._terminate(run))
        status = await run.process.wait()
        return (status, 0) if status >= 0 else (0, -status)

    def _say(self, run: _Run, text: str) -> None:
        """Write a line of slurmstepd into the job's error output (measured where both outputs are one)."""
        if len(run.outputs) > 1:
            os.write(run.outputs[-1], f"slurmstepd: error: {text}\n".encode(errors="surrogateescape"))

    async def _terminate(self, run: _Run) -> None:
        if run.process is None:
            return
        proctable.send(self._members(run.job, run.process.pid), signal.SIGTERM)
        proctable.send(self._members(run.job, run.process.pid), signal.SIGCONT)
        await asyncio.sleep(self._kill_wait_s)
        await self._kill_all(run)

    async def _kill_all(self, run: _Run) -> None:
        process = run.process
        if process is not None:
            await self._until_gone(lambda: self._members(run.job, process.pid))

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


def _open(path: str, flags: int) -> int:
    """Open a file without ever waiting, as a pipe without a reader would make us."""
    descriptor = os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)
    os.set_blocking(descriptor, True)
    return descriptor
