"""The fake controller as a server: `python -m simulators.slurm.daemon --socket PATH --state-dir DIR`.

It listens on a private Unix socket. A connection carries one JSON request and one JSON reply, each ended by
the end of the stream:

    {"argv": ["sbatch", "a.sh"], "env": {...}, "cwd": "/here", "has_input": false, "input": null}
    {"exit_code": 0, "stdout": "...", "stderr": "", "read": null, "wait_for": null}
    {"wait_for": 12}    answered with {"exit_code": N} when job 12 has ended
"""

import argparse
import asyncio
import contextlib
import fcntl
import grp
import json
import os
import pwd
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from lute.seams.clock import SystemClock
from simulators.kernel.events import Agenda
from simulators.slurm.accounting import AccountingDatabase
from simulators.slurm.commands import Context, Reply, Request, run
from simulators.slurm.conf import DEFAULT_GRES, TUNED, Latencies, SlurmConf
from simulators.slurm.controller import Controller, UnknownJobError
from simulators.slurm.environment import LOGIN_PATH
from simulators.slurm.job import Job
from simulators.slurm.journal import Journal
from simulators.slurm.processes import ProcessLauncher
from simulators.slurm.request import DEFAULT_UMASK, Person
from simulators.slurm.state import new_cluster

MAX_REQUEST_BYTES = 64 * 1024 * 1024
BIN = Path(__file__).parent / "bin"
"""Folder of the commands; put it on PATH."""

SERVED_CONF = SlurmConf(
    node_gres=DEFAULT_GRES,
    scheduler_parameters=TUNED,
    accounting=True,
    latencies=Latencies(background_s=0),
)
"""The cluster of a daemon that is given no other: it reacts at once, where real Slurm takes up to 3 s."""


