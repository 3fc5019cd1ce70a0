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
import grp
import json
import os
import pwd
import signal
import socket
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lute.seams.clock import SystemClock
from simulators.slurm.commands import Context, Reply, Request, run
from simulators.slurm.controller import Controller, UnknownJobError
from simulators.slurm.environment import LOGIN_PATH
from simulators.slurm.hostlist import expand
from simulators.slurm.processes import ProcessLauncher
from simulators.slurm.request import Person
from simulators.slurm.state import DEFAULT_PARTITIONS, Job, new_cluster

MAX_REQUEST_BYTES = 64 * 1024 * 1024
BIN = Path(__file__).parent / "bin"
"""Folder of the commands; put it on PATH."""


class Daemon:
    """One controller, its launcher and its socket."""

    def __init__(self, options: argparse.Namespace) -> None:
        clock = SystemClock()
        host = socket.gethostname().partition(".")[0]
        self._socket_path = Path(options.socket).absolute()
        state_dir = Path(options.state_dir).absolute()
        state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        state_dir.chmod(0o700)
        cluster = new_cluster(
            _partitions(options.partition),
            reservations=frozenset(options.reservation),
            max_time_min=options.max_time_min,
        )
        self._launcher = ProcessLauncher(
            state_dir,
            cluster,
            host,
            clock.now,
            site_env={"LUTE_SIM_SLURM_SOCKET": str(self._socket_path)},
            kill_wait_s=options.kill_wait_s,
            login_path=f"{BIN}:{LOGIN_PATH}",
        )
        self._controller = Controller(
            cluster,
            clock.now,
            self._launcher,
            min_job_age_s=options.min_job_age_s,
            limit_sweep_s=options.limit_sweep_s,
        )
        self._launcher.controller = self._controller
        self._controller.on_end.append(self._wake)
        self._context = Context(self._controller, host, _me())
        self._waiting: dict[int, list[asyncio.Future[int]]] = {}

    async def serve(self) -> None:
        """Serve until SIGTERM or SIGINT, then kill every job and remove the socket."""
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        await self._launcher.kill_strays()
        early = self._socket_path.with_name(f".{self._socket_path.name}.{os.getpid()}")
        umask = os.umask(0o177)
        try:
            server = await asyncio.start_unix_server(self._answer, early)
        finally:
            os.umask(umask)
        early.rename(self._socket_path)  # clients see the socket only now that it answers
        ticks = loop.create_task(self._tick())
        try:
            await stop.wait()
        finally:
            self._socket_path.unlink(missing_ok=True)
            server.close()
            ticks.cancel()
            await self._launcher.close()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(0.5)
            self._controller.tick()

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
                has_input=bool(asked.get("has_input")),
                input=None if asked.get("input") is None else str(asked["input"]),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            return asdict(Reply(1, "", f"slurm: error: not a request: {type(error).__name__}: {error}\n"))
        return asdict(run(request, self._context))

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


def _partitions(texts: list[str]) -> dict[str, dict[str, int]]:
    """Read `NAME=NODES:CORES`, for example `milano=sdfmilan[001-004]:128`."""
    if not texts:
        return {name: dict(nodes) for name, nodes in DEFAULT_PARTITIONS.items()}
    table: dict[str, dict[str, int]] = {}
    for text in texts:
        name, _, rest = text.partition("=")
        nodes, _, cores = rest.rpartition(":")
        if not (name and nodes and cores.isdigit() and int(cores)):
            raise SystemExit(f"--partition {text}: expected NAME=NODES:CORES")
        table[name] = dict.fromkeys(expand(nodes), int(cores))
    return table


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="simulators.slurm.daemon", description="A fake Slurm controller.")
    parser.add_argument("--socket", required=True, help="Unix socket to listen on; appears when ready")
    parser.add_argument("--state-dir", required=True, help="private folder for the copies of the scripts")
    parser.add_argument(
        "--partition",
        action="append",
        default=[],
        metavar="NAME=NODES:CORES",
        help="a partition, the first being the default one; default: milano 4 x 128 and ampere 2 x 64",
    )
    parser.add_argument("--reservation", action="append", default=[], help="a reservation that jobs may name")
    parser.add_argument("--max-time-min", type=int, help="longest time limit of every partition, minutes")
    parser.add_argument("--kill-wait-s", type=float, default=5, help="from SIGTERM to SIGKILL (%(default)s)")
    parser.add_argument("--min-job-age-s", type=float, default=300, help="memory of ended jobs (%(default)s)")
    parser.add_argument(
        "--limit-sweep-s", type=float, default=30, help="between time limit checks (%(default)s)"
    )
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the server; return its exit code."""
    options = _arguments().parse_args(argv)
    if len(os.fsencode(Path(options.socket).absolute())) > 90:
        sys.stderr.write(f"slurm daemon: the socket's path is too long for a socket: {options.socket}\n")
        return 2
    asyncio.run(Daemon(options).serve())
    return 0


if __name__ == "__main__":
    sys.exit(main())