class Daemon:
    """One controller, its launcher and its socket."""

    def __init__(self, socket_path: Path, state_dir: Path, conf: SlurmConf) -> None:
        host = socket.gethostname().partition(".")[0]
        self._socket_path = socket_path
        state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        state_dir.chmod(0o700)
        self._lock = (state_dir / "lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SystemExit(f"slurm daemon: another one works in {state_dir}") from None
        self._clock = SystemClock()
        self._agenda = Agenda(self._clock.now().timestamp())
        self._timer: asyncio.TimerHandle | None = None
        cluster = new_cluster(conf)
        self._journal = Journal(state_dir / "journal.jsonl")
        self._journal.load(cluster)
        self._launcher = ProcessLauncher(
            state_dir,
            cluster,
            host,
            site_env={"LUTE_SIM_SLURM_SOCKET": str(self._socket_path)},
            login_path=f"{BIN}:{LOGIN_PATH}",
        )
        self._launcher.report = self._in_time
        self._controller = Controller(cluster, self._agenda, self._launcher)
        self._launcher.controller = self._controller
        accounting = AccountingDatabase(cluster) if conf.accounting else None
        self._controller.life.on_change.append(lambda job: self._journal.note_job(job, cluster))
        self._controller.life.on_forget.append(self._journal.note_forgotten)
        self._controller.nodes.on_node.append(self._journal.note_node)
        self._controller.nodes.on_partition.append(self._journal.note_partition)
        if accounting is not None:
            self._controller.life.on_change.append(lambda job: accounting.note(job, self._agenda.now_s))
            for job in cluster.jobs.values():
                accounting.note(job, self._agenda.now_s)
        self._controller.life.on_end.append(self._wake)
        self._context = Context(self._controller, host, _me(), accounting)
        self._waiting: dict[int, list[asyncio.Future[int]]] = {}

    async def serve(self) -> None:
        """Serve until SIGTERM or SIGINT, then kill every job and remove the socket.

        Killed by SIGKILL it leaves its jobs running; the next one with the same state folder goes on with
        them.
        """
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        for job in self._controller.cluster.jobs.values():
            if job.is_placed:
                self._launcher.adopt(job)
        await self._launcher.kill_strays()
        early = self._socket_path.with_name(f".{self._socket_path.name}.{os.getpid()}")
        umask = os.umask(0o177)
        try:
            server = await asyncio.start_unix_server(self._answer, early, backlog=1024)
        finally:
            os.umask(umask)
        early.rename(self._socket_path)  # clients see the socket only now that it answers
        self._in_time(lambda: None)
        try:
            await stop.wait()
        finally:
            self._socket_path.unlink(missing_ok=True)
            server.close()
            if self._timer is not None:
                self._timer.cancel()
            self._journal.remove()  # first: whoever is killed while closing must not leave jobs to run again
            await self._launcher.close()
            Path(self._lock.name).unlink(missing_ok=True)

    def _in_time(self, act: Callable[[], None]) -> None:
        """Bring the controller's time up to date, act, and wake up when something is due."""
        try:
            self._agenda.advance(max(self._agenda.now_s, self._clock.now().timestamp()))
            act()
            self._agenda.advance(self._agenda.now_s)
        finally:  # a fault in one job must not stop the clock for all others
            self._plan_wake_up()

    def _plan_wake_up(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due_s = self._agenda.next_time_s
        if due_s is not None:
            delay_s = max(0.0, due_s - self._clock.now().timestamp())
            self._timer = asyncio.get_running_loop().call_later(delay_s, self._in_time, lambda: None)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            text = bytearray()
            while len(text) <= MAX_REQUEST_BYTES and (part := await reader.read(1 << 16)):
                text += part
            reply = await self._reply(bytes(text))
            writer.write(json.dumps(reply).encode())
            await writer.drain()
        writer.close()

    async def _reply(self, text: bytes) -> dict[str, Any]:
        try:
            asked = json.loads(text)
            if "wait_for" in asked:
                return {"exit_code": await self._end_of(int(asked["wait_for"]))}
            request = Request(
                argv=[str(word) for word in asked["argv"]],
                env={str(name): str(value) for name, value in asked["env"].items()},
                cwd=str(asked["cwd"]),
                umask=int(asked.get("umask", DEFAULT_UMASK)),
                has_input=bool(asked.get("has_input")),
                input=None if asked.get("input") is None else str(asked["input"]),
            )
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            return asdict(Reply(1, "", f"slurm: error: not a request: {type(error).__name__}: {error}\n"))
        replies: list[Reply] = []
        try:
            self._in_time(lambda: replies.append(run(request, self._context)))
        except Exception as error:  # noqa: BLE001 - hostile input must not take the controller down
            sys.stderr.write(f"slurm daemon: {request.argv}: {type(error).__name__}: {error}\n")
            return asdict(Reply(1, "", f"slurm: error: fault of the simulator: {error}\n"))
        return asdict(replies[0])

    async def _end_of(self, job_id: int) -> int:
        """Return the exit code of `sbatch --wait`: that of the job, 1 if a signal ended it (assumed)."""
        try:
            job = self._controller.job(job_id)
        except UnknownJobError:
            return 1
        if not job.state.is_final:
            future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
            self._waiting.setdefault(job_id, []).append(future)
            return await future
        return _wait_code(job)

    def _wake(self, job: Job) -> None:
        for future in self._waiting.pop(job.id, []):
            if not future.done():
                future.set_result(_wait_code(job))


def _wait_code(job: Job) -> int:
    return job.exit_code or (1 if job.exit_signal else 0)


def _me() -> Person:
    entry = pwd.getpwuid(os.getuid())
    try:
        group = grp.getgrgid(entry.pw_gid).gr_name
    except KeyError:
        group = str(entry.pw_gid)
    return Person(entry.pw_name, entry.pw_uid, group, entry.pw_gid, entry.pw_dir, entry.pw_shell)


def read_conf(text: str) -> SlurmConf:
    """Read a cluster from JSON: an object with the attributes of `SlurmConf`.

    Raises:
        ValueError: it is none, or something in it is not simulated.
    """
    conf = TypeAdapter(SlurmConf).validate_json(text)
    _ = conf.scheduler, new_cluster(conf)
    return conf


def write_conf(conf: SlurmConf) -> str:
    """Return the JSON that `read_conf` reads."""
    return TypeAdapter(SlurmConf).dump_json(conf).decode()


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="simulators.slurm.daemon", description="A fake Slurm controller.")
    parser.add_argument("--socket", required=True, help="Unix socket to listen on; appears when ready")
    parser.add_argument(
        "--state-dir", required=True, help="private folder for jobs and what is known of them"
    )
    parser.add_argument("--conf", type=Path, help="JSON file with the attributes of SlurmConf")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the server; return its exit code."""
    options = _arguments().parse_args(argv)
    socket_path = Path(options.socket).absolute()
    if len(os.fsencode(socket_path)) > 90:
        sys.stderr.write(f"slurm daemon: the socket's path is too long for a socket: {options.socket}\n")
        return 2
    try:
        conf = SERVED_CONF if options.conf is None else read_conf(options.conf.read_text())
    except (OSError, ValidationError, ValueError) as error:
        sys.stderr.write(f"slurm daemon: {options.conf}: {error}\n")
        return 2
    asyncio.run(_run(socket_path, Path(options.state_dir).absolute(), conf))
    return 0


async def _run(socket_path: Path, state_dir: Path, conf: SlurmConf) -> None:
    await Daemon(socket_path, state_dir, conf).serve()


if __name__ == "__main__":
    sys.exit(main())
